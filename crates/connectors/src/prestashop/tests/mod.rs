#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]
