//! A server on the loopback that answers as told, byte for byte where it must.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// The request line.
    pub line: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> String {
        self.line.split(' ').nth(1).unwrap_or_default().to_owned()
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers properly and keeps the connection.
    Proper(String),
    /// Answers `{}` after a while.
    Slow(Duration),
    /// Says nothing.
    Hang,
    /// Closes without a word.
    Hangup,
    /// Writes this and closes.
    Raw(&'static str),
    /// Writes this and leaves the connection open.
    RawOpen(&'static str),
    /// Answers with these bytes, said to be gzip.
    Gzip(&'static [u8]),
    /// Streams a body without end.
    Endless,
}

impl Reply {
    pub fn new(status: u16) -> Self {
        Reply::Proper(format!("HTTP/1.1 {status} X\r\n\r\n"))
    }

    pub fn header(self, name: &str, value: &str) -> Self {
        let Reply::Proper(text) = self else {
            return self;
        };
        Reply::Proper(text.replacen("\r\n\r\n", &format!("\r\n{name}: {value}\r\n\r\n"), 1))
    }

    pub fn body(self, body: &str) -> Self {
        let Reply::Proper(text) = self else {
            return self;
        };
        Reply::Proper(text + body)
    }
}

/// A running server.
pub struct Server {
    pub address: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
}

impl Server {
    pub async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let (shared, answer) = (state.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, SeqCst);
                let (state, answer) = (shared.clone(), answer.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &state, &*answer).await;
                });
            }
        });
        Server { address, state }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.requests().len()
    }

    pub fn paths(&self) -> Vec<String> {
        self.requests().iter().map(Request::path).collect()
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(SeqCst)
    }

    pub fn most_at_once(&self) -> usize {
        self.state.most.load(SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    state: &State,
    answer: &(dyn Fn(&Request) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        state.requests.lock().unwrap().push(request.clone());
        let running = state.running.fetch_add(1, SeqCst) + 1;
        state.most.fetch_max(running, SeqCst);
        let proper = match answer(&request) {
            Reply::Proper(text) => text,
            Reply::Slow(wait) => {
                tokio::time::sleep(wait).await;
                "HTTP/1.1 200 OK\r\n\r\n{}".to_owned()
            }
            Reply::Hang => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                return Ok(());
            }
            Reply::Hangup => return Ok(()),
            Reply::Raw(text) => return stream.write_all(text.as_bytes()).await,
            Reply::RawOpen(text) => {
                stream.write_all(text.as_bytes()).await?;
                tokio::time::sleep(Duration::from_secs(60)).await;
                return Ok(());
            }
            Reply::Gzip(bytes) => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                    bytes.len()
                );
                stream.write_all(head.as_bytes()).await?;
                return stream.write_all(bytes).await;
            }
            Reply::Endless => {
                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                stream.write_all(head.as_bytes()).await?;
                loop {
                    stream.write_all(b"a\r\n0123456789\r\n").await?;
                }
            }
        };
        state.running.fetch_sub(1, SeqCst);
        let (head, body) = proper.split_once("\r\n\r\n").unwrap();
        let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes()).await?;
    }
    Ok(())
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..read]);
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Ok(None);
        }
        body.extend_from_slice(&chunk[..read]);
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(Request {
        line,
        headers,
        body,
    }))
}
