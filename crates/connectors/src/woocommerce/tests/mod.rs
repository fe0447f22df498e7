//! Tests of the connector on recorded answers and on a scripted shop.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod connecting;
mod edge;
mod reading;
mod shipping;
mod shop;
mod simulated;
mod stage;
mod stock;
mod tapes;
mod writing;

use super::settings::Settings;

fn settings() -> Settings {
    let value = serde_json::json!({
        "url": "https://shop.example", "key": "ck_TAPE", "secret": "cs_TAPE",
    });
    comptoir_kit::spec::settings::<Settings>(value)
        .unwrap()
        .checked()
        .unwrap()
}
