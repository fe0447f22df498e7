//! HTTP/1.1 as far as the mock servers and the senders need it: little, so that it costs little. Both ends are ours.

use anyhow::{Context, Result, bail};
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a request is answered with.
pub enum Reply {
    /// Status, headers with their line ends, body.
    Answer(u16, String, Vec<u8>),
    /// The connection is cut with a reset.
    Reset,
}

impl Reply {
    /// A success with JSON.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Reply::Answer(200, String::new(), body.into())
    }
}

/// Something that answers requests.
pub trait Service: 'static {
    /// Answers one request: method, path with query, body.
    async fn answer(&self, method: &str, target: &str, body: &[u8]) -> Reply;
}

/// Serves connections on the current thread for ever. Needs a `LocalSet`.
pub async fn serve(listener: TcpListener, service: Rc<impl Service>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service.clone();
        tokio::task::spawn_local(async move {
            // A client that hangs up ends its connection only.
            let _ = connection(stream, service).await;
        });
    }
}

async fn connection(mut stream: TcpStream, service: Rc<impl Service>) -> Result<()> {
    let mut buffer: Vec<u8> = Vec::with_capacity(16 * 1024);
    let mut out: Vec<u8> = Vec::with_capacity(16 * 1024);
    loop {
        let Some(head) = read_head(&mut stream, &mut buffer).await? else {
            return Ok(());
        };
        let (method, target, length) = parse_request(&buffer[..head])?;
        let end = head + length;
        while buffer.len() < end {
            fill(&mut stream, &mut buffer).await?;
        }
        let reply = service.answer(&method, &target, &buffer[head..end]).await;
        buffer.drain(..end);
        match reply {
            Reply::Reset => {
                stream.set_zero_linger()?;
                return Ok(());
            }
            Reply::Answer(status, headers, body) => {
                out.clear();
                let head = format!(
                    "HTTP/1.1 {status} .\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n",
                    body.len()
                );
                out.extend_from_slice(head.as_bytes());
                out.extend_from_slice(&body);
                stream.write_all(&out).await?;
            }
        }
    }
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<usize> {
    buffer.reserve(8 * 1024);
    let got = stream.read_buf(buffer).await?;
    if got == 0 {
        bail!("the other side hung up");
    }
    Ok(got)
}

/// Reads until a whole head is there; answers its length. None when the other side hung up between two requests.
async fn read_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<usize>> {
    let mut looked = 0;
    loop {
        if let Some(at) = find_end(&buffer[looked..]) {
            return Ok(Some(looked + at + 4));
        }
        looked = buffer.len().saturating_sub(3);
        buffer.reserve(8 * 1024);
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn find_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n")
}

fn parse_request(head: &[u8]) -> Result<(String, String, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head)?;
    let length = content_length(request.headers)?;
    let method = request.method.context("a request without a method")?;
    let target = request.path.context("a request without a path")?;
    Ok((method.to_owned(), target.to_owned(), length))
}

fn content_length(headers: &[httparse::Header<'_>]) -> Result<usize> {
    let found = headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"));
    match found {
        Some(header) => Ok(std::str::from_utf8(header.value)?.trim().parse()?),
        None => Ok(0),
    }
}

/// A connection that sends ready-made requests one after the other, opened again when it was cut.
pub struct Line {
    address: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Line {
    /// A line to `host:port`, not opened yet.
    pub fn new(address: &str) -> Self {
        Line {
            address: address.to_owned(),
            stream: None,
            buffer: Vec::new(),
        }
    }

    /// Sends a whole request and reads the answer: status and body.
    pub async fn send(&mut self, request: &[u8]) -> Result<(u16, Vec<u8>)> {
        let result = self.exchange(request).await;
        if result.is_err() {
            self.stream = None;
        }
        result
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, Vec<u8>)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(&self.address).await?;
                stream.set_nodelay(true)?;
                self.buffer.clear();
                none.insert(stream)
            }
        };
        stream.write_all(request).await?;
        let head = read_head(stream, &mut self.buffer).await?;
        let head = head.context("hung up without an answer")?;
        let mut headers = [httparse::EMPTY_HEADER; 48];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(&self.buffer[..head])?;
        let status = response.code.context("an answer without a status")?;
        let end = head + content_length(response.headers)?;
        while self.buffer.len() < end {
            fill(stream, &mut self.buffer).await?;
        }
        let body = self.buffer[head..end].to_vec();
        self.buffer.drain(..end);
        Ok((status, body))
    }

    /// A GET.
    pub async fn get(&mut self, target: &str) -> Result<(u16, Vec<u8>)> {
        let request = format!("GET {target} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        self.send(request.as_bytes()).await
    }
}
