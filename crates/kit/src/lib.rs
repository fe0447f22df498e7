//! What a connector author imports: HTTP, auth, paging, limits, webhook signatures, tapes, the contract suite.
//!
//! A connector opens one [`http::Http`] per remote account and makes every call through it, so that limits, redaction, tapes and
//! counting happen in one place. The kit never retries and never classifies a status: a connector says what an answer means.

pub mod auth;
pub mod batch;
pub mod clock;
pub mod contract;
pub mod decode;
pub mod governor;
pub mod http;
pub mod page;
pub mod secret;
pub mod spec;
pub mod tape;
pub mod time;
pub mod webhook;
