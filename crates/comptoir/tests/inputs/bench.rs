//! One case: a simulated shop and a simulated ERP, each at an address of its own, a workspace between them, and what must hold in the end.

use crate::power::{Power, free_address, runtime};
use crate::process::{Ran, Serve, program, run, wait};
use axum::Router;
use comptoir_sim::odoo::Version;
use comptoir_sim::stage::{ERP, READER, Stage, StageOptions, WEBHOOK_SECRET};
use comptoir_sim::traps::Expected;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How a case is set.
pub struct Setup {
    pub orders: usize,
    /// Orders arrive over this span once [`Bench::arrive`] is called; zero: all are there.
    pub over: Duration,
    pub erp: Version,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            orders: 20,
            over: Duration::ZERO,
            erp: Version::V19,
        }
    }
}

/// A case.
pub struct Bench {
    pub stage: Stage,
    pub shop: Power,
    pub erp: Power,
    dir: PathBuf,
    environment: BTreeMap<String, String>,
    secrets: BTreeSet<String>,
    heard: Arc<Mutex<String>>,
    beside: Option<Runtime>,
    _folder: TempDir,
}

impl Bench {
    /// A case with its workspace, both systems on.
    pub fn new(setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("workspace");
        Bench::at(setup, folder, dir)
    }

    /// A case whose workspace is this folder, somewhere inside of `folder`.
    pub fn at(setup: Setup, folder: TempDir, dir: PathBuf) -> Self {
        let (shop, erp) = (Power::new(&free_address()), Power::new(&free_address()));
        let options = StageOptions {
            seed: 7,
            orders: setup.orders,
            over: setup.over,
            faults: 0.0,
            people: false,
            erp: setup.erp,
        };
        let stage = Stage::new(options, &shop.url());
        let mut bench = Bench {
            stage,
            shop,
            erp,
            dir,
            environment: BTreeMap::new(),
            secrets: BTreeSet::from([READER.0.to_owned(), READER.1.to_owned()]),
            heard: Arc::default(),
            beside: Some(runtime()),
            _folder: folder,
        };
        bench.secret("WOO_KEY", "ck_simulated");
        bench.secret("WOO_SECRET", "cs_simulated");
        bench.secret("ODOO_KEY", "simulated-key");
        bench.secret("SHOP_WEBHOOK_SECRET", WEBHOOK_SECRET);
        bench.write_workspace();
        bench.shop_on();
        bench.erp_on();
        bench
    }

    fn write_workspace(&self) {
        let mut files = self.stage.workspace();
        for text in files.values_mut() {
            for name in ["WOO_KEY", "WOO_SECRET", "ODOO_KEY"] {
                let value = format!("\"{}\"", self.environment[name]);
                *text = text.replace(&value, &format!("\"${{{name}}}\""));
            }
        }
        if let Some(text) = files.get_mut("connections/erp.toml") {
            *text = text.replace(&self.shop.url(), &self.erp.url());
        }
        for (path, text) in files {
            self.write(&path, &text);
        }
    }

    /// The shop answers.
    pub fn shop_on(&mut self) {
        self.shop.on(self.stage.router());
    }

    /// The ERP answers.
    pub fn erp_on(&mut self) {
        let router = Router::new().nest(ERP, self.stage.erp.router());
        self.erp.on(router);
    }

    /// A variable of the program's environment.
    pub fn variable(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// A secret in its environment, which it must never show.
    pub fn secret(&mut self, name: &str, value: &str) {
        self.variable(name, value);
        self.secrets.insert(value.to_owned());
    }

    /// The folder of the workspace.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes a file of the workspace.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.dir.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// A file of the workspace.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.dir.join(path)).expect("a file")
    }

