//! What Comptoir knows, on SQLite or PostgreSQL. The only place with SQL; one text runs on both.
//!
//! Everything an owner learns is stored by one [`Commit`], whole or not at all, with the owner's epoch checked inside it.

#[cfg(test)]
extern crate self as comptoir_store;

mod audit;
mod blob;
mod card;
mod commit;
mod db;
mod error;
#[cfg(test)]
mod explain;
mod halt;
mod inbox;
mod intent;
mod journal;
mod level;
mod link;
mod open;
mod owner;
mod person;
mod plan;
mod record;
mod reserve;
mod revision;
mod secret;
mod session;
mod size;
mod standing;
mod token;
mod value;
mod work;

pub use audit::AuditRow;
pub use card::{CardPut, CardQuery, CardRow, Uncarded};
pub use commit::{Commit, StreamPut};
pub use error::StoreError;
pub use halt::{Halt, Scope};
pub use inbox::HintRow;
pub use intent::{IntentOutcome, IntentPut, IntentRow, IntentState};
pub use journal::{JournalPut, JournalRow};
pub use level::{KitPut, LevelMark, LevelPut, LevelRow, LevelsSeen};
pub use link::{IdentityPut, IdentityRow, LinkPut, LinkRow, LinkState};
pub use open::{ServeName, Store, StoreOptions, StoreUrl};
pub use owner::{ConnectionRow, Ownership};
pub use person::{Person, Role};
pub use plan::{PlanRow, PlanState};
pub use record::{RecordPut, RecordRow, RecordState, StreamRow};
pub use reserve::{ReservePut, ReserveRow, Reserved};
pub use revision::Revision;
pub use secret::MasterKey;
pub use session::Session;
pub use size::{Size, Sizes};
pub use standing::{Activity, DaySum, HeldSum, Overdue, Sample, Share, StreamAge};
pub use token::Token;
pub use work::{Counts, HoldGroup, WorkDue, WorkPut, WorkRow, WorkState};
