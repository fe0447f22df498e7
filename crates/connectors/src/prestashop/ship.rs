//! Writing an ERP's shipment into the shop's order: the tracking number, the state, the buyer's mail, and the mark that says it was done.
//!
//! The shop has two mails that tell of a shipment: that of a tracking number ("in transit"), and that of a state ("shipped"). A shipment is told
//! by one of them: by the first when it can be followed and its carrier has an address to follow it on (without one the shop sends nothing), else
//! by the second when a state is due. A mail goes out with the write itself. The mark comes last, so that a mark means that all was done; what is
//! found done without one was done by a try that ended before it, and is not told again. Only where the number already stood there untold the
//! mark comes first: rather no mail than two.

use super::Shop;
use super::ask::{List, Row, grouped};
use super::mark;
use super::status::{Meaning, meaning};
use super::tables::{StateWire, Tables};
use super::wire::{MESSAGE, MessageWire, in_first_language};
use super::write::{CarrierLine, Errand, Standing};
use comptoir_kit::decode;
use comptoir_kit::http::{Call, Priority};
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::order::Life;
use comptoir_model::port::{Step, Write, Written};
use comptoir_model::shipment::Shipment;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The deadline of one call, and after how long no further shipment of a batch is begun.
const ONE: Duration = Duration::from_secs(30);
const BUDGET: Duration = Duration::from_secs(60);

/// Characters that the shop keeps of tracking numbers.
pub(super) const FIELD: usize = 64;

/// An order as far as a shipment needs to know it.
struct Ground {
    standing: Standing,
    /// What was written into it before.
    shipments: Vec<Shipment>,
    carrier: Option<(CarrierLine, Row)>,
}

/// What is left to do for a shipment.
#[derive(Debug, PartialEq)]
struct Plan {
    /// What the field of tracking numbers is to hold, and whether the buyer is mailed about it.
    tracking: Option<(String, bool)>,
    /// The state that is due, and whether the buyer is mailed about it.
    state: Option<(String, bool)>,
    mark: Shipment,
    /// The mark comes before the mail of the tracking number.
    mark_first: bool,
}

impl Shop {
    /// Writes shipments into their orders; one answer for each, with the order as it stands then.
    pub(super) async fn write_shipments(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let began = Instant::now();
        let asked: Vec<Result<(RemoteId, Shipment), Fault>> = batch.iter().map(asked).collect();
        let mut ids: Vec<&str> = asked.iter().flatten().map(|(id, _)| id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut grounds = self.grounds(&ids).await;
        let mut results = Vec::with_capacity(batch.len());
        for asked in asked {
            let (id, shipment) = match asked {
                Ok(asked) => asked,
                Err(fault) => {
                    results.push(Err(fault));
                    continue;
                }
            };
            let result = match &mut grounds {
                // Nothing was sent yet.
                Err(fault) => Err(fault.clone()),
                Ok(_) if began.elapsed() >= BUDGET => {
                    let why = "the shop was too slow for all of them";
                    Err(Fault::later(Code::TimedOut, why))
                }
                Ok(grounds) => match grounds.get_mut(id.as_str()) {
                    Some(ground) => self.ship(&id, &shipment, ground).await,
                    None => {
                        let why = "the shop does not have this order";
                        Err(Fault::gone(Code::RecordGone, why))
                    }
                },
            };
            results.push(result.map(|()| id));
        }
        self.seen_after(results).await
    }

    /// How orders stand: three lists for all of them.
    async fn grounds(&self, ids: &[&str]) -> Result<BTreeMap<String, Ground>, Fault> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let remote: Vec<RemoteId> = ids.iter().map(|id| RemoteId::from(*id)).collect();
        let standing = self.standing(&remote).await?;
        let mut shipments = self.marked(ids).await?;
        let mut carriers = self.carrier_lines(ids).await?;
        let grounds = standing.into_iter().map(|(id, standing)| {
            let ground = Ground {
                standing,
                shipments: shipments.remove(&id).unwrap_or_default(),
                carrier: carriers.remove(&id),
            };
            (id, ground)
        });
        Ok(grounds.collect())
    }

