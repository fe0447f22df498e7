//! Who reads a stream, and what of it. When that grows (a new flow, an earlier start, one more status), what was passed over before
//! must be read again.

use crate::flow::Flow;
use comptoir_model::address::Country;
use comptoir_model::key::FlowName;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An order is changed when it is placed or later, by two clocks that need not agree.
const EARLIER: SignedDuration = SignedDuration::from_hours(48);

/// The flows that read a stream.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readers(BTreeMap<FlowName, Scope>);

/// What a flow takes.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Scope {
    start: Option<Timestamp>,
    statuses: BTreeSet<String>,
    tests: bool,
    /// What its orders take of the stock is noted.
    #[serde(default)]
    reserves: bool,
    /// Countries taken, and countries left out.
    #[serde(default)]
    countries: (BTreeSet<String>, BTreeSet<String>),
}

impl Readers {
    /// The readers that these flows are. `reserves` tells those whose orders take of a stock that is pushed: where that is new, orders
    /// that were read before are on their way too.
    pub fn of(flows: &[Arc<Flow>], reserves: impl Fn(&Flow) -> bool) -> Self {
        let texts = |countries: &[Country]| countries.iter().map(ToString::to_string).collect();
        let scope = |flow: &Arc<Flow>| Scope {
            start: flow.start,
            statuses: flow.statuses.iter().cloned().collect(),
            tests: flow.tests,
            reserves: reserves(flow),
            countries: (texts(&flow.countries), texts(&flow.except_countries)),
        };
        Readers(
            flows
                .iter()
                .map(|flow| (flow.name.clone(), scope(flow)))
                .collect(),
        )
    }

    /// As [`Readers::stored`] wrote them; nobody when there is nothing.
    pub fn from_stored(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// For the store.
    pub fn stored(&self) -> String {
        // Plain data always has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether everything that these take was taken by `before` too.
    pub fn are_within(&self, before: &Readers) -> bool {
        self.0.iter().all(|(name, scope)| {
            before
                .0
                .get(name)
                .is_some_and(|before| scope.is_within(before))
        })
    }

    /// Since when anything they take may have changed; none when they take everything.
    pub fn since(&self) -> Option<Timestamp> {
        let starts: Option<Vec<Timestamp>> = self.0.values().map(|scope| scope.start).collect();
        let first = starts?.into_iter().min()?;
        Some(first.saturating_sub(EARLIER).unwrap_or(Timestamp::MIN))
    }
}

impl Scope {
    fn is_within(&self, before: &Scope) -> bool {
        let start = match (self.start, before.start) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(now), Some(before)) => now >= before,
        };
        let (taken, left_out) = &self.countries;
        let (before_taken, before_left_out) = &before.countries;
        let countries = (before_taken.is_empty()
            || (!taken.is_empty() && taken.is_subset(before_taken)))
            && left_out.is_superset(before_left_out);
        let reserves = before.reserves || !self.reserves;
        start
            && countries
            && reserves
            && self.statuses.is_subset(&before.statuses)
            && (before.tests || !self.tests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readers(change: impl FnOnce(&mut Flow)) -> Readers {
        let mut flow = Flow::example();
        flow.start = Some("2026-06-01T00:00:00Z".parse().unwrap());
        change(&mut flow);
        Readers::of(&[Arc::new(flow)], |_| false)
    }

    #[test]
    fn what_grows_is_not_within_what_was() {
        let before = readers(|_| {});
        assert!(before.are_within(&before));
        assert!(before.are_within(&Readers::from_stored(&before.stored())));
        assert!(readers(|flow| flow.statuses.truncate(1)).are_within(&before));
        assert!(
            readers(|flow| flow.start = Some("2026-07-01T00:00:00Z".parse().unwrap()))
                .are_within(&before)
        );
        assert!(!readers(|flow| flow.start = None).are_within(&before));
        assert!(!readers(|flow| flow.statuses.push("on-hold".to_owned())).are_within(&before));
        assert!(!readers(|flow| flow.tests = true).are_within(&before));
        let flow = Arc::new(Flow::example());
        let of = |reserves| Readers::of(std::slice::from_ref(&flow), |_| reserves);
        assert!(of(false).are_within(&of(true)));
        assert!(!of(true).are_within(&of(false)));
        let french = readers(|flow| flow.countries = vec!["FR".parse().unwrap()]);
        assert!(french.are_within(&before));
        assert!(!before.are_within(&french));
        let abroad = readers(|flow| flow.except_countries = vec!["FR".parse().unwrap()]);
        assert!(abroad.are_within(&before));
        assert!(!before.are_within(&abroad));
        assert!(!readers(|flow| flow.name = "more".parse().unwrap()).are_within(&before));
        assert!(!before.are_within(&Readers::from_stored("")));
    }

    #[test]
    fn reading_begins_two_days_before_the_first_start() {
        let since = readers(|_| {}).since().unwrap();
        assert_eq!(since.to_string(), "2026-05-30T00:00:00Z");
        assert_eq!(readers(|flow| flow.start = None).since(), None);
    }
}
