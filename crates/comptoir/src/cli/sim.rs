//! `sim`: the simulators of a shop and an ERP as a process of their own, so that anyone can torment a hub that runs beside it.

use super::Context;
use crate::cli::serve::told_to_stop;
use crate::exit::{self, Failure};
use crate::{config, out, secrets};
use clap::Args;
use comptoir_sim::odoo::Version;
use comptoir_sim::stage::{self, Stage, StageOptions};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;

#[derive(Debug, Args)]
pub struct SimArguments {
    /// Where shop and ERP answer, a path each, and `GET /__sim/report`, `POST /__sim/quiet` (no faults any more) and
    /// `POST /__sim/withhold` (answers once the ERP's next write is done, whose own answer is withheld for some seconds).
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDR")]
    listen: SocketAddr,
    /// Orders of the shop.
    #[arg(long, default_value_t = 500)]
    orders: usize,
    /// The seed of everything: the same seed makes the same orders.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Faults on every wire: errors before and after the effect, cut answers, resets, restarts, lost and doubled webhooks.
    #[arg(long)]
    faults: bool,
    /// People edit, confirm, cancel and delete by hand on both sides while orders arrive.
    #[arg(long)]
    people: bool,
    /// Orders arrive over so many seconds; without it all are there at the start.
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    over: u64,
    /// The Odoo to simulate.
    #[arg(long, value_enum, default_value_t = Erp::V19)]
    erp: Erp,
    /// The address of the hub, so that webhooks reach it, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    hub: Option<String>,
}

/// How often each of the eight kinds of fault strikes, per request: one request in six meets one.
const FAULTS: f64 = 0.02;

/// Versions of Odoo that are simulated.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Erp {
    /// 16.0
    #[value(name = "16")]
    V16,
    /// 17.0
    #[value(name = "17")]
    V17,
    /// 18.0
    #[value(name = "18")]
    V18,
    /// 19.0
    #[value(name = "19")]
    V19,
}

impl From<Erp> for Version {
    fn from(erp: Erp) -> Version {
        match erp {
            Erp::V16 => Version::V16,
            Erp::V17 => Version::V17,
            Erp::V18 => Version::V18,
            Erp::V19 => Version::V19,
        }
    }
}

/// Runs the command.
pub async fn run(context: &Context, arguments: SimArguments) -> Result<u8, Failure> {
    let listener = TcpListener::bind(arguments.listen).await?;
    let home = format!("http://{}", listener.local_addr()?);
    let options = StageOptions {
        seed: arguments.seed,
        orders: arguments.orders,
        over: Duration::from_secs(arguments.over),
        faults: if arguments.faults { FAULTS } else { 0.0 },
        people: arguments.people,
        erp: arguments.erp.into(),
    };
    let stage = Stage::new(options, &home);
    write_workspace(&context.dir, &stage, arguments.hub.as_deref())?;
    if context.json {
        out::json(&serde_json::json!({ "listening": home }));
    } else {
        let what = context.either(
            "simulators (no WooCommerce, no Odoo) listening on",
            "simulateurs (ni WooCommerce, ni Odoo) à l'écoute sur",
        );
        out::talk(format!("{what} {home}"));
    }
    let serving = tokio::spawn(axum::serve(listener, stage.router()).into_future());
    let working = async {
        stage.arrive().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = working => {}
        () = stage.deliver() => {}
        () = told_to_stop() => {}
    }
    serving.abort();
    Ok(exit::OK)
}

/// Writes a workspace that points at a stage. A workspace of someone's own is left alone.
pub fn write_workspace(dir: &Path, stage: &Stage, hub: Option<&str>) -> Result<(), Failure> {
    let main = dir.join("comptoir.toml");
    let theirs = std::fs::read_to_string(&main).is_ok_and(|text| !text.starts_with(stage::MARK));
    if theirs {
        let text = format!(
            "{} holds a workspace that is not a simulator's; nothing was changed",
            dir.display()
        );
        return Err(Failure::new(exit::CONFIGURATION, text));
    }
    let mut files = stage.workspace();
    if let (Some(hub), Some(text)) = (hub, files.get_mut("comptoir.toml")) {
        text.push_str(&format!(
            "public_url = {}\n",
            toml::Value::String(hub.to_owned())
        ));
    }
    std::fs::create_dir_all(dir)?;
    config::write(dir, &files)?;
    let secret = [("SHOP_WEBHOOK_SECRET", stage::WEBHOOK_SECRET.to_owned())];
    secrets::EnvFile::write(dir, &secret)?;
    Ok(())
}
