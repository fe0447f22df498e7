//! Write-back to orders: the state and the tracking number.
//!
//! - `status.word`: the id of an order state, written as a line of the order's history, as the back office does;
//! - attribute `tracking_number`: of the order's last carrier line.
//!
//! Both are looked at before they are written, since a state that is written twice is two lines of history, and again after every answer
//! that may hide a success: the shop commits a state and then fails at its mail.

use super::amend::{Amendment, Manner};
use super::ask::{List, Row};
use super::read::is_number;
use super::{CAPABILITIES, Shop, path, xml};
use comptoir_kit::batch::with_seen;
use comptoir_kit::decode;
use comptoir_kit::http::{Call, Priority};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Step, Write, Written};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Attribute that becomes the tracking number.
pub(super) const TRACKING: &str = "tracking_number";

/// What one write changes.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    id: RemoteId,
    state: Option<String>,
    tracking: Option<String>,
    expects: Option<String>,
}

/// An order as far as a write needs to know it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Standing {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) current_state: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_carrier: String,
    #[serde(default, deserialize_with = "decode::text")]
    date_upd: String,
}

/// A carrier line of an order.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CarrierLine {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_order: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) tracking_number: String,
}

/// Who waits for a write, for how long, and whether the buyer is mailed about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Errand {
    pub(super) priority: Priority,
    pub(super) deadline: Duration,
    pub(super) mails: bool,
}

impl Shop {
    pub(super) async fn write_orders(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let mut results: Vec<Result<Change, Fault>> = batch.iter().map(change).collect();
        let changes = results.iter().flatten();
        let ids: Vec<RemoteId> = changes.map(|change| change.id.clone()).collect();
        let standing = self.standing(&ids).await;
        for result in &mut results {
            if let Ok(change) = result
                && let Err(fault) = self.apply(change, &standing).await
            {
                *result = Err(fault);
            }
        }
        let results = results.into_iter();
        let ids = results.map(|result| result.map(|change| change.id));
        self.seen_after(ids.collect()).await
    }

    /// How orders stand now, by id.
    pub(super) async fn standing(
        &self,
        ids: &[RemoteId],
    ) -> Result<BTreeMap<String, Standing>, Fault> {
        let ids: Vec<&str> = ids
            .iter()
            .map(RemoteId::as_str)
            .filter(|id| is_number(id))
            .collect();
        let list = List::of(
            "orders.standing",
            "orders",
            "id,current_state,id_carrier,date_upd",
        );
        let rows = self.rows_by(list, "id", &ids).await?;
        let mut standing = BTreeMap::new();
        for row in rows {
            let order: Standing = decode::json(row.get().as_bytes())?;
            standing.insert(order.id.clone(), order);
        }
        Ok(standing)
    }

    async fn apply(
        &self,
        change: &Change,
        standing: &Result<BTreeMap<String, Standing>, Fault>,
    ) -> Result<(), Fault> {
        // Nothing was sent yet.
        let standing = standing.as_ref().map_err(Clone::clone)?;
        let Some(order) = standing.get(change.id.as_str()) else {
            let why = "the shop does not have this order";
            return Err(Fault::gone(Code::RecordGone, why));
        };
        if let Some(expected) = &change.expects
            && *expected != order.date_upd
        {
            return Err(Fault::moved("the order changed in the shop meanwhile"));
        }
        if let Some(state) = change
            .state
            .as_ref()
            .filter(|state| **state != order.current_state)
        {
            self.write_state(&change.id, state, self.errand()).await?;
        }
        if let Some(tracking) = &change.tracking {
            let line = self.carrier_line(&change.id).await?;
            let there = line.as_ref().map(|(line, _)| &line.tracking_number);
            if there != Some(tracking) {
                self.write_tracking(&change.id, line.as_ref(), tracking, self.errand())
                    .await?;
            }
        }
        Ok(())
    }

    fn errand(&self) -> Errand {
        let deadline = CAPABILITIES
            .operation(Kind::Order, Step::Update)
            .map_or(60, |operation| operation.deadline_seconds / 4);
        Errand {
            priority: Priority::Orders,
            deadline: Duration::from_secs(u64::from(deadline)),
            mails: self.settings.send_emails,
        }
    }

    /// Appends a state to an order's history. A state that stands there after a failure was written.
    pub(super) async fn write_state(
        &self,
        id: &RemoteId,
        state: &str,
        errand: Errand,
    ) -> Result<(), Fault> {
        let mut tables = self.tables().await?;
        if !tables.states.contains_key(state) {
            tables = self.tables_after(self.kit.clock.now()).await?;
        }
        // The shop answers an unknown state with an empty 500.
        if tables.states.get(state).is_none_or(|state| state.deleted) {
            let why = "the shop has no such order state; give its id";
            return Err(Fault::refused(Code::Refused, why).at("status"));
        }
        let fields = [("id_order", id.as_str()), ("id_order_state", state)];
        let call = Call::post("histories.create", path("order_histories"));
        let call = errand.call(call, "order_history", &fields);
        match self.send(call, "order_histories").await {
            Ok(_) => Ok(()),
            Err(fault) if fault.next == Next::Unknown => {
                let now = self.standing(std::slice::from_ref(id)).await;
                let order = now.ok().and_then(|mut now| now.remove(id.as_str()));
                match order.is_some_and(|order| order.current_state == state) {
                    true => Ok(()),
                    false => Err(fault),
                }
            }
            Err(fault) => Err(fault),
        }
    }

