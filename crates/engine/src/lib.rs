//! Observe, decide, execute, confirm: the one road of a record. No system is named here and no socket is opened.

pub mod answers;
pub mod batch;
pub mod connection;
pub mod decide;
mod doubt;
pub mod end;
pub mod execute;
pub mod flow;
pub mod gather;
pub mod hub;
pub mod note;
pub mod observe;
pub mod owner;
pub mod plan;
pub mod point;
pub mod preview;
pub mod prove;
mod readers;
pub mod reconcile;
pub mod retry;
pub mod schedule;
pub mod shelf;
pub mod stock;
pub mod turn;
