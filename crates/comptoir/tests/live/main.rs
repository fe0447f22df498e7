//! The live suite: a real WooCommerce and a real ERP, the real binary between them: every trap that the shop's API lets anyone set (with
//! Odoo), and stock and parcels (with Odoo, and with Dolibarr).
//!
//! It runs when `COMPTOIR_LIVE_WOO_{URL,KEY,SECRET}` and `COMPTOIR_LIVE_ODOO_{URL,DB,LOGIN,KEY}` or
//! `COMPTOIR_LIVE_DOLIBARR_{URL,KEY,ADMIN}` are set (see docs/live.md); otherwise it says that it was skipped. That the suite itself works is shown on the simulators, which proves nothing about real servers.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod dolibarr;
mod erp;
mod goods;
mod hub;
mod keeper;
mod race;
mod shop;
mod suite;
mod traps;

use comptoir_model::money::Currency;
use comptoir_sim::odoo::{Erp, ErpOptions, Version};
use comptoir_sim::server::Server;
use comptoir_sim::woocommerce::{Shop, ShopOptions};
use std::io::Write as _;
use std::time::Duration;

/// Where both sides are, and how to get in.
struct Servers {
    shop: shop::Address,
    /// As whom the suite prepares the ERP and looks into it.
    erp: erp::Address,
    /// As whom the hub works, when that is another user: login and key.
    hub: Option<(String, String)>,
    /// How long everything may take to settle.
    patience: Duration,
    /// What is known of how long a cut request may still be worked on: simulators work on nothing.
    settle_seconds: Option<u32>,
    /// Orders of the race against a script.
    race: usize,
}

/// Says something past the harness, which keeps what a passing test prints to itself.
fn say(text: impl AsRef<str>) {
    writeln!(std::io::stderr(), "{}", text.as_ref()).ok();
}

const VARIABLES: [&str; 7] = [
    "COMPTOIR_LIVE_WOO_URL",
    "COMPTOIR_LIVE_WOO_KEY",
    "COMPTOIR_LIVE_WOO_SECRET",
    "COMPTOIR_LIVE_ODOO_URL",
    "COMPTOIR_LIVE_ODOO_DB",
    "COMPTOIR_LIVE_ODOO_LOGIN",
    "COMPTOIR_LIVE_ODOO_KEY",
];

/// The hub's own user in the ERP, with fewer rights than the one that prepares it. Both or none.
const HUB: [&str; 2] = ["COMPTOIR_LIVE_ODOO_HUB_LOGIN", "COMPTOIR_LIVE_ODOO_HUB_KEY"];

/// The servers that the environment names; an error says what is missing.
fn servers_of(variable: impl Fn(&str) -> Option<String>) -> Result<Servers, Vec<&'static str>> {
    let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let mut missing: Vec<&str> = VARIABLES.to_vec();
    let hub = HUB.map(&set);
    if hub.iter().any(Option::is_some) {
        missing.extend(HUB);
    }
    missing.retain(|name| set(name).is_none());
    if !missing.is_empty() {
        return Err(missing);
    }
    let [shop, key, secret, erp, database, login, password] =
        VARIABLES.map(|name| set(name).unwrap_or_default().trim().to_owned());
    let race = set("COMPTOIR_LIVE_RACE").and_then(|count| count.parse().ok());
    Ok(Servers {
        shop: shop::Address {
            url: shop,
            key,
            secret,
        },
        erp: erp::Address {
            url: erp,
            database,
            login,
            key: password,
        },
        hub: match hub {
            [Some(login), Some(key)] => Some((login.trim().to_owned(), key.trim().to_owned())),
            _ => None,
        },
        patience: Duration::from_secs(1_800),
        settle_seconds: None,
        race: race.unwrap_or(200),
    })
}

