//! What every connector does with a batch of writes: one result for each place, always, with what stands there now where it could be read.

use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::port::{Record, Seen, Write, Written};
use std::collections::{BTreeSet, HashMap};

/// The results of a batch, by place; none where nothing was done yet.
pub type Results = Vec<Option<Result<Written, Fault>>>;

/// Gives every write without a result this fault.
pub fn fail_rest(results: &mut Results, fault: &Fault) {
    for result in results.iter_mut().filter(|result| result.is_none()) {
        *result = Some(Err(fault.clone()));
    }
}

/// The results of a batch that was gone through. A place that nobody cared for is a bug, and said so.
pub fn finished(results: Results, system: &str) -> Vec<Result<Written, Fault>> {
    let lost = || Err(Fault::bug(format!("this is not written to {system}")));
    results
        .into_iter()
        .map(|result| result.unwrap_or_else(lost))
        .collect()
}

/// A record's number, for systems that number them from 1.
pub fn number(id: &RemoteId) -> Option<i64> {
    id.as_str().parse().ok().filter(|number| *number > 0)
}

/// The numbers of the records that a batch is about, each once.
pub fn targets(batch: &[Write]) -> Vec<i64> {
    let numbers: BTreeSet<i64> = batch
        .iter()
        .filter_map(|write| number(write.target.as_ref()?))
        .collect();
    numbers.into_iter().collect()
}

/// Gives each place its record as it stands now, by the number in the write's target. What has no target, or is not there any more,
/// has its result after this.
pub fn placed<T: Clone>(
    batch: &[Write],
    held: &HashMap<i64, T>,
    system: &str,
    results: &mut Results,
) -> HashMap<usize, (i64, T)> {
    let mut placed = HashMap::new();
    for (at, write) in batch.iter().enumerate() {
        let Some(id) = write.target.as_ref().and_then(number) else {
            let why = format!("the write names no order of {system}");
            results[at] = Some(Err(Fault::bug(why)));
            continue;
        };
        match held.get(&id) {
            Some(held) => {
                placed.insert(at, (id, held.clone()));
            }
            None => {
                let why = format!("the order does not exist in {system} any more");
                results[at] = Some(Err(Fault::gone(Code::RecordGone, why)));
            }
        }
    }
    placed
}

/// # Errors
/// [`Code::TargetMoved`] when the record has another version now than was decided on.
pub fn unmoved(write: &Write, now: &str, system: &str) -> Result<(), Fault> {
    match &write.expects {
        Some(expected) if expected != now => Err(Fault::moved(format!(
            "the order was changed in {system} since it was looked at; nothing was done"
        ))),
        _ => Ok(()),
    }
}

/// The results of what was written, with what was seen there afterwards. What could not be read was written all the same.
pub fn with_seen(
    results: Vec<Result<RemoteId, Fault>>,
    seen: Vec<Seen>,
) -> Vec<Result<Written, Fault>> {
    let records = seen.into_iter().filter_map(|seen| match seen {
        Seen::Record(record) => Some((record.id.clone(), *record)),
        _ => None,
    });
    let seen: HashMap<RemoteId, Record> = records.collect();
    let written = |id: RemoteId| Written {
        seen: seen.get(&id).cloned(),
        id,
    };
    results
        .into_iter()
        .map(|result| result.map(written))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use comptoir_model::document::Document;
    use comptoir_model::fault::Next;
    use comptoir_model::key::{Kind, WriteKey};
    use comptoir_model::order::Order;
    use comptoir_model::port::Step;

    fn write(target: Option<&str>) -> Write {
        let order = Order::empty("1001", "EUR".parse().unwrap());
        Write {
            key: WriteKey("shop/order/1".to_owned()),
            kind: Kind::Order,
            step: Step::Update,
            target: target.map(RemoteId::from),
            document: Document::Order(Box::new(order)),
            before: None,
            expects: Some("v1".to_owned()),
        }
    }

    #[test]
    fn every_place_has_a_record_or_a_result() {
        let batch = [write(Some("7")), write(Some("8")), write(None)];
        assert_eq!(targets(&batch), [7, 8]);
        let mut results: Results = vec![None; 3];
        let held = HashMap::from([(7, "seven")]);
        let placed = placed(&batch, &held, "Example", &mut results);
        assert_eq!(placed, HashMap::from([(0, (7, "seven"))]));
        let next = |at: usize| results[at].clone().unwrap().unwrap_err().next;
        assert_eq!((next(1), next(2)), (Next::Gone, Next::Bug));
        fail_rest(&mut results, &Fault::bug("the rest"));
        let all = finished(results, "Example");
        assert_eq!(all[0].clone().unwrap_err().why, "the rest");
    }

    #[test]
    fn another_version_has_moved() {
        assert!(unmoved(&write(None), "v1", "Example").is_ok());
        let fault = unmoved(&write(None), "v2", "Example").unwrap_err();
        assert_eq!((fault.next, fault.code), (Next::Moved, Code::TargetMoved));
    }

    #[test]
    fn what_was_seen_goes_to_what_was_written() {
        let record = Record {
            id: "7".into(),
            version: "v2".to_owned(),
            document: write(None).document,
            raw: None,
        };
        let results = vec![Ok("7".into()), Ok("8".into()), Err(Fault::bug("no"))];
        let seen = vec![
            Seen::Record(Box::new(record.clone())),
            Seen::Gone("8".into()),
        ];
        let all = with_seen(results, seen);
        assert_eq!(all[0].as_ref().unwrap().seen, Some(record));
        assert_eq!(all[1].as_ref().unwrap().seen, None);
        assert!(all[2].is_err());
    }
}
