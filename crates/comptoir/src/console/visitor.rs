//! Who knocks: the address behind trusted proxies, and what must hold before any page answers.

use super::refusal::Refusal;
use super::{Desk, wording};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use comptoir_model::code::Code;
use std::net::{IpAddr, SocketAddr};

/// Scripts and styles come from here alone, forms go here alone, and no other page may frame these.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    /// The address.
    pub address: IpAddr,
    /// The browser speaks HTTPS.
    pub https: bool,
    /// It surely comes from this machine.
    pub here: bool,
}

impl Visitor {
    /// Reads it from the connection and, where the connection is one of a trusted proxy, from what that one says.
    pub fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let forwarded = ["x-forwarded-for", "forwarded", "x-real-ip"]
            .iter()
            .any(|name| headers.contains_key(*name));
        if !trusted.contains(&peer) {
            // A proxy that nobody told us of hides who is behind it.
            let here = peer.is_loopback() && !forwarded;
            return Visitor {
                address: peer,
                https: false,
                here,
            };
        }
        let https = text("x-forwarded-proto").is_some_and(|proto| proto.trim() == "https");
        // The last address that is not one of our proxies: what stands before it, anybody may have written.
        let addresses = text("x-forwarded-for").unwrap_or_default().split(',');
        let address = addresses
            .filter_map(|text| text.trim().parse::<IpAddr>().ok())
            .rfind(|address| !trusted.contains(address));
        Visitor {
            address: address.unwrap_or(peer),
            https,
            here: match address {
                Some(address) => address.is_loopback(),
                None => peer.is_loopback() && !forwarded,
            },
        }
    }
}

/// Whether the request names this machine as its host: a page of someone else's that was made to lead here does not.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = host.unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_matches(['[', ']']);
    name == "localhost"
        || name
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Lets a request pass when it may, tells the pages where it comes from, and sets the headers that every answer has.
pub async fn guard(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    let present = desk.present();
    let visitor = Visitor::of(peer, request.headers(), &present.config.hub.trusted_proxies);
    request.extensions_mut().insert(visitor);
    let language = wording::language_of(request.headers());
    let local = visitor.here && names_this_machine(request.headers());
    let mut response = match desk.store().has_people().await {
        Ok(false) if !local => Refusal::new(Code::NoUserYet).say(language),
        Ok(_) => next.run(request).await,
        Err(error) => Refusal::from(error).say(language),
    }
    .into_response();
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if visitor.https {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let told = headers(&[
            ("x-forwarded-for", "127.0.0.1, 198.51.100.7, 10.0.0.9"),
            ("x-forwarded-proto", "https"),
        ]);
        let trusted = [ip("127.0.0.1"), ip("10.0.0.9")];
        let visitor = Visitor::of(ip("127.0.0.1"), &told, &trusted);
        assert_eq!(visitor.address, ip("198.51.100.7"));
        assert!(visitor.https && !visitor.here);
        // From anybody else the same words are worth nothing.
        let visitor = Visitor::of(ip("203.0.113.5"), &told, &trusted);
        assert_eq!(visitor.address, ip("203.0.113.5"));
        assert!(!visitor.https && !visitor.here);
    }

    #[test]
    fn a_proxy_on_this_machine_that_nobody_named_does_not_make_everyone_local() {
        let told = headers(&[("x-forwarded-for", "198.51.100.7")]);
        assert!(!Visitor::of(ip("127.0.0.1"), &told, &[]).here);
        assert!(Visitor::of(ip("127.0.0.1"), &headers(&[]), &[]).here);
        assert!(Visitor::of(ip("::1"), &headers(&[]), &[]).here);
        assert!(!Visitor::of(ip("192.0.2.4"), &headers(&[]), &[]).here);
        // A trusted proxy that says nothing of whom it speaks for.
        let trusted = [ip("127.0.0.1")];
        assert!(!Visitor::of(ip("127.0.0.1"), &told, &trusted).here);
        assert!(Visitor::of(ip("127.0.0.1"), &headers(&[]), &trusted).here);
    }

    #[test]
    fn a_foreign_name_is_not_this_machine() {
        for here in ["localhost", "127.0.0.1:8080", "[::1]:8080", "localhost:1"] {
            assert!(names_this_machine(&headers(&[("host", here)])), "{here}");
        }
        for there in ["shop.example.com", "127.0.0.1.example.com:8080", ""] {
            assert!(!names_this_machine(&headers(&[("host", there)])), "{there}");
        }
    }
}
