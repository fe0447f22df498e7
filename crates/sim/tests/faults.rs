//! The fault layer in front of a router that counts its effects.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use axum::Router;
use axum::routing::post;
use comptoir_sim::fault::{FaultRates, Faults, Kind};
use comptoir_sim::server::Server;
use comptoir_sim::woocommerce::error_body;
use reqwest::{Client, Response};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const ANSWER: &str = "{\"done\":true,\"padding\":\"0123456789012345678901234567890123456789\"}";

struct Rig {
    effects: Arc<AtomicU64>,
    faults: Faults,
    server: Server,
    http: Client,
}

async fn rig(rates: FaultRates) -> Rig {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let effects = Arc::new(AtomicU64::new(0));
    let counted = effects.clone();
    let router = Router::new().route(
        "/",
        post(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { ANSWER }
        }),
    );
    let faults = Faults::new(5, rates, error_body);
    let server = Server::start(faults.before(router)).await.unwrap();
    Rig {
        effects,
        faults,
        server,
        // A client that repeats lost requests by itself would hide what is tested.
        http: Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .retry(reqwest::retry::never())
            .build()
            .unwrap(),
    }
}

impl Rig {
    async fn call(&self) -> reqwest::Result<Response> {
        self.http.post(self.server.url()).send().await
    }

    fn effects(&self) -> u64 {
        self.effects.load(Ordering::SeqCst)
    }
}

fn only(kind: Kind) -> FaultRates {
    let mut rates = FaultRates::NONE;
    match kind {
        Kind::TooMany => rates.too_many = 1.0,
        Kind::ErrorBefore => rates.error_before = 1.0,
        Kind::ErrorAfter => rates.error_after = 1.0,
        Kind::Cut => rates.cut = 1.0,
        Kind::Slow => rates.slow = 1.0,
        Kind::ResetBefore => rates.reset_before = 1.0,
        Kind::ResetAfter => rates.reset_after = 1.0,
        Kind::Restart => rates.restart = 1.0,
    }
    rates
}

#[tokio::test]
async fn errors_before_the_effect_have_none_and_after_it_have() {
    for (kind, effect) in [
        (Kind::TooMany, 0),
        (Kind::ErrorBefore, 0),
        (Kind::ErrorAfter, 1),
    ] {
        let rig = rig(only(kind)).await;
        let answer = rig.call().await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(status == 429, kind == Kind::TooMany, "{kind:?}");
        assert!(
            status == 429 || (500..=504).contains(&status),
            "{kind:?} {status}"
        );
        if kind == Kind::TooMany {
            assert_eq!(answer.headers()["retry-after"], "1");
        }
        assert_eq!(answer.text().await.unwrap(), error_body(status).1);
        assert_eq!(rig.effects(), effect, "{kind:?}");
        assert_eq!(rig.faults.counts()[kind.name()], 1);
    }
}

#[tokio::test]
async fn a_reset_gives_no_answer_at_all() {
    for (kind, effect) in [(Kind::ResetBefore, 0), (Kind::ResetAfter, 1)] {
        let rig = rig(only(kind)).await;
        let failure = rig.call().await.unwrap_err();
        assert!(failure.is_request(), "{kind:?}: {failure:?}");
        assert_eq!(rig.effects(), effect, "{kind:?}");
    }
}

#[tokio::test]
async fn a_cut_answer_promises_more_than_it_holds() {
    let rig = rig(only(Kind::Cut)).await;
    for _ in 0..20 {
        let answer = rig.call().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.content_length(), Some(ANSWER.len() as u64));
        assert!(answer.text().await.is_err());
    }
    assert_eq!(rig.effects(), 20);
}

#[tokio::test]
async fn a_slow_answer_comes() {
    let rates = FaultRates {
        slow_for: Duration::from_millis(50),
        ..only(Kind::Slow)
    };
    let rig = rig(rates).await;
    assert_eq!(rig.call().await.unwrap().text().await.unwrap(), ANSWER);
    assert_eq!(rig.effects(), 1);
}

#[tokio::test]
async fn a_restart_takes_everything_down_for_a_moment() {
    let rig = rig(FaultRates::NONE).await;
    assert_eq!(rig.call().await.unwrap().status(), 200);
    rig.faults.restart(Duration::from_millis(150));
    for _ in 0..5 {
        match rig.call().await {
            Ok(answer) => assert_eq!(answer.status(), 503),
            Err(failure) => assert!(failure.is_request()),
        }
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rig.call().await.unwrap().status(), 200);
    assert_eq!(rig.effects(), 2);
    assert_eq!(rig.faults.counts()["down"], 5);
}

#[tokio::test]
async fn quiet_means_quiet_and_a_seed_means_the_same_faults() {
    let mut before: Option<BTreeMap<&'static str, u64>> = None;
    for _ in 0..2 {
        let rates = FaultRates {
            restart: 0.0,
            slow_for: Duration::from_millis(2),
            ..FaultRates::all(0.05)
        };
        let rig = rig(rates).await;
        for _ in 0..300 {
            if let Ok(answer) = rig.call().await {
                let _ = answer.text().await;
            }
        }
        let counts = rig.faults.counts();
        let struck = rig.faults.struck();
        assert!((70..=140).contains(&struck), "{counts:?}");
        if let Some(before) = &before {
            assert_eq!(*before, counts);
        }
        before = Some(counts);
        rig.faults.quiet();
        for _ in 0..50 {
            assert_eq!(rig.call().await.unwrap().text().await.unwrap(), ANSWER);
        }
        assert_eq!(rig.faults.struck(), struck);
    }
}
