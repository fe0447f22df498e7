//! Tests of the connector on recorded answers. Those on a simulated shop are in `tests/prestashop`.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod edge;
mod tapes;

use super::settings::Settings;

fn settings() -> Settings {
    let value = serde_json::json!({
        "url": "https://shop.example", "key": "KEY_TAPEKEY_TAPEKEY_TAPEKEY_TAPE", "time_zone": "Europe/Paris",
    });
    comptoir_kit::spec::settings::<Settings>(value)
        .unwrap()
        .checked()
        .unwrap()
}