    /// Replaces a text that must be there in a file of the workspace.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "no `{from}` in {path}:\n{text}");
        self.write(path, &text.replace(from, to));
    }

    /// Adds to a file of the workspace.
    pub fn append(&self, path: &str, text: &str) {
        self.write(path, &format!("{}{text}", self.read(path)));
    }

    fn command(&self) -> Command {
        let mut command = program(&self.environment);
        command.arg("-vv").arg("--workspace").arg(&self.dir);
        command
    }

    /// Runs a command to its end, with everything on stderr that it can say.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command();
        command.args(arguments);
        let ran = run(command);
        let mut heard = self.heard.lock().expect("what was heard");
        heard.push_str(&ran.out);
        heard.push_str(&ran.err);
        drop(heard);
        ran
    }

    /// Runs a command that must end well.
    pub fn does(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran
    }

    /// Starts `serve`.
    pub fn serve(&self) -> Serve {
        Serve::start(self.command(), &[], self.heard.clone())
    }

    /// Starts `serve --watch`.
    pub fn watch(&self) -> Serve {
        Serve::start(self.command(), &["--watch"], self.heard.clone())
    }

    /// Where everything stands.
    pub fn status(&self) -> Value {
        self.does(&["--json", "status"]).json()
    }

    /// Why a connection is paused.
    pub fn pause(&self, connection: &str) -> Option<String> {
        let status = self.status();
        let rows = status["connections"].as_array().expect("connections");
        let row = rows.iter().find(|row| row["name"] == connection)?;
        row["pause_cause"].as_str().map(str::to_owned)
    }

    /// Waits until a connection is paused with this code; answers the words.
    pub fn paused(&self, connection: &str, code: &str) -> String {
        crate::process::has_page(code);
        let paused = wait(code, Duration::from_secs(20), || {
            self.pause(connection)
                .is_some_and(|cause| cause.starts_with(code))
        });
        let status = self.status();
        assert!(paused, "no {code}: {status:#}");
        let people = self.does(&["status"]);
        people.says(&["paused", code]);
        self.pause(connection).unwrap_or_default()
    }

    /// What `check` found of a code: its subject, words and way out.
    pub fn check(&self, code: &str) -> Vec<[String; 3]> {
        let ran = self.run(&["--json", "check"]);
        ran.told(1, code);
        self.run(&["check"]).told(1, code);
        let report = ran.json();
        let fixes = report["fixes"].as_array().expect("a list");
        let text = |fix: &Value, field: &str| fix[field].as_str().unwrap_or_default().to_owned();
        fixes
            .iter()
            .filter(|fix| text(fix, "code") == code)
            .map(|fix| ["subject", "what", "fix"].map(|field| text(fix, field)))
            .collect()
    }

    /// Lets the orders arrive that the shop does not have yet, while the test goes on.
    pub fn arrive(&self) {
        let stage = self.stage.clone();
        if let Some(runtime) = &self.beside {
            runtime.spawn(async move { stage.arrive().await });
        }
    }

    /// Waits until the hub has nothing to do, and every order of the shop is known to it.
    pub fn settle(&self) {
        let mut last = Value::Null;
        let settled = wait("everything settles", Duration::from_secs(60), || {
            last = self.status()["orders"].clone();
            let all = self.stage.shop.orders().len() as u64;
            self.stage.shop.waiting() == 0 && last["waiting"] == 0 && last["seen"] == all
        });
        assert!(settled, "{last:#}\n{}", self.run(&["status"]).out);
    }

    /// Both sides agree: nothing lost, nothing doubled, every cent there, and held is what the shop's orders must be held for.
    pub fn agree(&self) {
        self.agree_after(&[]);
    }

    /// The same once people have put some causes right, which hold nothing any more.
    pub fn agree_after(&self, put_right: &[&str]) {
        let mut wrong = Vec::new();
        // A start and a new revision decide again what is held.
        let agree = wait("both sides agree", Duration::from_secs(30), || {
            wrong = self.wrong(put_right);
            wrong.is_empty()
        });
        assert!(agree, "{wrong:#?}\n{:#?}", self.stage.report());
    }

    /// What does not agree, in words.
    fn wrong(&self, put_right: &[&str]) -> Vec<String> {
        let report = self.stage.report();
        let counts = [
            ("missing", report.orders.missing),
            ("doubled", report.orders.doubled),
            ("customers doubled", report.customers.doubled),
            ("violations", report.order_violations),
        ];
        let mut wrong: Vec<String> = counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        if put_right.is_empty() {
            wrong.extend(report.wrong.iter().cloned());
            if report.total.shop != report.total.erp {
                wrong.push("the sums differ".to_owned());
            }
        }
        let erp = self.stage.erp.orders();
        let booked: BTreeMap<&str, _> = erp
            .iter()
            .map(|order| (order.client_order_ref.as_str(), order.total))
            .collect();
        let mut planted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for order in self.stage.shop.orders() {
            let there = booked.get(order.number.as_str());
            if there.is_some_and(|total| *total != order.total) {
                wrong.push(format!("order {} has another total", order.number));
            }
            let Expected::Held(cause) = order.expected else {
                continue;
            };
            let right = put_right.contains(&cause.as_str());
            if there.is_some() != right {
                wrong.push(format!("order {} of {cause}: {there:?}", order.number));
            }
            if !right {
                let ids = planted.entry(cause).or_default();
                ids.insert(order.id.to_string());
            }
        }
        let held = self.held();
        if held != planted {
            wrong.push(format!("held {held:?}, planted {planted:?}"));
        }
        wrong
    }

    /// Held orders by cause.
    pub fn held(&self) -> BTreeMap<String, BTreeSet<String>> {
        let list = self.does(&["--json", "hold", "list"]).json();
        let groups = list.as_array().expect("a list").iter();
        groups
            .map(|group| {
                let cause = group["cause"].as_str().expect("a cause").to_owned();
                let records = group["records"].as_array().expect("records").iter();
                let ids = records.filter_map(|id| id.as_str().map(str::to_owned));
                (cause, ids.collect())
            })
            .collect()
    }

    /// Orders in the ERP.
    pub fn booked(&self) -> usize {
        self.stage.erp.orders().len()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(beside) = self.beside.take() {
            beside.shutdown_background();
        }
        if std::thread::panicking() {
            return;
        }
        let heard = self.heard.lock().expect("what was heard");
        assert!(!heard.is_empty());
        for secret in &self.secrets {
            let shown = heard.lines().find(|line| line.contains(secret.as_str()));
            assert!(shown.is_none(), "a secret was shown: {shown:?}");
        }
    }
}
