//! Writes on their way in batches: as many at once as the connector allows, one answer per write, always.

use crate::connection::Connection;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::Kind;
use comptoir_model::port::{Step, Write, Written};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// A call of fewer writes than this costs more by itself than what is in it.
const SMALL: usize = 4;

/// What became of one write.
pub struct Answered {
    /// The answer.
    pub result: Result<Written, Fault>,
    /// It was alone in its call.
    pub alone: bool,
}

/// Makes the calls; one answer per write, in their order. With each write comes how often it failed before.
///
/// A call that fails as a whole does not tell which of its items is to blame: what failed goes in a batch of half the size next time,
/// until it is alone.
pub async fn call(connection: &Connection, writes: Vec<(u32, Write)>) -> Vec<Answered> {
    let mut groups: BTreeMap<(Kind, Step, u32), Vec<usize>> = BTreeMap::new();
    for (position, (tries, write)) in writes.iter().enumerate() {
        let group = (write.kind, write.step, *tries);
        groups.entry(group).or_default().push(position);
    }
    let at_once = connection.connector.slots().max(1);
    let slots = Arc::new(Semaphore::new(at_once));
    let mut calls = JoinSet::new();
    let mut results: Vec<Option<Result<Written, Fault>>> =
        (0..writes.len()).map(|_| None).collect();
    let mut alone = vec![false; writes.len()];
    let mut writes: Vec<Option<Write>> = writes.into_iter().map(|(_, write)| Some(write)).collect();
    for ((kind, step, tries), positions) in groups {
        let capabilities = connection.connector.capabilities();
        let Some(operation) = capabilities.operation(kind, step) else {
            for position in positions {
                let why = format!("the connector cannot {} a {kind}", step.as_str());
                results[position] = Some(Err(Fault::bug(why)));
            }
            continue;
        };
        let most = (operation.batch >> tries.min(16)).max(1);
        let size = match kind {
            // Many items that each cost the vendor little: full calls are the fewest.
            Kind::Stock => most,
            _ => per_call(positions.len(), most, at_once),
        };
        for chunk in positions.chunks(size) {
            let chunk = chunk.to_vec();
            if let [only] = chunk.as_slice() {
                alone[*only] = true;
            }
            let batch: Vec<Write> = chunk.iter().filter_map(|&at| writes[at].take()).collect();
            let connector = connection.connector.clone();
            let slots = slots.clone();
            calls.spawn(async move {
                let _slot = slots.acquire_owned().await;
                (chunk, connector.write(&batch).await)
            });
        }
    }
    while let Some(joined) = calls.join_next().await {
        // A panic in a connector leaves its writes without an answer: unknown, below.
        if let Ok((chunk, answers)) = joined {
            for (position, answer) in chunk.into_iter().zip(answers) {
                results[position] = Some(answer);
            }
        }
    }
    let lost = || {
        Err(Fault::unknown(
            Code::NotUnderstood,
            "the connector gave no answer for this write",
        ))
    };
    let answered = |(result, alone): (Option<Result<Written, Fault>>, bool)| Answered {
        result: result.unwrap_or_else(lost),
        alone,
    };
    results.into_iter().zip(alone).map(answered).collect()
}

/// How many of so many writes go in one call: at most `most`, and no slot with nothing to do while another one has a long call, unless
/// calls would become small by it.
fn per_call(writes: usize, most: usize, slots: usize) -> usize {
    let calls = writes.div_ceil(most);
    let even = calls.next_multiple_of(slots).min(writes / SMALL);
    writes.div_ceil(even.max(calls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_spread_over_the_slots() {
        for (writes, most, slots, size) in [
            (1, 50, 2, 1),
            (7, 50, 8, 7),
            (19, 50, 8, 5),
            (20, 50, 2, 10),
            (60, 50, 2, 30),
            (312, 50, 8, 39),
            (400, 50, 8, 50),
            (400, 50, 2, 50),
            (450, 50, 8, 29),
            (7, 1, 2, 1),
        ] {
            assert_eq!(
                per_call(writes, most, slots),
                size,
                "{writes} {most} {slots}"
            );
        }
    }
}
