//! A browser without a window: cookies, forms with the token of their page, redirects on request.

use crate::bench::Bench;
use crate::process::{Ran, Serve, program, run, wait};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A password that is taken.
pub const PASSWORD: &str = "a counter of oak and brass";

/// What came back.
#[derive(Debug, Clone)]
pub struct Got {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// It has this status.
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// It was refused with this status and code.
    pub fn refused(self, status: u16, code: &str) -> Self {
        crate::process::has_page(code);
        assert!(
            self.body.contains(code),
            "no {code}: {} {}",
            self.status,
            self.body
        );
        self.is(status)
    }

    /// It says each of these.
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.body.contains(part), "no `{part}` in {}", self.body);
        }
        self
    }
}

/// A browser.
#[derive(Debug, Clone)]
pub struct Client {
    address: String,
    pub host: String,
    pub cookies: BTreeMap<String, String>,
    /// Headers of every request.
    pub always: Vec<(String, String)>,
}

impl Client {
    pub fn new(serve: &Serve) -> Self {
        let address = serve.address();
        Client {
            host: address.clone(),
            address,
            cookies: BTreeMap::new(),
            always: Vec::new(),
        }
    }

    /// A browser whose requests carry one more header.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.always.push((name.to_owned(), value.to_owned()));
        other
    }

    fn send(&mut self, head: &str, body: &str) -> Got {
        let mut stream = TcpStream::connect(&self.address).expect("the hub listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut text = format!(
            "{head} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.host
        );
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        if !cookies.is_empty() {
            text.push_str(&format!("cookie: {}\r\n", cookies.join("; ")));
        }
        for (name, value) in &self.always {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if head.starts_with("POST") {
            let kind = "application/x-www-form-urlencoded";
            text.push_str(&format!(
                "content-type: {kind}\r\ncontent-length: {}\r\n",
                body.len()
            ));
        }
        stream
            .write_all(format!("{text}\r\n{body}").as_bytes())
            .expect("sent");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an answer");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer with a head");
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, _) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Got {
            status: status.parse().unwrap(),
            headers,
            body: body.to_owned(),
        }
    }

    pub fn get(&mut self, path: &str) -> Got {
        self.send(&format!("GET {path}"), "")
    }

    /// Sends a form as it is.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Got {
        let pairs = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        self.send(&format!("POST {path}"), &body)
    }

    /// The token that the forms of a page carry.
    pub fn token(&mut self, page: &str) -> String {
        let body = self.get(page).body;
        let mark = "name=\"form\" value=\"";
        let at = body
            .find(mark)
            .unwrap_or_else(|| panic!("no form on {page}: {body}"));
        let rest = &body[at + mark.len()..];
        rest[..rest.find('"').unwrap()].to_owned()
    }

    /// Opens a page and sends a form that is on it.
    pub fn fill(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Got {
        let token = self.token(page);
        let mut all = vec![("form", token.as_str())];
        all.extend(fields);
        self.post(action, &all)
    }

    /// Signs in.
    pub fn sign_in(&mut self, name: &str, password: &str) -> Got {
        self.fill(
            "/sign-in",
            "/sign-in",
            &[("name", name), ("password", password)],
        )
    }
}

pub fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    let bytes = text.bytes();
    bytes
        .map(|byte| {
            if plain(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// Runs a command that reads a line from stdin.
pub fn type_in(bench: &Bench, arguments: &[&str], line: &str) -> Ran {
    let path = bench.dir().join(".typed");
    std::fs::write(&path, format!("{line}\n")).expect("written");
    let mut command = program(&BTreeMap::new());
    command.arg("--workspace").arg(bench.dir()).args(arguments);
    command.stdin(std::fs::File::open(&path).expect("a file"));
    let ran = run(command);
    std::fs::remove_file(&path).expect("removed");
    ran
}

/// Adds a user by the command line; the password comes on stdin.
pub fn add_user(bench: &Bench, name: &str, role: &str) {
    let ran = type_in(bench, &["user", "add", name, "--role", role], PASSWORD);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// A signed-in browser of a user with this role, whose name is the role.
pub fn user(bench: &Bench, serve: &Serve, role: &str) -> Client {
    add_user(bench, role, role);
    let mut client = Client::new(serve);
    assert_eq!(client.sign_in(role, PASSWORD).status, 303);
    client
}

/// The one-time link that `serve` printed, without its host.
pub fn one_time_link(serve: &Serve) -> String {
    assert!(wait("the link", Duration::from_secs(10), || serve
        .log()
        .contains("/first?key=")));
    let log = serve.log();
    let at = log.find("/first?key=").unwrap();
    log[at..].split_whitespace().next().unwrap().to_owned()
}
