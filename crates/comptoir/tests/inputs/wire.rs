//! Requests to the hub, byte by byte: what a sloppy or hostile sender does, no proper client would.

use comptoir_sim::hooks::hook_signature;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The status and the body of an answer.
pub type Answer = (u16, String);

/// A connection to the hub.
pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the hub listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a limit");
    stream
}

/// The head of a webhook with a body of so many bytes.
pub fn head(path: &str, headers: &[(&str, &str)], length: usize) -> String {
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: hub.example.test\r\nconnection: close\r\ncontent-length: {length}\r\n"
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

/// What comes back until the end of the connection.
pub fn answer(mut stream: TcpStream) -> Answer {
    let mut text = Vec::new();
    // Whoever has sent more than was read is cut off after the answer.
    stream.read_to_end(&mut text).ok();
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (
        status.unwrap_or_else(|| panic!("no answer: `{text}`")),
        body.trim().to_owned(),
    )
}

/// Posts a body with headers.
pub fn post(address: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = connect(address);
    let head = head(path, headers, body.len());
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(body).ok();
    answer(stream)
}

/// Asks for a page.
pub fn get(address: &str, path: &str) -> Answer {
    let mut stream = connect(address);
    let text =
        format!("GET {path} HTTP/1.1\r\nhost: hub.example.test\r\nconnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).expect("sent");
    answer(stream)
}

/// Posts a delivery of the shop about an order, signed with a secret.
pub fn deliver(address: &str, secret: &str, body: &str) -> Answer {
    let signature = hook_signature(secret, body.as_bytes());
    let headers = [
        ("content-type", "application/json"),
        ("x-wc-webhook-topic", "order.updated"),
        ("x-wc-webhook-delivery-id", "5d2f0c3a"),
        ("x-wc-webhook-signature", signature.as_str()),
    ];
    post(address, "/hooks/shop", &headers, body.as_bytes())
}