    /// The shipments that orders' marks tell of.
    async fn marked(&self, ids: &[&str]) -> Result<BTreeMap<String, Vec<Shipment>>, Fault> {
        let list = List::of("shipments.marks", "messages", MESSAGE);
        let rows = self.rows_by(list, "id_order", ids).await?;
        let mut marked = BTreeMap::new();
        for (id, rows) in grouped(&rows, |mark| mark.id_order.clone()) {
            let messages: Vec<MessageWire> = rows
                .iter()
                .filter_map(|row| decode::json(row.get().as_bytes()).ok())
                .collect();
            let shipments = mark::shipments(&messages, &RemoteId::from(id.as_str()));
            marked.insert(id, shipments);
        }
        Ok(marked)
    }

    async fn ship(
        &self,
        id: &RemoteId,
        wanted: &Shipment,
        ground: &mut Ground,
    ) -> Result<(), Fault> {
        let current = ground.standing.current_state.clone();
        let tables = self.tables_for(|tables| tables.states.contains_key(&current));
        let tables = tables.await?;
        let Some(plan) = self.plan(wanted, ground, &tables)? else {
            return Ok(());
        };
        let mailing = |mails| Errand {
            priority: Priority::Shipments,
            deadline: ONE,
            mails,
        };
        if plan.mark_first {
            self.enter_state(id, &plan, ground, mailing).await?;
            self.write_mark(id, &plan.mark).await?;
            self.track(id, &plan, ground, mailing).await?;
        } else {
            self.track(id, &plan, ground, mailing).await?;
            self.enter_state(id, &plan, ground, mailing).await?;
            self.write_mark(id, &plan.mark).await?;
        }
        ground.shipments.retain(|known| known.key != plan.mark.key);
        ground.shipments.push(plan.mark);
        Ok(())
    }

    async fn track(
        &self,
        id: &RemoteId,
        plan: &Plan,
        ground: &mut Ground,
        errand: impl Fn(bool) -> Errand,
    ) -> Result<(), Fault> {
        let Some((value, mails)) = &plan.tracking else {
            return Ok(());
        };
        let line = ground.carrier.as_ref();
        self.write_tracking(id, line, value, errand(*mails)).await?;
        if let Some((line, _)) = &mut ground.carrier {
            line.tracking_number.clone_from(value);
        }
        Ok(())
    }

    async fn enter_state(
        &self,
        id: &RemoteId,
        plan: &Plan,
        ground: &mut Ground,
        errand: impl Fn(bool) -> Errand,
    ) -> Result<(), Fault> {
        let Some((state, mails)) = &plan.state else {
            return Ok(());
        };
        self.write_state(id, state, errand(*mails)).await?;
        ground.standing.current_state.clone_from(state);
        Ok(())
    }

