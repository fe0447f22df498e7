//! The processes of a run, what they cost, and the mock's controls.

use crate::mock::{Books, Counts, Knobs};
use crate::shelf::Moved;
use crate::wire;
use anyhow::{Context, Result, bail};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The secret that webhooks are signed with.
pub const SECRET: &str = "bench-webhook-secret";

/// A child process, killed when it is dropped.
pub struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Result<Self> {
        Ok(Process(command.stdin(Stdio::null()).spawn()?))
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Asks it to end, and waits.
    pub fn stop(&mut self) -> Result<()> {
        Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status()?;
        let until = Instant::now() + Duration::from_secs(15);
        while self.0.try_wait()?.is_none() {
            if Instant::now() > until {
                self.kill();
                bail!("the process did not end by itself");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// The first line that it says.
    fn first_line(&mut self) -> Result<String> {
        let out = self.0.stdout.take().context("no stdout")?;
        let mut text = String::new();
        BufReader::new(out).read_line(&mut text)?;
        if text.is_empty() {
            bail!("the process ended before it said anything");
        }
        Ok(text.trim().to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// CPU seconds, user and system.
    pub cpu: f64,
    /// Memory now, in MiB.
    pub rss: f64,
    /// Memory at most, in MiB.
    pub peak: f64,
    /// Bytes given to the disk.
    pub written: f64,
}

/// Reads what a process has used. None of the contenders starts others.
pub fn usage(pid: u32) -> Result<Usage> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, after_name) = stat.rsplit_once(") ").context("an odd /proc/PID/stat")?;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks = |at: usize| -> Result<f64> {
        Ok(fields.get(at).context("an odd /proc/PID/stat")?.parse()?)
    };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or_default() / 1024.0
    };
    let io = std::fs::read_to_string(format!("/proc/{pid}/io"))?;
    let written = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(Usage {
        // User and system time, in hundredths of a second on every Linux there is.
        cpu: (ticks(11)? + ticks(12)?) / 100.0,
        rss: mib("VmRSS:"),
        peak: mib("VmHWM:"),
        written: written
            .and_then(|bytes| bytes.parse().ok())
            .unwrap_or_default(),
    })
}

/// The load average of the last minute.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next().unwrap_or_default();
    first.parse().unwrap_or_default()
}

/// A running mock.
pub struct Mock {
    process: Process,
    /// Its `host:port`.
    pub address: String,
    line: wire::Line,
}

impl Mock {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = Process::start(command.arg("mock").stdout(Stdio::piped()))?;
        let address = process.first_line()?;
        let line = wire::Line::new(&address);
        Ok(Mock {
            process,
            address,
            line,
        })
    }

    /// CPU seconds it has used.
    pub fn cpu(&self) -> Result<f64> {
        Ok(usage(self.process.pid())?.cpu)
    }

    /// Sets everything that can be set.
    pub async fn set(&mut self, knobs: Knobs) -> Result<()> {
        let body = serde_json::to_string(&knobs)?;
        let request = format!(
            "POST /_bench/knobs HTTP/1.1\r\nhost: mock\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (status, _) = self.line.send(request.as_bytes()).await?;
        if status != 200 {
            bail!("the mock refused its settings");
        }
        Ok(())
    }

    /// Forgets the counts of calls.
    pub async fn forget(&mut self) -> Result<()> {
        self.line.get("/_bench/forget").await?;
        Ok(())
    }

    /// Counts.
    pub async fn counts(&mut self) -> Result<Counts> {
        let (_, body) = self.line.get("/_bench/counts").await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// What happened to stock, with every item compared.
    pub async fn shelf(&mut self) -> Result<Moved> {
        let (_, body) = self.line.get("/_bench/shelf").await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Everything in the ERP.
    pub async fn books(&mut self) -> Result<Books> {
        let (_, body) = self.line.get("/_bench/books").await?;
        Ok(serde_json::from_slice(&body)?)
    }
}

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// The naive loop.
    Bare,
    /// `comptoir serve`.
    Comptoir,
}

impl Contender {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Contender::Bare => "bare loop",
            Contender::Comptoir => "Comptoir",
        }
    }
}

/// Starts the bare loop. Answers its `host:port` when it listens.
pub fn start_bare(mock: &Mock, backfill: bool) -> Result<(Process, String)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bare", "--mock", &mock.address, "--secret", SECRET]);
    if backfill {
        command.arg("--backfill");
        return Ok((Process::start(&mut command)?, String::new()));
    }
    let mut process = Process::start(command.stdout(Stdio::piped()))?;
    let address = process.first_line()?;
    Ok((process, address))
}

/// Starts the bare loop of flow C with what it wrote down the last time.
pub fn start_bare_stock(mock: &Mock, snapshot: &Path) -> Result<Process> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bare-stock", "--mock", &mock.address, "--snapshot"]);
    Process::start(command.arg(snapshot))
}

/// Starts `comptoir serve` on a workspace, without waiting for anything. Its standard error goes to a file in the workspace.
pub fn start_comptoir(dir: &Path, listen: &str) -> Result<Process> {
    let errors = std::fs::File::options()
        .create(true)
        .append(true)
        .open(dir.join("serve.log"))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command
        .args(["serve", "--listen", listen, "--workspace"])
        .arg(dir)
        .env("SHOP_WEBHOOK_SECRET", SECRET)
        .env("COMPTOIR_LOG", "warn")
        .stdout(Stdio::null())
        .stderr(errors);
    Process::start(&mut command)
}

/// A port that nobody listens on now.
pub fn free_address() -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.to_string())
}
