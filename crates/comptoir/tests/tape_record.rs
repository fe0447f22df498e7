//! `tape record` on the simulators: it reads, it never writes, and no personal datum or secret of theirs stands in any file.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use comptoir_kit::auth::{Auth, OAuth1};
use comptoir_kit::http::{Call, HttpMaker, HttpOptions};
use comptoir_sim::odoo::Version;
use comptoir_sim::stage::{READER, Stage, StageOptions};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SECRETS: [&str; 3] = ["ck_simulated", "cs_simulated", "simulated-key"];

/// A simulated shop and a simulated ERP, and a workspace.
struct Bench {
    stage: Stage,
    address: String,
    folder: TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let options = StageOptions {
            seed: 11,
            orders: 60,
            over: Duration::ZERO,
            faults: 0.0,
            people: false,
            erp: Version::V19,
        };
        let stage = Stage::new(options, &address);
        let router = stage.router();
        runtime.spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in stage.workspace() {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Bench {
            stage,
            address,
            folder,
            _runtime: runtime,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
        command
            .arg("--workspace")
            .arg(self.folder.path())
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Lets the hub fill the ERP.
    fn fill_the_erp(&self) {
        let mut hub = self
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        let filled = |stage: &Stage| stage.report().orders.erp >= 30;
        while !filled(&self.stage) {
            assert!(Instant::now() < until, "the ERP stayed empty");
            std::thread::sleep(Duration::from_millis(100));
        }
        hub.kill().unwrap();
        hub.wait().unwrap();
    }

    fn record(&self, connection: &str, more: &[&str]) -> (PathBuf, Value) {
        let into = self.folder.path().join("tapes").join(connection);
        let mut arguments = vec![
            "--json",
            "tape",
            "record",
            connection,
            "--into",
            into.to_str().unwrap(),
        ];
        arguments.extend(more);
        let ran = self.run(&arguments);
        assert!(ran.status.success(), "{ran:?}");
        (into, serde_json::from_slice(&ran.stdout).unwrap())
    }

    /// What the shop itself answers to whoever has a key.
    fn shop(&self, path: &str) -> Value {
        let (key, secret) = READER;
        let options = HttpOptions {
            auth: Auth::OAuth1(OAuth1::one_legged(key, secret.into())),
            ..HttpOptions::default()
        };
        let maker = HttpMaker::network("reader".parse().unwrap());
        let http = maker
            .open(&format!("{}/shop", self.address), options)
            .unwrap();
        let call = Call::get("read", format!("wp-json/wc/v3/{path}")).query("per_page", 100);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(http.send(call)).unwrap().json().unwrap()
    }
}

/// Everything that tells who a person of the shop is, by the shop's own names of its fields.
fn personal(value: &Value, found: &mut BTreeSet<String>) {
    const FIELDS: [&str; 12] = [
        "first_name",
        "last_name",
        "company",
        "address_1",
        "address_2",
        "email",
        "phone",
        "customer_note",
        "order_key",
        "username",
        "avatar_url",
        "customer_ip_address",
    ];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    // Shorter ones stand in other words too.
                    Some(text) if FIELDS.contains(&name.as_str()) && text.len() >= 5 => {
                        found.insert(text.to_owned());
                    }
                    _ => personal(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| personal(item, found)),
        _ => {}
    }
}

/// What tapes hold, without their JSON: the texts of bodies once more by themselves, so that an escaped letter hides nothing.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let tape: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let mut text = String::new();
        said(&tape, &mut text);
        texts.push((
            path.file_name().unwrap().to_string_lossy().into_owned(),
            text,
        ));
    }
    texts
}

fn said(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => fields.values().for_each(|value| said(value, text)),
        Value::Array(items) => items.iter().for_each(|value| said(value, text)),
        Value::String(inner) => match serde_json::from_str::<Value>(inner) {
            Ok(inner) if inner.is_object() || inner.is_array() => said(&inner, text),
            _ => text.push_str(&format!("{inner}\n")),
        },
        other => text.push_str(&format!("{other}\n")),
    }
}

fn nothing_survives(folder: &Path, planted: &BTreeSet<String>, address: &str) {
    let host = address.strip_prefix("http://").unwrap();
    let mut left = Vec::new();
    for (file, text) in texts(folder) {
        let whole = |gone: &str| {
            let part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            text.match_indices(gone).any(|(at, _)| {
                !part(text[..at].chars().next_back())
                    && !part(text[at + gone.len()..].chars().next())
            })
        };
        let planted = planted
            .iter()
            .map(String::as_str)
            .filter(|gone| whole(gone));
        let secrets = SECRETS
            .into_iter()
            .chain([host])
            .filter(|gone| text.contains(gone));
        left.extend(planted.chain(secrets).map(|gone| format!("{file}: {gone}")));
    }
    assert!(left.is_empty(), "{} left:\n{}", left.len(), left.join("\n"));
}

#[test]
fn nothing_personal_and_no_secret_of_a_live_session_is_in_a_tape() {
    let bench = Bench::new();
    let mut planted = BTreeSet::new();
    for path in ["orders", "customers"] {
        personal(&bench.shop(path), &mut planted);
    }
    assert!(planted.len() > 150, "{} planted", planted.len());
    let (shop, report) = bench.record("shop", &["--pages", "3"]);
    assert!(report["files"].as_array().unwrap().len() >= 8, "{report}");
    for what in ["secret", "email", "name", "address", "phone", "network"] {
        assert!(
            report["replaced"][what].as_u64().unwrap_or(0) > 0,
            "{what}: {report}"
        );
    }
    nothing_survives(&shop, &planted, &bench.address);
    bench.fill_the_erp();
    let writes = || (bench.stage.shop.writes(), bench.stage.erp.writes());
    let before = writes();
    let (erp, report) = bench.record("erp", &[]);
    let asked = report["asked"].as_array().unwrap();
    let what: Vec<&str> = asked
        .iter()
        .map(|asked| asked["what"].as_str().unwrap())
        .collect();
    assert!(
        what.contains(&"order: page 1") && what.contains(&"customer: by id"),
        "{what:?}"
    );
    nothing_survives(&erp, &planted, &bench.address);
    assert_eq!(writes(), before, "it only reads");
}

#[test]
fn the_check_finds_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let tape = serde_json::json!({"response": {"body": "{\"x\":\"for Zo\\u00e9 L.\"}"}});
    std::fs::write(folder.path().join("001.json"), tape.to_string()).unwrap();
    let planted = BTreeSet::from(["Zoé".to_owned()]);
    let found = std::panic::catch_unwind(|| nothing_survives(folder.path(), &planted, "http://h"));
    assert!(found.is_err());
}

#[test]
fn a_connection_or_kind_that_is_not_there_is_named() {
    let bench = Bench::new();
    let said = |arguments: &[&str]| {
        let ran = bench.run(arguments);
        let text = String::from_utf8(ran.stderr).unwrap();
        (ran.status.code().unwrap(), text)
    };
    let (code, text) = said(&["tape", "record", "shopp", "--into", "x"]);
    assert!(code == 3 && text.contains("did you mean `shop`"), "{text}");
    let (code, text) = said(&["tape", "record", "shop", "--into", "x", "--kind", "invoice"]);
    assert!(code == 2 && text.contains("it reads order"), "{text}");
    let (code, text) = said(&["tape", "record", "shop", "--into", "x", "--kind", "thing"]);
    assert!(code == 2 && text.contains("shipment"), "{text}");
    assert!(!Path::new("x").exists(), "a folder was made for nothing");
}
