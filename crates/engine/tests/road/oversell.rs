//! The race for the last pieces: buyers, confirmations and pushes at any moment of each other.
//!
//! The formula is what the ERP can promise less what was sold and is not reserved there yet. Where the shop compares before it sets, no
//! push may lift it above the formula. Where it overwrites, a sale in the seconds between the poll and the push does; the next poll and
//! push put that right. `COMPTOIR_OVERSELL_SEEDS` asks for more seeds (docs/stock.md has the long run).

use crate::bench::{Bench, mug, order, total};
use crate::shop::Shop;
use comptoir_engine::hub::Hub;
use comptoir_engine::point::Breakpoints;
use comptoir_engine::stock::{self, Forecasts};
use comptoir_engine::{observe, turn};
use comptoir_model::Decimal;
use comptoir_model::key::Kind;
use comptoir_model::order::{Life, Order};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

fn seeds() -> u64 {
    let asked = std::env::var("COMPTOIR_OVERSELL_SEEDS");
    asked.ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

fn mugs(number: i64, quantity: i64) -> Order {
    let mut order = order(&format!("{number}"), "ada@example.test");
    let mut line = mug("1", "10.00", "2.00");
    line.quantity = quantity.into();
    line.net *= line.quantity;
    line.subtotal = line.net;
    line.tax *= line.quantity;
    line.taxes[0].amount = line.tax;
    order.lines = vec![line];
    total(&mut order);
    order
}

/// One race and how far the shop was above the formula in it.
struct Race {
    bench: Bench,
    sold: Arc<AtomicI64>,
    /// The largest excess, and how many pushes in a row it lasted.
    largest: Decimal,
    longest: usize,
}

impl Race {
    fn new(seed: u64, compares: bool) -> Self {
        let mut bench = Bench::new();
        bench.add_back(Kind::Stock);
        bench.shop.compares = compares;
        bench.erp.stock.stock("p0", "MUG", 10);
        bench.shop.stock.stock("1", "MUG", 10);
        let sold = Arc::new(AtomicI64::new(0));
        let (count, dice) = (sold.clone(), Mutex::new(StdRng::seed_from_u64(seed)));
        let mut number = 0;
        *bench.shop.meanwhile.lock().unwrap() = Some(Box::new(move |shop: &Shop| {
            let mut dice = dice.lock().unwrap();
            let wanted = dice.random_range(1..=3);
            let there = shop.stock.available("1");
            if number < 12 && dice.random_bool(0.25) && there >= wanted.into() {
                number += 1;
                shop.sell(&format!("{number}"), mugs(number, wanted));
                count.fetch_add(wanted, Ordering::SeqCst);
            }
        }));
        Race {
            bench,
            sold,
            largest: Decimal::ZERO,
            longest: 0,
        }
    }

    /// How far the shop is above the formula.
    fn excess(&self) -> Decimal {
        let confirmed = |order: &&Order| order.status.life == Life::Open;
        let orders = self.bench.erp.orders();
        let reserved: Decimal = orders
            .iter()
            .map(|(_, order)| order)
            .filter(confirmed)
            .flat_map(|order| &order.lines)
            .map(|line| line.quantity)
            .sum();
        let on_the_way = Decimal::from(self.sold.load(Ordering::SeqCst)) - reserved;
        let formula = (self.bench.erp.stock.available("p0") - on_the_way).max(Decimal::ZERO);
        self.bench.shop.stock.available("1") - formula
    }

    /// Everything in any order, buyers in between. Answers the excess after a last quiet poll and push.
    async fn run(&mut self, dice: &mut impl Rng) -> Decimal {
        let hub = self.bench.hub(Breakpoints::default()).await;
        let steps = Steps::new(&hub).await;
        let mut forecasts = Forecasts::default();
        let mut above = 0;
        for _ in 0..14 {
            match dice.random_range(0..6) {
                0 => self.bench.erp.stock.change(&"p0".into(), false, |stock| {
                    let more = Decimal::from(dice.random_range(1..=4));
                    stock.levels[0].available = stock.levels[0].available.map(|left| left + more);
                }),
                1 => steps.poll_shop().await,
                2 => steps.confirm().await,
                3 => steps.read_erp().await,
                _ => {
                    steps.push(&mut forecasts).await;
                    let excess = self.excess();
                    self.largest = self.largest.max(excess);
                    above = if excess > Decimal::ZERO { above + 1 } else { 0 };
                    self.longest = self.longest.max(above);
                }
            }
        }
        *self.bench.shop.meanwhile.lock().unwrap() = None;
        steps.poll_shop().await;
        // What was found to be stale by the poll is looked at and put by the passes that follow at once.
        steps.push(&mut forecasts).await;
        self.excess()
    }
}

struct Steps<'a> {
    hub: &'a Hub,
    of_shop: comptoir_store::Ownership,
    of_erp: comptoir_store::Ownership,
    account: Arc<comptoir_model::account::Account>,
}

