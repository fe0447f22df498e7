//! Stock and parcels, on any ERP: what its warehouse counts comes into the shop, what it sends comes into the shop's order with its
//! tracking number, and repeats and restarts change nothing.

use crate::hub::Hub;
use crate::keeper::{Keeper, Sale};
use crate::shop::{self, Goods, Shop, sku};
use crate::traps::{self, PAYMENT, SHIPPING};
use crate::{say, suite};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A shop and an ERP.
pub struct Pair<'a> {
    pub shop: &'a shop::Address,
    pub keeper: Keeper,
    /// How long any one thing may take.
    pub patience: Duration,
    /// What is known of how long a cut request may still be worked on.
    pub settle_seconds: Option<u32>,
}

/// What is sold: the short name, and how many the ERP has.
const SOLD: [(&str, i64); 3] = [("MUG", 100), ("BOOK", 50), ("SET", 20)];

/// Both sides while the hub works.
struct Stage<'a> {
    pair: &'a Pair<'a>,
    shop: Shop,
    goods: Goods,
    hub: Hub<'a>,
    connection: String,
}

/// Runs it.
pub async fn run(pair: &Pair<'_>) {
    let run = suite::run_id();
    let what = match Shop::is_simulated(pair.shop).await {
        false => "LIVE SERVERS",
        true => "SIMULATORS, no real server",
    };
    say(format!(
        "== {what}: stock and parcels, a shop and {}; run {run}",
        pair.keeper.title()
    ));
    let stage = Stage::set(pair, &run).await;
    let mut stage = stage.started().await;
    let began = Instant::now();
    stage.shows(SOLD).await;
    say(format!(
        "   the shop shows what the ERP has, {:.1} s after the start of the hub",
        began.elapsed().as_secs_f64()
    ));

    let order = stage.order().await;
    let sale = stage.booked(order.id).await;
    stage.shows([("MUG", 98), ("BOOK", 49), ("SET", 20)]).await;
    stage.counted_anew().await;

    let first = format!("LIVE-{run}-1");
    let began = Instant::now();
    let part = [(sku(&run, "MUG"), 1), (sku(&run, "BOOK"), 1)];
    pair.keeper.ship(&sale, &part, &first).await;
    stage
        .told(order.id, "processing", std::slice::from_ref(&first))
        .await;
    let part_took = began.elapsed();
    let second = format!("LIVE-{run}-2");
    let began = Instant::now();
    pair.keeper
        .ship(&sale, &[(sku(&run, "MUG"), 1)], &second)
        .await;
    stage
        .told(order.id, "completed", &[first.clone(), second.clone()])
        .await;
    let rest_took = began.elapsed();
    say(format!(
        "   a part of the order with its number after {:.1} s, the rest with its own after {:.1} s; the order complete",
        part_took.as_secs_f64(),
        rest_took.as_secs_f64()
    ));
    stage.settled().await;
    stage.agree();
    stage.unchanged(order.id, &sale).await;
    stage.hub.stop().await;
    say("   stock, a part and the rest agree on both sides, unchanged by a repeat and a restart");
}

