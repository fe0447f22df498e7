//! The program: commands that end, and `serve` that runs on.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Its stdout as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It ended with this exit code and named this error code, whose page exists.
    pub fn told(&self, exit: i32, code: &str) -> &Self {
        assert_eq!(self.code, exit, "{self:?}");
        let all = format!("{}{}", self.out, self.err);
        assert!(all.contains(code), "no {code} in {self:?}");
        has_page(code);
        self
    }

    /// It said each of these.
    pub fn says(&self, parts: &[&str]) -> &Self {
        let all = format!("{}{}", self.out, self.err);
        for part in parts {
            assert!(all.contains(part), "no `{part}` in {self:?}");
        }
        self
    }
}

/// Every code has its page.
pub fn has_page(code: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/errors/{code}.md"));
    let text = std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{code}: {error}"));
    assert!(text.starts_with(&format!("# {code}: ")), "{code}");
}

/// Waits until something is so.
pub fn wait(what: &str, longest: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + longest;
    let mut pause = Duration::from_millis(10);
    while !is_so() {
        if Instant::now() > until {
            eprintln!("waited in vain: {what}");
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(200));
    }
    true
}

/// The program with an environment of its own.
pub fn program(environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command.env_clear().envs(environment).stdin(Stdio::null());
    command
}

/// Runs a command to its end, which must come.
pub fn run(mut command: Command) -> Ran {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let pid = child.id();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let out = std::thread::spawn(move || read_all(out));
    let err = std::thread::spawn(move || read_all(err));
    let mut status = None;
    let ended = wait("the command ends", Duration::from_secs(60), || {
        status = child.try_wait().expect("its state");
        status.is_some()
    });
    if !ended {
        child.kill().ok();
    }
    let ran = Ran {
        code: status.and_then(|status| status.code()).unwrap_or(-1),
        out: out.join().expect("its stdout"),
        err: err.join().expect("its stderr"),
    };
    assert!(ended, "{pid} {command:?} did not end: {ran:?}");
    ran
}

fn read_all(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        stream.read_to_end(&mut bytes).ok();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A running `serve`.
pub struct Serve {
    child: Child,
    log: Arc<Mutex<String>>,
    heard: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Serve {
    /// Starts it; `heard` gets what it said when it ends.
    pub fn start(mut command: Command, options: &[&str], heard: Arc<Mutex<String>>) -> Self {
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let log = Arc::new(Mutex::new(String::new()));
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stderr.take().expect("its stderr")),
            Box::new(child.stdout.take().expect("its stdout")),
        ];
        let readers = streams.map(|stream| {
            let log = log.clone();
            std::thread::spawn(move || read_on(stream, &log))
        });
        let serve = Serve {
            child,
            log,
            heard,
            readers: readers.into(),
        };
        let listening = wait("serve listens", Duration::from_secs(20), || {
            serve.log().contains("listening on http://") || serve.log().contains("l'écoute sur")
        });
        assert!(listening, "{}", serve.log());
        serve
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        let log = self.log();
        let (_, rest) = log.split_once("http://").expect("its address");
        rest.split_whitespace().next().expect("a port").to_owned()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// It runs.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Waits until it said something.
    pub fn hear(&self, part: &str) {
        let heard = wait(part, Duration::from_secs(20), || self.log().contains(part));
        assert!(heard, "no `{part}` in\n{}", self.log());
    }

    /// Asks it to stop, as a service manager does; it must end well.
    pub fn stop(mut self) {
        let told = Command::new("kill").arg(self.pid().to_string()).status();
        assert!(told.is_ok_and(|status| status.success()), "kill");
        let ended = wait("serve stops", Duration::from_secs(20), || !self.lives());
        assert!(ended, "{}", self.log());
        let status = self.child.wait().expect("its end");
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        for reader in self.readers.drain(..) {
            reader.join().ok();
        }
        let log = self.log();
        if std::thread::panicking() {
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains("DEBUG")).collect();
            let tail = &lines[lines.len().saturating_sub(40)..];
            eprintln!("the end of serve's log:\n{}", tail.join("\n"));
        }
        self.heard.lock().expect("what was heard").push_str(&log);
    }
}

fn read_on(stream: impl Read, log: &Mutex<String>) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let mut log = log.lock().expect("the log");
        log.push_str(&line);
        log.push('\n');
    }
}