impl<'a> Steps<'a> {
    async fn new(hub: &'a Hub) -> Self {
        let own = async |name: &str| {
            let name = name.parse().unwrap();
            let taken = hub.store.acquire(&name, "test", 60_000, |_| true).await;
            taken.unwrap().unwrap()
        };
        let erp = &hub.connections[&"erp".parse().unwrap()];
        Steps {
            hub,
            of_shop: own("shop").await,
            of_erp: own("erp").await,
            account: Arc::new(erp.connector.probe().await.unwrap()),
        }
    }

    async fn poll_shop(&self) {
        let shop = &self.hub.connections[&"shop".parse().unwrap()];
        observe::observe(self.hub, shop, &self.of_shop)
            .await
            .unwrap();
    }

    async fn read_erp(&self) {
        let erp = &self.hub.connections[&"erp".parse().unwrap()];
        observe::observe(self.hub, erp, &self.of_erp).await.unwrap();
    }

    async fn confirm(&self) {
        let erp = &self.hub.connections[&"erp".parse().unwrap()];
        let pass = turn::pass(self.hub, erp, self.account.clone(), &self.of_erp);
        pass.await.unwrap();
    }

    /// Pushes until nothing is due.
    async fn push(&self, forecasts: &mut Forecasts) {
        let shop = &self.hub.connections[&"shop".parse().unwrap()];
        for _ in 0..50 {
            let pass = stock::pass::pass(self.hub, shop, &self.of_shop, forecasts).await;
            if pass.unwrap().0.records == 0 {
                return;
            }
        }
        panic!("the pushes do not end");
    }
}

/// Runs the races of one kind of shop. Answers the largest and the longest excess, and the excess that no last push put right.
async fn races(compares: bool) -> (Decimal, usize, Decimal) {
    let (mut largest, mut longest, mut left) = (Decimal::ZERO, 0, Decimal::ZERO);
    for seed in 0..seeds() {
        let mut race = Race::new(seed, compares);
        let mut dice = StdRng::seed_from_u64(seed ^ 0x5eed);
        let after = race.run(&mut dice).await;
        assert!(
            after <= Decimal::ZERO,
            "seed {seed}: {after} above the formula after a poll and a push"
        );
        largest = largest.max(race.largest);
        longest = longest.max(race.longest);
        left = left.max(after);
    }
    (largest, longest, left)
}

#[tokio::test]
async fn a_shop_that_compares_is_never_above_the_formula() {
    let (largest, longest, _) = races(true).await;
    println!(
        "compare-and-set, {} seeds: largest excess {largest}, longest {longest} pushes",
        seeds()
    );
    assert_eq!((largest, longest), (Decimal::ZERO, 0));
}

#[tokio::test]
async fn a_shop_that_overwrites_is_right_again_after_one_poll_and_one_push() {
    let (largest, longest, _) = races(false).await;
    println!(
        "absolute writes, {} seeds: largest excess {largest}, longest {longest} pushes",
        seeds()
    );
    assert!(
        largest > Decimal::ZERO,
        "the race was never lost: it tests nothing"
    );
}
