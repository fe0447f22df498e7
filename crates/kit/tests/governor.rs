//! How the governor learns.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use comptoir_kit::governor::{Governor, NoSlot, Outcome, Slot};
use comptoir_kit::http::{Answer, Effect, Priority};
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
    Answer {
        status,
        headers: headers
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect(),
        body: Vec::new(),
        effect: Effect::Read,
        at: Timestamp::from_second(1_800_000_000).unwrap(),
    }
}

async fn enter(governor: &Governor) -> Result<Slot, NoSlot> {
    governor
        .enter(Priority::Orders, Instant::now() + Duration::from_millis(50))
        .await
}

async fn volley(governor: &Governor, status: u16, count: usize) {
    let mut slots = Vec::new();
    for _ in 0..count {
        slots.push(enter(governor).await.unwrap());
    }
    for slot in slots {
        slot.leave(Outcome::Answered(&answer(status, &[])));
    }
}

#[tokio::test]
async fn failures_halve_the_concurrency_once_a_volley_and_answers_grow_it_back() {
    let governor = Governor::new(8);
    volley(&governor, 500, 8).await;
    assert_eq!(
        governor.allowed(),
        4,
        "eight failures of one volley count once"
    );
    volley(&governor, 502, 4).await;
    assert_eq!(governor.allowed(), 2);
    enter(&governor).await.unwrap().leave(Outcome::Lost);
    assert_eq!(governor.allowed(), 1);
    enter(&governor).await.unwrap().leave(Outcome::Lost);
    assert_eq!(governor.allowed(), 1, "never none");
    volley(&governor, 200, 1).await;
    assert_eq!(governor.allowed(), 2);
    for _ in 0..100 {
        volley(&governor, 404, 1).await;
    }
    assert_eq!(governor.allowed(), 8, "never more than the slots");
}

#[tokio::test]
async fn a_call_that_never_went_teaches_nothing() {
    let governor = Governor::new(4);
    enter(&governor).await.unwrap().leave(Outcome::NotSent);
    drop(enter(&governor).await.unwrap());
    assert_eq!((governor.allowed(), governor.rests()), (4, None));
    for _ in 0..4 {
        std::mem::forget(enter(&governor).await.unwrap());
    }
    assert_eq!(enter(&governor).await.unwrap_err(), NoSlot::Busy);
}

#[tokio::test]
async fn a_budget_is_counted_down_between_answers() {
    let governor = Governor::new(4);
    let left = answer(
        200,
        &[("ratelimit-remaining", "2"), ("ratelimit-reset", "60")],
    );
    enter(&governor)
        .await
        .unwrap()
        .leave(Outcome::Answered(&left));
    let _first = enter(&governor).await.unwrap();
    let _second = enter(&governor).await.unwrap();
    let Err(NoSlot::Resting(wait)) = enter(&governor).await else {
        panic!("the budget is spent");
    };
    assert!(wait > Duration::from_secs(58) && wait <= Duration::from_secs(60));
}

#[tokio::test]
async fn waits_without_a_time_double_and_nonsense_is_capped() {
    let governor = Governor::new(4);
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        governor.throttled(None);
        let rests = governor.rests().unwrap();
        let expected = Duration::from_secs(seconds);
        assert!(
            rests <= expected && rests + Duration::from_secs(1) > expected,
            "{rests:?}"
        );
    }
    governor.throttled(Some(Duration::from_secs(1_800_000_000)));
    assert!(
        governor.rests().unwrap() <= Duration::from_secs(86_400),
        "an epoch is no wait"
    );
}
