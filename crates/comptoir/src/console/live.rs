//! Tells open pages that something moved, so that they renew themselves. Without it they are read as they are.

use super::caller::{Caller, LASTS_MS};
use super::refusal::{Refusal, Said};
use super::wording;
use axum::response::sse::{Event, KeepAlive, Sse};
use comptoir_model::code::Code;
use futures_util::stream::{Stream, unfold};
use std::convert::Infallible;
use std::time::Duration;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(2);
/// A page is renewed at least every so many looks: time itself moves.
const AT_LEAST: u32 = 8;

struct Listener {
    caller: Caller,
    pulse: i64,
    looks: u32,
    said: bool,
    _place: tokio::sync::OwnedSemaphorePermit,
}

/// `GET /live`.
pub async fn stream(
    caller: Caller,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Said> {
    let places = caller.desk.0.listeners.clone();
    let Ok(place) = places.try_acquire_owned() else {
        return Err(caller.refuse(Refusal::new(Code::TooManySignIns)));
    };
    let pulse = caller.store().pulse().await;
    let pulse = pulse.map_err(|error| caller.broken(error))?;
    let listener = Listener {
        caller,
        pulse,
        looks: 0,
        said: true,
        _place: place,
    };
    Ok(Sse::new(unfold(listener, next)).keep_alive(KeepAlive::default()))
}

/// The next thing to say: the time at each look, and after it that something moved. Ends with the session.
async fn next(mut listener: Listener) -> Option<(Result<Event, Infallible>, Listener)> {
    if !listener.said {
        listener.said = true;
        return Some((Ok(Event::default().event("moved").data("1")), listener));
    }
    tokio::time::sleep(LOOK).await;
    let store = listener.caller.store();
    let session = store.session(&listener.caller.session, LASTS_MS).await;
    session.ok().flatten()?;
    let now = store.now().await.ok()?;
    let pulse = store.pulse().await.ok()?;
    listener.looks += 1;
    if pulse != listener.pulse || listener.looks >= AT_LEAST {
        listener.pulse = pulse;
        listener.looks = 0;
        listener.said = false;
    }
    let clock = wording::clock(listener.caller.language, &listener.caller.zone, now);
    Some((Ok(Event::default().event("clock").data(clock)), listener))
}
