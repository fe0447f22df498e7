//! `init` for every shop and ERP: what a new user gets is sound, fits the systems, and `check` says only what is really missing.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use comptoir_sim::dolibarr::{Dolibarr, DolibarrOptions};
use comptoir_sim::odoo::Version;
use comptoir_sim::prestashop::{Shop, ShopOptions};
use comptoir_sim::stage::{Stage, StageOptions};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const SHOPS: [&str; 2] = ["woocommerce", "prestashop"];
const ERPS: [&str; 2] = ["odoo", "dolibarr"];

/// Exit code, stdout, stderr.
struct Ran(i32, String, String);

fn comptoir(dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command
        .arg("--workspace")
        .arg(dir)
        .args(arguments)
        .env_clear();
    command
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    let ran = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran(
        ran.status.code().unwrap(),
        text(ran.stdout),
        text(ran.stderr),
    )
}

fn init(dir: &Path, shop: &str, erp: &str, more: &[&str]) -> Ran {
    let mut arguments = vec!["init", "--shop", shop, "--erp", erp];
    arguments.extend(more);
    comptoir(dir, &arguments, &[])
}

/// The simulators, each at an address of its own, and how their connections are set.
struct Systems {
    urls: Vec<(&'static str, String)>,
    _runtime: tokio::runtime::Runtime,
}

impl Systems {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = StageOptions {
            seed: 5,
            orders: 20,
            over: Duration::ZERO,
            faults: 0.0,
            people: false,
            erp: Version::V19,
        };
        let mut urls = Vec::new();
        let listen = |make: &dyn Fn(&str) -> axum::Router| {
            let listener = runtime
                .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
                .unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let router = make(&url);
            runtime.spawn(async move { axum::serve(listener, router).await });
            url
        };
        let stage = listen(&|url| Stage::new(options.clone(), url).router());
        urls.push(("woocommerce", format!("{stage}/shop")));
        urls.push(("odoo", format!("{stage}/erp")));
        urls.push((
            "prestashop",
            listen(&|_| Shop::new(ShopOptions::default()).router()),
        ));
        urls.push((
            "dolibarr",
            listen(&|_| Dolibarr::new(DolibarrOptions::default()).router()),
        ));
        Systems {
            urls,
            _runtime: runtime,
        }
    }

    fn url(&self, system: &str) -> &str {
        let found = self.urls.iter().find(|(name, _)| *name == system);
        &found.unwrap().1
    }
}

/// What each system needs beside its address.
fn needed(system: &str) -> &'static [&'static str] {
    match system {
        "prestashop" => &["--shop-setting", "time_zone=Europe/Paris"],
        "odoo" => &["--erp-database", "simulated"],
        "dolibarr" => &["--erp-setting", "currency=EUR"],
        _ => &[],
    }
}

#[test]
fn every_pair_begins_with_a_sound_workspace_and_check_says_only_what_is_really_missing() {
    let systems = Systems::new();
    let keys = [
        ("WOO_KEY", "ck_simulated".to_owned()),
        ("WOO_SECRET", "cs_simulated".to_owned()),
        ("ODOO_KEY", "simulated-key".to_owned()),
        ("PRESTASHOP_KEY", ShopOptions::default().key),
        ("DOLIBARR_KEY", DolibarrOptions::default().key),
    ];
    let keys = keys.each_ref().map(|(name, key)| (*name, key.as_str()));
    for shop in SHOPS {
        for erp in ERPS {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path();
            let mut more = vec![
                "--shop-url",
                systems.url(shop),
                "--erp-url",
                systems.url(erp),
            ];
            more.extend(needed(shop).iter().chain(needed(erp)));
            let Ran(code, _, said) = init(dir, shop, erp, &more);
            assert_eq!(code, 0, "{shop} {erp}: {said}");
            assert!(!said.contains("To fill in"), "{said}");
            assert!(
                said.contains(&format!("comptoir connector show {erp}")),
                "{said}"
            );
            let Ran(code, _, said) = comptoir(dir, &["config", "check"], &[]);
            assert_eq!(code, 0, "{shop} {erp}: {said}");
            let Ran(code, out, said) = comptoir(dir, &["--json", "check"], &keys);
            assert!(code <= 1, "{shop} {erp}: {said}");
            let report: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(
                report["connections"].as_object().unwrap().len(),
                2,
                "{report}"
            );
            for fix in report["fixes"].as_array().unwrap() {
                // Rows and products are the merchant's; so is a notice about a system. A status or a row of ours is not.
                let (code, what) = (fix["code"].as_str().unwrap(), fix["what"].as_str().unwrap());
                let ours = [
                    "CMP-0500", "CMP-0501", "CMP-0502", "CMP-0503", "CMP-0504", "CMP-0505",
                ]
                .contains(&code);
                // The recorded installation has state 9, the simulated shop has not.
                let ours = ours && what != "statuses: \"9\"";
                assert!(!ours, "{shop} {erp}: {fix}");
            }
        }
    }
}

#[test]
fn what_is_not_given_is_to_be_filled_in_and_check_names_it_with_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let Ran(code, _, said) = init(folder.path(), "prestashop", "dolibarr", &[]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "To fill in: time_zone (connections/shop.toml)",
        "To fill in: currency (connections/erp.toml)",
        "PRESTASHOP_KEY, DOLIBARR_KEY",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let Ran(code, _, said) = comptoir(folder.path(), &["check"], &[]);
    assert_eq!(code, 3, "{said}");
    for part in [
        "the setting `currency` is missing",
        "keeps its books in",
        "the secret `PRESTASHOP_KEY` is not set",
        "the setting `time_zone` is missing",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(
        said.matches("CMP-05").count(),
        5,
        "four problems and a page: {said}"
    );
    let Ran(_, _, said) = comptoir(folder.path(), &["check"], &[("LANG", "fr_FR.UTF-8")]);
    assert!(said.contains("il manque le réglage `currency`"), "{said}");
}

#[test]
fn settings_are_taken_from_the_command_line_and_secrets_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        "--erp-setting",
        "entity=3",
        "--erp-setting",
        "currency=CHF",
        "--shop-url",
        "https://a.example/\"x",
    ];
    let Ran(code, _, said) = init(folder.path(), "woocommerce", "dolibarr", &more);
    assert_eq!(code, 0, "{said}");
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).unwrap();
    let erp: toml::Table = read("connections/erp.toml").parse().unwrap();
    assert_eq!(
        (erp["entity"].as_integer(), erp["currency"].as_str()),
        (Some(3), Some("CHF"))
    );
    let shop: toml::Table = read("connections/shop.toml").parse().unwrap();
    assert_eq!(shop["url"].as_str(), Some("https://a.example/\"x"));
    let other = folder.path().join("other");
    for (more, said) in [
        (["--erp-setting", "entty=3"], "did you mean `entity`"),
        (["--erp-setting", "key=k"], "belongs into the environment"),
        (["--erp-database", "x"], "has no setting `database`"),
    ] {
        let Ran(code, _, text) = init(&other, "woocommerce", "dolibarr", &more);
        assert!(code == 3 && text.contains(said), "{text}");
    }
    for (shop, erp) in [
        ("odoo", "odoo"),
        ("woocommerce", "prestashop"),
        ("woo", "odoo"),
    ] {
        let Ran(code, _, text) = init(&other, shop, erp, &[]);
        assert!(
            code == 3 && text.contains("names no connector of this side"),
            "{text}"
        );
    }
    assert!(!other.exists(), "nothing was written");
    let Ran(code, _, text) = init(folder.path(), "woocommerce", "odoo", &[]);
    assert!(code == 3 && text.contains("already"), "{text}");
}