    /// Writes the tracking number of a carrier line. One that stands there after a failure was written.
    pub(super) async fn write_tracking(
        &self,
        id: &RemoteId,
        line: Option<&(CarrierLine, Row)>,
        tracking: &str,
        errand: Errand,
    ) -> Result<(), Fault> {
        let Some((line, row)) = line else {
            let why = "the order has no carrier in the shop, so it takes no tracking number";
            return Err(Fault::refused(Code::WrongState, why).at(TRACKING));
        };
        let manner = Manner {
            what: "carriers.write",
            resource: "order_carriers",
            entity: "order_carrier",
            priority: errand.priority,
            deadline: errand.deadline,
            mails: errand.mails,
        };
        let amendment = Amendment {
            id: &line.id,
            row,
            field: TRACKING,
            value: tracking,
        };
        match self.amend(manner, &[amendment]).await {
            Err(fault) if fault.next == Next::Unknown => {
                let now = self.carrier_line(id).await.ok().flatten();
                match now.is_some_and(|(line, _)| line.tracking_number == tracking) {
                    true => Ok(()),
                    false => Err(fault),
                }
            }
            other => other,
        }
    }

    /// The last carrier line of an order.
    async fn carrier_line(&self, id: &RemoteId) -> Result<Option<(CarrierLine, Row)>, Fault> {
        let mut lines = self.carrier_lines(&[id.as_str()]).await?;
        Ok(lines.remove(id.as_str()))
    }

    /// The last carrier line of orders, and all of it: a shop before 8 takes it as a whole only.
    pub(super) async fn carrier_lines(
        &self,
        orders: &[&str],
    ) -> Result<BTreeMap<String, (CarrierLine, Row)>, Fault> {
        let list = List::of("carriers.lines", "order_carriers", "full");
        let rows = self.rows_by(list, "id_order", orders).await?;
        let mut lines = BTreeMap::new();
        for row in rows {
            let line: CarrierLine = decode::json(row.get().as_bytes())?;
            lines.insert(line.id_order.clone(), (line, row));
        }
        Ok(lines)
    }

    /// What the orders look like now. When that cannot be read, the writes are done all the same.
    pub(super) async fn seen_after(
        &self,
        results: Vec<Result<RemoteId, Fault>>,
    ) -> Vec<Result<Written, Fault>> {
        let mut ids: Vec<RemoteId> = results.iter().flatten().cloned().collect();
        ids.sort();
        ids.dedup();
        let seen = match ids.is_empty() {
            true => Vec::new(),
            false => self.read_by_id(Kind::Order, &ids).await.unwrap_or_default(),
        };
        with_seen(results, seen)
    }
}

impl Errand {
    /// A call with the body of one entity.
    pub(super) fn call(&self, call: Call, entity: &str, fields: &[(&str, &str)]) -> Call {
        let call = call
            .body("text/xml", xml::body(entity, fields))
            .priority(self.priority)
            .deadline(self.deadline);
        match self.mails {
            true => call.query("sendemail", 1),
            false => call,
        }
    }
}

fn change(write: &Write) -> Result<Change, Fault> {
    let (Kind::Order, Step::Update) = (write.kind, write.step) else {
        let what = format!("{} {}", write.kind, write.step.as_str());
        return Err(Fault::bug(format!("`{what}` is not offered")));
    };
    let Some(id) = write.target.clone() else {
        return Err(Fault::bug("an update needs the order's id"));
    };
    let Some(order) = write.document.as_order() else {
        return Err(Fault::bug("an update of an order needs an order"));
    };
    let before = write.before.as_ref().and_then(|before| before.as_order());
    let state = order.status.word.trim();
    let state = (!state.is_empty() && before.is_none_or(|before| before.status.word != state))
        .then(|| state.to_owned());
    let mut tracking = None;
    for (name, value) in &order.attributes {
        if before.is_some_and(|old| old.attributes.get(name) == Some(value)) {
            continue;
        }
        match (name.as_str(), value) {
            (TRACKING, Value::String(text)) => tracking = Some(text.trim().to_owned()),
            (TRACKING, _) => {
                let why = "a tracking number is a text";
                return Err(Fault::refused(Code::BadValue, why).at(TRACKING));
            }
            _ => {
                let why = "this attribute cannot be written to an order of PrestaShop";
                return Err(Fault::refused(Code::UnknownField, why).at(name));
            }
        }
    }
    Ok(Change {
        id,
        state,
        tracking,
        expects: write.expects.clone(),
    })
}