#[tokio::test]
async fn a_real_shop_and_a_real_erp_agree() {
    match servers_of(|name| std::env::var(name).ok()) {
        Ok(servers) => suite::run(&servers).await,
        Err(missing) if missing.len() == VARIABLES.len() => {
            say(
                "SKIPPED: the live suite needs a real WooCommerce and a real Odoo; none of its variables is set (docs/live.md)",
            );
        }
        // Someone meant it to run.
        Err(missing) => panic!("the live suite cannot run: {} not set", missing.join(", ")),
    }
}

/// The values of some variables; an error says which are missing.
fn all_of<const N: usize>(
    names: [&'static str; N],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<[String; N], Vec<&'static str>> {
    let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let missing: Vec<&str> = names
        .into_iter()
        .filter(|name| set(name).is_none())
        .collect();
    match missing.is_empty() {
        true => Ok(names.map(|name| set(name).unwrap_or_default().trim().to_owned())),
        false => Err(missing),
    }
}

#[tokio::test]
async fn stock_and_parcels_of_a_real_shop_and_a_real_odoo() {
    match servers_of(|name| std::env::var(name).ok()) {
        Ok(servers) => goods::run(&with_odoo(&servers, None).await).await,
        Err(missing) if missing.len() == VARIABLES.len() => say(
            "SKIPPED: stock and parcels need a real WooCommerce and a real Odoo; none of the variables is set (docs/live.md)",
        ),
        Err(missing) => say(format!(
            "SKIPPED: stock and parcels with Odoo: {} not set",
            missing.join(", ")
        )),
    }
}

/// A pair with the Odoo of some servers.
async fn with_odoo(servers: &Servers, simulated: Option<Erp>) -> goods::Pair<'_> {
    let address = erp::Address {
        url: servers.erp.url.clone(),
        database: servers.erp.database.clone(),
        login: servers.erp.login.clone(),
        key: servers.erp.key.clone(),
    };
    let own = || (servers.erp.login.clone(), servers.erp.key.clone());
    goods::Pair {
        shop: &servers.shop,
        keeper: keeper::Keeper::Odoo(keeper::OdooKeeper {
            erp: erp::Erp::open(&servers.erp).await,
            address,
            hub: servers.hub.clone().unwrap_or_else(own),
            simulated,
        }),
        patience: servers.patience.min(Duration::from_secs(300)),
        settle_seconds: servers.settle_seconds,
    }
}

const WITH_DOLIBARR: [&str; 6] = [
    "COMPTOIR_LIVE_WOO_URL",
    "COMPTOIR_LIVE_WOO_KEY",
    "COMPTOIR_LIVE_WOO_SECRET",
    "COMPTOIR_LIVE_DOLIBARR_URL",
    "COMPTOIR_LIVE_DOLIBARR_KEY",
    "COMPTOIR_LIVE_DOLIBARR_ADMIN",
];

#[tokio::test]
async fn stock_and_parcels_of_a_real_shop_and_a_real_dolibarr() {
    match all_of(WITH_DOLIBARR, |name| std::env::var(name).ok()) {
        Ok([shop, key, secret, url, hub, admin]) => {
            let shop = shop::Address {
                url: shop,
                key,
                secret,
            };
            let address = dolibarr::Address { url, admin, hub };
            let pair = goods::Pair {
                shop: &shop,
                keeper: keeper::Keeper::Dolibarr(dolibarr::Dolibarr::open(address).await),
                patience: Duration::from_secs(300),
                settle_seconds: None,
            };
            goods::run(&pair).await;
        }
        Err(missing) => say(format!(
            "SKIPPED: stock and parcels with Dolibarr: {} not set (docs/live.md)",
            missing.join(", ")
        )),
    }
}

// The commands that it waits for talk to the simulators in this process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stock_and_parcels_pass_on_the_simulators() {
    let simulated = Shop::new(ShopOptions {
        orders: 5,
        ..ShopOptions::default()
    });
    let at_shop = Server::start(simulated.router()).await.unwrap();
    let shop = || shop::Address {
        url: at_shop.url(),
        key: ShopOptions::default().key,
        secret: ShopOptions::default().secret,
    };
    let currencies = ["EUR", "JPY", "KWD"].map(|code| code.parse::<Currency>().unwrap());
    let odoo = Erp::new(
        ErpOptions::default(),
        Vec::new(),
        Vec::new(),
        currencies.to_vec(),
    );
    let at_odoo = Server::start(odoo.router()).await.unwrap();
    let servers = Servers {
        shop: shop(),
        erp: erp::Address {
            url: at_odoo.url(),
            database: odoo.options().database.clone(),
            login: odoo.options().login.clone(),
            key: odoo.options().key.clone(),
        },
        hub: None,
        patience: Duration::from_secs(120),
        settle_seconds: Some(1),
        race: 0,
    };
    goods::run(&with_odoo(&servers, Some(odoo)).await).await;

    let options = comptoir_sim::dolibarr::DolibarrOptions {
        wall: true,
        ..Default::default()
    };
    let key = options.key.clone();
    let dolibarr = comptoir_sim::dolibarr::Dolibarr::new(options);
    let at_dolibarr = Server::start(dolibarr.router()).await.unwrap();
    let address = dolibarr::Address {
        url: at_dolibarr.url(),
        admin: key.clone(),
        hub: key,
    };
    let shop = shop();
    let pair = goods::Pair {
        shop: &shop,
        keeper: keeper::Keeper::Dolibarr(dolibarr::Dolibarr::open(address).await),
        patience: Duration::from_secs(120),
        settle_seconds: Some(1),
    };
    goods::run(&pair).await;
}

