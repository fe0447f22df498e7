//! The hub under test: the real binary in a workspace that the suite writes.

use crate::Servers;
use crate::erp::Books;
use crate::shop::{self, sku};
use crate::traps::{PAYMENT, SHIPPING};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A workspace, and the process that serves it.
pub struct Hub<'a> {
    shop: &'a shop::Address,
    /// The hub's key in the ERP.
    erp_key: String,
    patience: Duration,
    folder: tempfile::TempDir,
    serving: Option<Child>,
}

/// Login and key of the hub in the ERP.
fn hub_user(servers: &Servers) -> (&str, &str) {
    match &servers.hub {
        Some((login, key)) => (login, key),
        None => (&servers.erp.login, &servers.erp.key),
    }
}

/// What a workspace is made of.
pub struct Plan<'a> {
    /// Name of the shop's connection: it begins every origin and every key.
    pub connection: &'a str,
    pub run: &'a str,
    /// Older orders of the shop are left alone.
    pub start: &'a str,
    pub confirm: &'a str,
    pub books: &'a Books,
}

impl<'a> Hub<'a> {
    /// Writes the workspace.
    pub fn new(servers: &'a Servers, plan: &Plan<'_>) -> Hub<'a> {
        let hub = Hub::between(&servers.shop, hub_user(servers).1, servers.patience);
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        hub.write(
            "comptoir.toml",
            "store = \"sqlite:comptoir.db\"\nidle_ms = 200\n",
        );
        hub.write_shop(plan.connection);
        let mut erp = format!(
            "connector = \"odoo\"\nurl = {}\ndatabase = {}\nlogin = {}\nkey = \"${{LIVE_ERP_KEY}}\"\n",
            quoted(&servers.erp.url),
            quoted(&servers.erp.database),
            quoted(hub_user(servers).0)
        );
        if let Some(seconds) = servers.settle_seconds {
            erp.push_str(&format!("settle_seconds = {seconds}\n"));
        }
        hub.write("connections/erp.toml", &erp);
        let product = |name: &str| quoted(&sku(plan.run, name));
        let flow = format!(
            "from = \"{}\"\nto = \"erp\"\nmode = \"live\"\nstart = \"{}Z\"\nevery_ms = 1000\n\n[policy]\nconfirm = \"{}\"\n\n[policy.products]\nfee = {}\nrounding = {}\nwithout_sku = {}\n",
            plan.connection,
            plan.start,
            plan.confirm,
            product("FEE"),
            product("ROUNDING"),
            product("NOSKU")
        );
        hub.write("flows/orders.toml", &flow);
        let taxes = plan.books.taxes.iter();
        hub.table(
            "taxes",
            taxes.map(|(code, id)| (code.as_str(), id.to_string())),
        );
        hub.table("payment_methods", [(PAYMENT, "Live card".to_owned())]);
        hub.table("shipping_methods", [(SHIPPING, sku(plan.run, "SHIP"))]);
        let lists = plan.books.price_lists.iter();
        hub.table(
            "price_lists",
            lists.map(|(code, id)| (code.as_str(), id.to_string())),
        );
        hub
    }

    /// An empty workspace for a shop and an ERP.
    pub fn between(shop: &'a shop::Address, erp_key: &str, patience: Duration) -> Hub<'a> {
        Hub {
            shop,
            erp_key: erp_key.to_owned(),
            patience,
            folder: tempfile::tempdir().unwrap(),
            serving: None,
        }
    }

    /// Writes the shop's connection.
    pub fn write_shop(&self, connection: &str) {
        let url = toml::Value::String(self.shop.url.clone());
        let shop = format!(
            "connector = \"woocommerce\"\nurl = {url}\nkey = \"${{LIVE_SHOP_KEY}}\"\nsecret = \"${{LIVE_SHOP_SECRET}}\"\n"
        );
        self.write(&format!("connections/{connection}.toml"), &shop);
    }

    /// Writes a file of the workspace.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes a look-up table.
    pub fn table<'r>(&self, name: &str, rows: impl IntoIterator<Item = (&'r str, String)>) {
        let rows = rows
            .into_iter()
            .map(|(from, to)| format!("\"{from}\",\"{to}\"\n"));
        let text: String = std::iter::once("from,to\n".to_owned())
            .chain(rows)
            .collect();
        self.write(&format!("tables/{name}.csv"), &text);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
        command
            .arg("--workspace")
            .arg(self.folder.path())
            .args(arguments)
            .env("LIVE_SHOP_KEY", &self.shop.key)
            .env("LIVE_SHOP_SECRET", &self.shop.secret)
            .env("LIVE_ERP_KEY", &self.erp_key)
            .env("LANG", "C")
            .stdin(Stdio::null());
        command
    }

    /// Starts serving.
    pub fn start(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .unwrap();
        let mut command = self.command(&["-v", "serve", "--listen", "127.0.0.1:0"]);
        command.stdout(Stdio::null()).stderr(log);
        self.serving = Some(command.spawn().unwrap());
    }

    fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("serve.log")
    }

    /// The power fails: the process is gone at once.
    pub fn kill(&mut self) {
        let mut serving = self.serving.take().unwrap();
        serving.kill().unwrap();
        serving.wait().unwrap();
    }

    /// Ends it as a service manager would, and expects it to end well.
    pub async fn stop(&mut self) {
        let mut serving = self.serving.take().unwrap();
        let told = Command::new("kill").arg(serving.id().to_string()).status();
        assert!(told.unwrap().success());
        let deadline = Instant::now() + Duration::from_secs(60);
        let ended = loop {
            if let Some(ended) = serving.try_wait().unwrap() {
                break ended;
            }
            assert!(Instant::now() < deadline, "the hub does not stop");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert!(
            ended.success(),
            "the hub ended with {ended}: {}",
            self.last_words()
        );
    }

    /// The end of the log, for whoever reads a failure.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// A command's answer as JSON.
    pub fn ask(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let output = self.command(&all).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Waits until at least so many orders were seen and nothing is left to do.
    pub async fn settle(&self, seen: usize) {
        let deadline = Instant::now() + self.patience;
        let mut quiet = 0;
        while quiet < 2 {
            let status = self.ask(&["status"]);
            let orders = &status["orders"];
            let count = |name: &str| orders[name].as_u64().unwrap_or_default();
            let done = count("seen") >= seen as u64 && count("waiting") == 0;
            quiet = if done { quiet + 1 } else { 0 };
            assert!(
                Instant::now() < deadline,
                "not settled, {seen} orders expected: {status}\n{}",
                self.last_words()
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Held orders, by id, with their cause.
    pub fn held(&self) -> BTreeMap<u64, String> {
        let groups = self.ask(&["hold", "list"]);
        let mut held = BTreeMap::new();
        for group in groups.as_array().unwrap() {
            for record in group["records"].as_array().unwrap() {
                let id = record.as_str().and_then(|id| id.parse().ok());
                held.insert(id.unwrap(), group["cause"].as_str().unwrap().to_owned());
            }
        }
        held
    }

    /// State and cause of an order, as `explain` says them.
    pub fn state(&self, order: u64) -> (String, String) {
        let explained = self.ask(&["explain", "orders", &order.to_string()]);
        let text = |field: &str| explained[field].as_str().unwrap_or_default().to_owned();
        (text("state"), text("cause"))
    }
}

impl Drop for Hub<'_> {
    fn drop(&mut self) {
        if let Some(serving) = &mut self.serving {
            serving.kill().ok();
            serving.wait().ok();
        }
    }
}