impl<'a> Stage<'a> {
    /// Goods on both sides, and the workspace.
    async fn set(pair: &'a Pair<'a>, run: &str) -> Stage<'a> {
        let shop = Shop::open(pair.shop);
        shop.check().await;
        let goods = shop.stock_up(run).await;
        for (name, _) in SOLD {
            // Three of each: what the ERP has is another figure.
            shop.count(goods.products[name], 3).await;
        }
        let [taxes, lists] = pair.keeper.prepare(run).await;
        for (name, quantity) in SOLD {
            pair.keeper.count(&sku(run, name), quantity).await;
        }
        let connection = format!("live-{run}");
        let hub = Hub::between(pair.shop, pair.keeper.key(), pair.patience);
        hub.write(
            "comptoir.toml",
            "store = \"sqlite:comptoir.db\"\nidle_ms = 200\n",
        );
        hub.write_shop(&connection);
        let mut erp = pair.keeper.connection();
        if let Some(seconds) = pair.settle_seconds {
            erp.push_str(&format!("settle_seconds = {seconds}\n"));
        }
        hub.write("connections/erp.toml", &erp);
        if !lists.is_empty() {
            let rows = lists.iter().map(|(from, to)| (from.as_str(), to.clone()));
            hub.table("price_lists", rows);
        }
        hub.table(
            "taxes",
            taxes.iter().map(|(from, to)| (from.as_str(), to.clone())),
        );
        hub.table("payment_methods", [(PAYMENT, "Live card".to_owned())]);
        hub.table("shipping_methods", [(SHIPPING, sku(run, "SHIP"))]);
        let start = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(60);
        let start = start.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let product = |name: &str| format!("\"{}\"", sku(run, name));
        hub.write(
            "flows/orders.toml",
            &format!(
                "from = \"{connection}\"\nto = \"erp\"\nmode = \"live\"\nstart = \"{start}\"\nevery_ms = 1000\n\n[policy]\nconfirm = \"always\"\n\n[policy.products]\nfee = {}\nrounding = {}\nwithout_sku = {}\n",
                product("FEE"),
                product("ROUNDING"),
                product("NOSKU")
            ),
        );
        for kind in ["stock", "shipment"] {
            let mut flow = format!(
                "kind = \"{kind}\"\nfrom = \"erp\"\nto = \"{connection}\"\nmode = \"live\"\nevery_ms = 1000\n"
            );
            if kind == "shipment" {
                flow.push_str(&format!("start = \"{start}\"\n"));
            }
            hub.write(&format!("flows/{kind}.toml"), &flow);
        }
        Stage {
            pair,
            shop,
            goods,
            hub,
            connection,
        }
    }

    async fn started(mut self) -> Stage<'a> {
        self.hub.start();
        self
    }

    /// Waits for something, and says what was there instead when it does not come.
    async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
        let began = Instant::now();
        loop {
            match look().await {
                Ok(found) => return found,
                Err(instead) => assert!(
                    began.elapsed() < self.pair.patience,
                    "{what}: {instead}\nheld: {}\n{}",
                    self.hub.ask(&["hold", "list"]),
                    self.hub.last_words()
                ),
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// The shop shows these quantities.
    async fn shows(&self, wanted: [(&str, i64); 3]) {
        self.until("the shop's stock", async || {
            let mut shown = Vec::new();
            for (name, _) in wanted {
                shown.push((name, self.shop.counted(self.goods.products[name]).await));
            }
            let same = wanted
                .iter()
                .zip(&shown)
                .all(|((_, a), (_, b))| Some(*a) == *b);
            same.then_some(())
                .ok_or_else(|| format!("{shown:?}, expected {wanted:?}"))
        })
        .await;
    }

    /// Somebody buys two mugs and a book.
    async fn order(&self) -> shop::Placed {
        let body = traps::bought(&self.goods);
        let order = self.shop.post("orders", &body).await;
        self.shop.read(order["id"].as_u64().unwrap()).await
    }

    async fn booked(&self, order: u64) -> Sale {
        let key = format!("{}/order/{order}", self.connection);
        self.until("the order in the ERP", async || {
            let sale = self.pair.keeper.sale(&key, order).await;
            let sale = sale.ok_or_else(|| "not there".to_owned())?;
            match sale.confirmed {
                true => Ok(sale),
                false => Err("not confirmed".to_owned()),
            }
        })
        .await
    }

    /// The warehouse finds more of an item than it knew of, which nobody has ordered.
    async fn counted_anew(&self) {
        self.pair
            .keeper
            .count(&sku(&self.goods.run, "SET"), 33)
            .await;
        self.shows([("MUG", 98), ("BOOK", 49), ("SET", 33)]).await;
    }

    /// The buyer was told of each of these numbers once, and the order has this status.
    async fn told(&self, order: u64, status: &str, numbers: &[String]) {
        self.until("the shop's order", async || {
            let notes = self.shop.notes(order).await;
            let told = numbers.iter().map(|number| {
                notes
                    .iter()
                    .filter(|note| note.contains(number.as_str()))
                    .count()
            });
            let told: Vec<usize> = told.collect();
            let now = self.shop.status(order).await;
            let right = now == status && told.iter().all(|times| *times == 1);
            right
                .then_some(())
                .ok_or_else(|| format!("{now}, told {told:?} times"))
        })
        .await;
        // Whoever was told twice would be told a moment later.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let notes = self.shop.notes(order).await;
        for number in numbers {
            let times = notes
                .iter()
                .filter(|note| note.contains(number.as_str()))
                .count();
            assert_eq!(times, 1, "the buyer was told of {number} {times} times");
        }
    }

    /// Nothing is due or waits in any flow.
    async fn settled(&self) {
        let mut calm = 0;
        while calm < 3 {
            self.until("nothing left to do", async || {
                let status = self.hub.ask(&["status"]);
                let waiting = status["orders"]["waiting"].as_u64();
                (waiting == Some(0))
                    .then_some(())
                    .ok_or_else(|| status.to_string())
            })
            .await;
            calm += 1;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    fn agree(&self) {
        for flow in ["orders", "stock", "shipment"] {
            let report = self.hub.ask(&["reconcile", flow]);
            let report = &report[flow];
            assert_eq!(report["drift"], json!([]), "{flow}: {report}");
            assert!(report["compared"].as_u64() > Some(0), "{flow}: {report}");
        }
    }

    /// Everything there is of this run on both sides.
    async fn contents(&self, order: u64, sale: &Sale) -> BTreeMap<&'static str, Value> {
        let mut stock = BTreeMap::new();
        for (name, _) in SOLD {
            let path = format!("products/{}", self.goods.products[name]);
            let shown = self.shop.get(&path, &[]).await;
            stock.insert(
                name,
                json!([shown["stock_quantity"], shown["date_modified_gmt"]]),
            );
        }
        BTreeMap::from([
            ("the shop's stock", json!(stock)),
            (
                "the shop's order",
                self.shop.get(&format!("orders/{order}"), &[]).await,
            ),
            ("the notes", json!(self.shop.notes(order).await)),
            ("the sale", self.pair.keeper.contents(sale).await),
        ])
    }

    /// A repeat and a restart change nothing on either side.
    async fn unchanged(&mut self, order: u64, sale: &Sale) {
        let before = self.contents(order, sale).await;
        for flow in ["orders", "stock", "shipment"] {
            self.hub.ask(&["sync", flow, "--all"]);
        }
        self.rest().await;
        let now = self.contents(order, sale).await;
        assert_eq!(before, now, "changed by a repeat");
        self.hub.stop().await;
        self.hub.start();
        self.rest().await;
        let now = self.contents(order, sale).await;
        assert_eq!(before, now, "changed by a restart");
        self.agree();
    }

    /// Long enough for several polls of everything.
    async fn rest(&self) {
        tokio::time::sleep(Duration::from_secs(8)).await;
        self.settled().await;
    }
}