#[test]
fn the_suite_runs_only_when_every_variable_is_set() {
    let all = |name: &str| VARIABLES.contains(&name).then(|| "x".to_owned());
    assert!(servers_of(all).is_ok());
    assert_eq!(servers_of(|_| None).err().map(|all| all.len()), Some(7));
    let but_one = |name: &str| all(name).filter(|_| name != "COMPTOIR_LIVE_ODOO_DB");
    assert_eq!(
        servers_of(but_one).err(),
        Some(vec!["COMPTOIR_LIVE_ODOO_DB"])
    );
    let half = |name: &str| all(name).or_else(|| (name == HUB[0]).then(|| "x".to_owned()));
    assert_eq!(servers_of(half).err(), Some(vec![HUB[1]]));
    let both = |name: &str| Some(name.to_owned());
    let hub = servers_of(both).ok().and_then(|servers| servers.hub);
    assert_eq!(hub, Some((HUB[0].to_owned(), HUB[1].to_owned())));
}

#[tokio::test]
async fn the_live_suite_passes_on_the_simulators() {
    for version in [Version::V16, Version::V19] {
        let currencies = ["EUR", "JPY", "KWD"].map(|code| code.parse::<Currency>().unwrap());
        let options = ErpOptions {
            version,
            forbidden: match version {
                Version::V19 => ErpOptions::not_for_users(),
                _ => Vec::new(),
            },
            ..ErpOptions::default()
        };
        let erp = Erp::new(options, Vec::new(), Vec::new(), currencies.to_vec());
        let shop = Shop::new(ShopOptions {
            orders: 40,
            ..ShopOptions::default()
        });
        let (at_shop, at_erp) = (
            Server::start(shop.router()).await.unwrap(),
            Server::start(erp.router()).await.unwrap(),
        );
        let servers = Servers {
            shop: shop::Address {
                url: at_shop.url(),
                key: ShopOptions::default().key,
                secret: ShopOptions::default().secret,
            },
            erp: erp::Address {
                url: at_erp.url(),
                database: erp.options().database.clone(),
                login: erp.options().login.clone(),
                key: erp.options().key.clone(),
            },
            hub: None,
            patience: Duration::from_secs(120),
            settle_seconds: Some(1),
            race: 60,
        };
        suite::run(&servers).await;
        if version == Version::V19 {
            // Once more, beside what the first run left.
            suite::run(&servers).await;
        }
    }
}