    /// Adds the mark. One that stands there after a failure was written.
    async fn write_mark(&self, id: &RemoteId, shipment: &Shipment) -> Result<(), Fault> {
        let errand = Errand {
            priority: Priority::Shipments,
            deadline: ONE,
            mails: false,
        };
        for text in mark::texts(shipment) {
            let fields = [
                ("id_order", id.as_str()),
                ("private", "1"),
                ("message", &text),
            ];
            let call = Call::post("shipments.mark", super::path("messages"));
            let call = errand.call(call, "message", &fields);
            match self.send(call, "messages").await {
                Ok(_) => {}
                Err(fault) if fault.next == Next::Unknown && self.stands(id, &text).await => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Whether an order has this message.
    async fn stands(&self, id: &RemoteId, text: &str) -> bool {
        let list = List::of("shipments.marks", "messages", MESSAGE);
        let rows: Result<Vec<MessageWire>, Fault> =
            self.all(list.one_of("id_order", &[id.as_str()])).await;
        rows.is_ok_and(|rows| rows.iter().any(|row| row.message.trim() == text.trim()))
    }

    /// What is left to do; none when the order shows the shipment as it should.
    fn plan(
        &self,
        wanted: &Shipment,
        ground: &Ground,
        tables: &Tables,
    ) -> Result<Option<Plan>, Fault> {
        let unknown = StateWire::default();
        let current = &ground.standing.current_state;
        let state = tables.states.get(current).unwrap_or(&unknown);
        self.refuse_called_off(current, state)?;
        let known = ground
            .shipments
            .iter()
            .find(|known| known.key == wanted.key);
        let told = known.is_some_and(|known| known.notify);
        let completes = wanted.completes || known.is_some_and(|known| known.completes);
        let due = self.due_state(wanted.completes, state, tables)?;
        let field = field(wanted, known, ground);
        let there = ground
            .carrier
            .as_ref()
            .map(|(line, _)| line.tracking_number.as_str());
        let stands = field.is_none() || there == field.as_deref();
        // Staff may have taken the number away since it was noted.
        if stands && known.is_some_and(|known| shows(known, wanted)) {
            return Ok(None);
        }
        let tell = wanted.notify && !told;
        let carrier = tables.carriers.get(&ground.standing.id_carrier);
        let followed = carrier.is_some_and(|carrier| !carrier.url.trim().is_empty());
        let by_state = due.is_some_and(|due| due.send_email) && !(field.is_some() && followed);
        let by_number = field.is_some() && !by_state;
        // A state that is there already was entered by a try that ended before its mark, or by a person: the shop mailed then if it was to.
        let by_then = wanted.completes && state.shipped;
        if tell && !by_state && !by_number && !by_then {
            let why = "the shop has no mail for this: the shipment has no tracking number, and no order state that is mailed becomes due";
            return Err(Fault::refused(Code::WrongState, why).at("notify"));
        }
        let again = tell && by_number && stands && known.is_some();
        let tracking = match field {
            Some(field) if !stands || again => Some((field, tell && by_number)),
            _ => None,
        };
        Ok(Some(Plan {
            tracking,
            state: due.map(|due| (due.id.clone(), tell && by_state)),
            mark: Shipment {
                completes,
                notify: told || wanted.notify,
                ..wanted.clone()
            },
            mark_first: again,
        }))
    }

    fn refuse_called_off(&self, id: &str, state: &StateWire) -> Result<(), Fault> {
        let life = self.settings.statuses.get(id);
        let off = match life {
            Some(life) => matches!(life, Life::Cancelled | Life::Trashed),
            None => matches!(meaning(state), Meaning::Cancelled | Meaning::Refunded),
        };
        match off {
            true => Err(Fault::refused(
                Code::WrongState,
                "the shop's order is called off or refunded: nothing is written into it; look at it in the shop",
            )
            .at("current_state")),
            false => Ok(()),
        }
    }

    /// The state that an order is to get, none when it stays as it is: one that is flagged as shipped is not taken back.
    fn due_state<'a>(
        &self,
        completes: bool,
        now: &StateWire,
        tables: &'a Tables,
    ) -> Result<Option<&'a StateWire>, Fault> {
        if now.shipped {
            return Ok(None);
        }
        let named = match completes {
            true => &self.settings.shipped_status,
            false => &self.settings.partly_shipped_status,
        };
        let due = match (named, completes) {
            (Some(id), _) => tables.states.get(id).filter(|state| !state.deleted),
            (None, true) => shipped_state(tables),
            (None, false) => return Ok(None),
        };
        let due = due.ok_or_else(|| {
            let (why, field) = match completes {
                true => (
                    "the shop has no order state for what is shipped: name one in `shipped_status`",
                    "shipped_status",
                ),
                false => (
                    "the shop does not have the order state of `partly_shipped_status`",
                    "partly_shipped_status",
                ),
            };
            Fault::refused(Code::MissingSetting, why).at(field)
        })?;
        Ok((due.id != now.id).then_some(due))
    }
}

/// The shop's own state for what is shipped: known by its mail, else the first that is flagged so.
pub(super) fn shipped_state(tables: &Tables) -> Option<&StateWire> {
    let number = |state: &&StateWire| state.id.parse::<u64>().unwrap_or(u64::MAX);
    let own = |state: &StateWire| in_first_language(&state.template) != "shipped";
    let states = tables.states.values();
    let shipped = states.filter(|state| state.shipped && !state.deleted);
    shipped.min_by_key(|state| (own(state), number(state)))
}

/// Whether what is noted is all that is wanted.
fn shows(known: &Shipment, wanted: &Shipment) -> bool {
    let quantities = |shipment: &Shipment| -> BTreeMap<(String, String), Decimal> {
        let mut sums = BTreeMap::new();
        for line in &shipment.lines {
            // The stock keeping unit names what no line of the order has.
            let sku = if line.line.is_empty() { &line.sku } else { "" };
            let key = (line.line.clone(), sku.to_owned());
            *sums.entry(key).or_insert(Decimal::ZERO) += line.quantity;
        }
        sums
    };
    quantities(known) == quantities(wanted)
        && known.parcels == wanted.parcels
        && (known.completes || !wanted.completes)
        && (known.notify || !wanted.notify)
}

fn numbers(shipment: &Shipment) -> impl Iterator<Item = &str> {
    let numbers = shipment.parcels.iter().map(|parcel| parcel.tracking.trim());
    numbers.filter(|number| !number.is_empty())
}

/// What the order's one field of tracking numbers is to hold: what stands there, without what this shipment said before, and its numbers.
/// None for a shipment that cannot be followed. Numbers that no longer fit make way for this shipment's; the marks hold all of them.
fn field(wanted: &Shipment, known: Option<&Shipment>, ground: &Ground) -> Option<String> {
    let own: Vec<&str> = numbers(wanted).collect();
    if own.is_empty() {
        return None;
    }
    let others = ground
        .shipments
        .iter()
        .filter(|other| other.key != wanted.key);
    let others: Vec<&str> = others.flat_map(numbers).collect();
    let dropped = |number: &str| {
        let before = known.is_some_and(|known| numbers(known).any(|old| old == number));
        before && !others.contains(&number)
    };
    let there = ground
        .carrier
        .as_ref()
        .map_or("", |(line, _)| line.tracking_number.as_str());
    let mut kept: Vec<&str> = Vec::new();
    for number in there.split(',').map(str::trim) {
        if !number.is_empty() && (own.contains(&number) || !dropped(number)) {
            kept.push(number);
        }
    }
    for number in &own {
        if !kept.contains(number) {
            kept.push(number);
        }
    }
    let length = |numbers: &[&str]| numbers.join(", ").chars().count();
    while length(&kept) > FIELD && kept.len() > 1 {
        let spare = kept.iter().position(|number| !own.contains(number));
        kept.remove(spare.unwrap_or(kept.len() - 1));
    }
    Some(kept.join(", "))
}

/// What a write asks for.
fn asked(write: &Write) -> Result<(RemoteId, Shipment), Fault> {
    let (Kind::Shipment, Step::Create) = (write.kind, write.step) else {
        let what = format!("{} {}", write.kind, write.step.as_str());
        return Err(Fault::bug(format!("`{what}` is not offered")));
    };
    let Some(id) = write.target.clone() else {
        return Err(Fault::bug("a shipment needs the shop's order"));
    };
    let Some(shipment) = write.document.as_shipment() else {
        return Err(Fault::bug("a shipment needs a shipment"));
    };
    let shipment = Shipment {
        order: id.clone(),
        key: Some(write.key.clone()),
        ..shipment.clone()
    };
    Ok((id, shipment))
}
