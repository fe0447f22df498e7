//! Confirming and cancelling: an answer is never believed, the state that is read back is.

use super::api::{Api, Change};
use super::map::{self, Held};
use super::read;
use super::write;
use comptoir_kit::batch::{Results, fail_rest, number};
use comptoir_kit::http::Method;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::RemoteId;
use comptoir_model::order::Life;
use comptoir_model::port::{Step, Write, Written};
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio::time::Instant;

/// Confirms (validates) or cancels orders, one after another.
pub(super) async fn act(
    api: &Api,
    batch: &[Write],
    step: Step,
    until: Instant,
    results: &mut Results,
) {
    let targets = write::targets(api, batch, results).await;
    let mut look = Vec::new();
    let mut refused: HashMap<usize, Fault> = HashMap::new();
    for (at, write) in batch.iter().enumerate() {
        let Some((id, held)) = targets.get(&at) else {
            continue;
        };
        match ready(api, write, step, held) {
            Ok(true) => {}
            Ok(false) => {
                look.push((at, *id));
                continue;
            }
            Err(fault) => {
                results[at] = Some(Err(fault));
                continue;
            }
        }
        match run(api, step, *id, held, until).await {
            Ok(()) => look.push((at, *id)),
            Err(fault) if write::is_of_all(&fault) => {
                results[at] = Some(Err(fault));
                break;
            }
            Err(fault) => {
                refused.insert(at, fault);
                look.push((at, *id));
            }
        }
    }
    judge(api, step, &look, &refused, results).await;
    let not_tried = Fault::later(
        Code::Unreachable,
        "an earlier write of the batch found no way",
    );
    fail_rest(results, &not_tried);
}

/// Whether an order is still to be worked on; false when it already is what it should become.
fn ready(api: &Api, write: &Write, step: Step, held: &Held) -> Result<bool, Fault> {
    let state = held.order.state();
    if reached(step, state) {
        let books = api.settings.currency;
        let same = |expected: &String| {
            map::record(held, books)
                .map(|now| map::content_of(&now.version) == map::content_of(expected))
        };
        // Confirmed, by us or by a person: done, unless its content is another than what was decided on.
        return match (step, &write.expects) {
            (Step::Confirm, Some(expected)) if !same(expected)? => Err(Fault::moved(
                "the order was changed and confirmed in Dolibarr",
            )),
            _ => Ok(false),
        };
    }
    write::unmoved(api, write, held)?;
    let refuse = |why: &str| Err(Fault::refused(Code::WrongState, why).at("statut"));
    match (step, map::life(state).1) {
        // Dolibarr itself would validate it.
        (Step::Confirm, Life::Cancelled) => {
            refuse("the order is cancelled in Dolibarr and is not confirmed again")
        }
        (Step::Cancel, _) if state > 1 => refuse(
            "the order is being shipped or delivered in Dolibarr and is not cancelled from outside",
        ),
        _ => Ok(true),
    }
}

fn reached(step: Step, state: i64) -> bool {
    match (step, map::life(state).1) {
        (Step::Confirm, life) => matches!(life, Life::Open | Life::Completed),
        (_, life) => life == Life::Cancelled,
    }
}

async fn run(api: &Api, step: Step, id: i64, held: &Held, until: Instant) -> Result<(), Fault> {
    let warehouse = held.order.warehouse_id.as_ref().and_then(number);
    let send = async |what, method, path: String, body: Value| {
        let change = Change {
            what,
            method,
            path: &path,
            body: Some(body),
            until,
        };
        api.write(change).await.map(|_| ())
    };
    if step == Step::Confirm {
        let body = json!({"idwarehouse": warehouse.unwrap_or_default(), "notrigger": 0});
        return send(
            "orders.validate",
            Method::Post,
            format!("orders/{id}/validate"),
            body,
        )
        .await;
    }
    // Where validating takes stock from the order's warehouse, going back to draft returns it; a bare change of the state would not.
    if let (1, Some(warehouse)) = (held.order.state(), warehouse) {
        let path = format!("orders/{id}/settodraft");
        let body = json!({"idwarehouse": warehouse});
        send("orders.settodraft", Method::Post, path, body).await?;
    }
    // The API has no call for it up to 20.
    let body = json!({"statut": -1, "status": -1});
    send("orders.cancel", Method::Put, format!("orders/{id}"), body).await
}

/// Reads the states back and says what they mean.
async fn judge(
    api: &Api,
    step: Step,
    look: &[(usize, i64)],
    refused: &HashMap<usize, Fault>,
    results: &mut Results,
) {
    let ids: Vec<i64> = look.iter().map(|(_, id)| *id).collect();
    let held = match read::orders(api, &ids).await {
        Ok(held) => held,
        // The call was made; only what came of it is not known.
        Err(fault) => {
            for (at, _) in look {
                let fault = refused.get(at).cloned();
                let lost = || Fault::unknown(Code::OutcomeUnknown, "it was not read back");
                results[*at] = Some(Err(fault.unwrap_or_else(lost)));
            }
            tracing::warn!(%fault, "written, but not read back");
            return;
        }
    };
    for (at, id) in look {
        let now = held.get(id);
        let done = now.is_some_and(|held| reached(step, held.order.state()));
        results[*at] = match (done, refused.get(at)) {
            (true, _) => Some(Ok(Written {
                id: RemoteId(id.to_string()),
                seen: now.and_then(|held| map::record(held, api.settings.currency).ok()),
            })),
            // Dolibarr's own failure has ended, and it is not done. What got lost on its way may still be under way.
            (false, Some(fault))
                if fault.next == Next::Unknown && fault.code == Code::ServerError =>
            {
                Some(Err(Fault::later(fault.code, fault.why.clone())))
            }
            (false, Some(fault)) => Some(Err(fault.clone())),
            (false, None) => {
                let why = format!(
                    "Dolibarr took the {} and the order's state is unchanged; doing it in Dolibarr shows its reason",
                    step.as_str()
                );
                Some(Err(Fault::refused(Code::NotDone, why).at("statut")))
            }
        };
    }
}
