//! The program as processes: the simulators, the hub, and the commands that people type beside it.

use comptoir_sim::stage::Report;
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_comptoir");
/// Longer than anything that is asked of the simulators takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that does not outlive its test.
struct Process(Child);

impl Process {
    fn kill(&mut self) {
        self.0.kill().expect("a process of our own can be killed");
        self.0.wait().expect("a killed process ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What the simulators are told.
pub struct Weather {
    pub orders: usize,
    pub over: u64,
    pub seed: u64,
    /// Faults on the wires, and people at work on both sides.
    pub rough: bool,
}

/// The simulated shop and the simulated ERP.
pub struct Sim {
    process: Mutex<Process>,
    address: String,
}

impl Sim {
    /// Starts them; they write the workspace.
    pub fn start(workspace: &Path, weather: &Weather, hub: &str) -> Self {
        let mut command = Command::new(PROGRAM);
        command
            .args(["sim", "--json", "--listen", "127.0.0.1:0", "--hub", hub])
            .args(["--orders", &weather.orders.to_string()])
            .args(["--over", &weather.over.to_string()])
            .args(["--seed", &weather.seed.to_string()])
            .arg("--workspace")
            .arg(workspace)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log(workspace, "sim.log"));
        if weather.rough {
            command.args(["--faults", "--people"]);
        }
        let mut process = Process(command.spawn().expect("the simulators start"));
        let stdout = process.0.stdout.take().expect("its output is a pipe");
        let mut said = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>();
        let said = said.next().expect("the simulators say where they listen");
        let said = said.expect("in JSON");
        let address = said["listening"].as_str().expect("an address");
        Sim {
            process: Mutex::new(process),
            address: address.trim_start_matches("http://").to_owned(),
        }
    }

    /// What both sides hold.
    pub fn report(&self) -> Report {
        let (status, body) = self.ask("GET", "/__sim/report");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("a report")
    }

    /// No faults any more.
    pub fn quiet(&self) {
        assert_eq!(self.ask("POST", "/__sim/quiet").0, 200);
    }

    /// Waits until the ERP has done a write and keeps its answer back. False when no write came for some seconds.
    pub fn withhold(&self) -> bool {
        self.ask("POST", "/__sim/withhold").0 == 200
    }

    fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let mut wire = TcpStream::connect(&self.address).unwrap_or_else(|error| {
            let ended = self.process.lock().unwrap().0.try_wait().unwrap();
            panic!("the simulators do not listen: {error}; ended: {ended:?}")
        });
        wire.set_read_timeout(Some(PATIENCE)).unwrap();
        let address = &self.address;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        wire.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        wire.read_to_string(&mut answer).expect("a whole answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        (status.expect("a status"), body.to_owned())
    }
}

/// A running `comptoir serve`.
pub struct Hub(Process);

impl Hub {
    /// Starts it. It listens a moment later.
    pub fn start(workspace: &Path, port: u16) -> Self {
        let process = Command::new(PROGRAM)
            .args(["serve", "-v", "--listen", &format!("127.0.0.1:{port}")])
            .arg("--workspace")
            .arg(workspace)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log(workspace, "serve.log"))
            .spawn()
            .expect("the hub starts");
        Hub(Process(process))
    }

    /// SIGKILL. A hub that had ended by itself fails the test.
    pub fn kill(mut self, workspace: &Path) {
        self.still_runs(workspace);
        self.0.kill();
    }

    /// Nothing but SIGKILL ends a hub here.
    pub fn still_runs(&mut self, workspace: &Path) {
        if let Some(status) = self.0.0.try_wait().unwrap() {
            panic!(
                "the hub ended by itself ({status}):\n{}",
                log_end(workspace)
            );
        }
    }
}

/// A port of the loopback address that is free, below those that the system gives out by itself: a hub that starts again must
/// find it free still.
pub fn free_port() -> u16 {
    (0..200)
        .map(|_| 20_000 + rand::random::<u16>() % 12_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

/// A command beside the running hub, and its answer.
pub fn comptoir(workspace: &Path, arguments: &[&str]) -> Value {
    let run = Command::new(PROGRAM)
        .args(arguments)
        .arg("--json")
        .arg("--workspace")
        .arg(workspace)
        .env("LANG", "C")
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "comptoir {arguments:?}: {said}");
    serde_json::from_slice(&run.stdout).unwrap_or(Value::Null)
}

/// The last lines that the hub logged.
pub fn log_end(workspace: &Path) -> String {
    let text = std::fs::read_to_string(workspace.join("serve.log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

fn log(workspace: &Path, name: &str) -> File {
    File::options()
        .create(true)
        .append(true)
        .open(workspace.join(name))
        .expect("a log file")
}
