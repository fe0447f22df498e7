//! The base address of a connection: nothing outside it is ever called.

use crate::http::call::Call;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use reqwest::Url;

/// A checked base address.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    url: Url,
}

impl Base {
    /// Checks an address: http or https, a host, no user, query or fragment.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let refuse = |why: &str| Err(Fault::refused(Code::BadValue, why).at("url"));
        let Ok(mut url) = Url::parse(text.trim()) else {
            return refuse("this is no address; write it with https://");
        };
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return refuse("the address must begin with https:// or http://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("the address must not hold a user or a password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("the address must not hold `?` or `#`");
        }
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Base { url })
    }

    /// The full address of a call, without its query.
    pub(crate) fn join(&self, call: &Call) -> Result<Url, Fault> {
        let outside = || {
            Err(Fault::bug(format!(
                "the path of `{}` leads outside the connection's address",
                call.what
            )))
        };
        let path = call.path.trim_start_matches('/');
        let odd = |c: char| matches!(c, '?' | '#' | '\\') || c.is_control();
        let dots = |segment: &str| {
            let plain = segment.replace("%2e", ".").replace("%2E", ".");
            plain == "." || plain == ".."
        };
        if path.contains(odd) || path.split('/').any(dots) {
            return outside();
        }
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path()));
        if url.path().starts_with(self.url.path()) {
            Ok(url)
        } else {
            outside()
        }
    }

    /// Scheme, host and port, for messages.
    pub(crate) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether a `Location` stays with this scheme, host and port.
    pub(crate) fn is_same_site(&self, location: &str) -> bool {
        self.url
            .join(location)
            .is_ok_and(|target| target.origin() == self.url.origin())
    }

    /// Where a `Location` leads, as far as may be shown: scheme, host and port.
    pub(crate) fn shown_target(&self, location: &str) -> String {
        match self.url.join(location) {
            Ok(_) if self.is_same_site(location) => "another path of the same site".to_owned(),
            Ok(target) => target.origin().ascii_serialization(),
            Err(_) => "an address that cannot be read".to_owned(),
        }
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, as OAuth and strict servers want it.
///
/// Use it for an id that becomes part of a path.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Query parameters as they go on the wire.
pub(crate) fn encode_query(pairs: &[(String, String)]) -> String {
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(base: &str, path: &str) -> Result<String, Fault> {
        Base::parse(base)?
            .join(&Call::get("t", path))
            .map(String::from)
    }

    #[test]
    fn a_path_is_appended_to_the_base() {
        let full = join("https://shop.example/wp-json/wc/v3", "/orders/1042").unwrap();
        assert_eq!(full, "https://shop.example/wp-json/wc/v3/orders/1042");
        let accents = join("https://shop.example", "a b/é").unwrap();
        assert_eq!(accents, "https://shop.example/a%20b/%C3%A9");
    }

    #[test]
    fn nothing_outside_the_base_is_called() {
        for path in [
            "../../x",
            "a/../b",
            "%2e%2e/%2e%2e/x",
            "..\\..\\x",
            "x?a=1",
            "x#y",
        ] {
            let fault = join("https://shop.example/wp-json/wc", path).unwrap_err();
            assert_eq!(fault.code, Code::NotUnderstood, "{path}");
        }
        let tricky = join("https://shop.example/api", "//evil.example/x").unwrap();
        assert_eq!(tricky, "https://shop.example/api/evil.example/x");
    }

    #[test]
    fn an_address_with_user_query_or_other_scheme_is_refused() {
        for bad in [
            "shop.example",
            "ftp://shop.example",
            "https://u:p@shop.example",
            "https://shop.example/?a=1",
            "file:///etc/passwd",
        ] {
            assert_eq!(Base::parse(bad).unwrap_err().code, Code::BadValue, "{bad}");
        }
    }
}
