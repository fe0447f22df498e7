//! An order the target does not know yet.

use super::{Case, Decision, Missing, Proposal, party};
use comptoir_model::cause::Cause;
use comptoir_model::document::Document;
use comptoir_model::equation;
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::order::{Life, Order};
use comptoir_model::port::{Query, Step};
use comptoir_rules::order::{Known, needed_skus, translate};
use std::collections::{BTreeMap, BTreeSet};

/// Filters, questions, buyer, products, and at last the create.
pub fn first_time(case: &Case<'_>) -> Decision {
    let order = match (&case.source.order, case.source.missing) {
        (Some(order), _) => order,
        (None, Missing::Unreadable) => {
            return Decision::Hold(vec![Cause::Unreadable(Kind::Order)]);
        }
        (None, _) => return Decision::Skip("gone".to_owned()),
    };
    if let Some(reason) = case.flow.passes_over(order) {
        return called_off(case, order).unwrap_or(Decision::Skip(reason));
    }
    if !order.refunds.is_empty() {
        return Decision::Hold(vec![Cause::Flow(Kind::Refund)]);
    }
    if equation::blocking(&equation::check(order, case.flow.policy.tolerance))
        .next()
        .is_some()
    {
        return Decision::Hold(vec![Cause::Equation]);
    }
    let skus = match needed_skus(order, &case.flow.policy) {
        Ok(skus) => skus,
        Err(causes) => return Decision::Hold(causes),
    };
    let key = WriteKey::of(&case.source.key, "");
    let questions = questions(case, order, &skus, &key);
    if !questions.is_empty() {
        return Decision::Ask(questions);
    }
    if let Some(found) = already_there(case, order, &key) {
        return found;
    }
    let products = match products(case, &skus) {
        Ok(products) => products,
        Err(causes) => return Decision::Hold(causes),
    };
    let contacts = match party::resolve(case, order) {
        Ok(contacts) => contacts,
        Err(decision) => return decision,
    };
    let known = Known {
        source: case.flow.source.as_str(),
        target: case.account,
        products: &products,
        customer: &contacts.customer,
        invoice_to: &contacts.customer,
        deliver_to: &contacts.deliver_to,
    };
    match translate(order, &case.flow.policy, known, None) {
        Err(causes) => Decision::Hold(causes),
        Ok(document) => Decision::Write(Box::new(Proposal {
            subject: case.source.key.clone(),
            part: String::new(),
            step: Step::Create,
            target: None,
            document: Document::Order(Box::new(document)),
            before: None,
            expects: None,
            claims: Vec::new(),
        })),
    }
}

/// An order that is over in the source the first time we see it may be in the target all the same: we wrote it, and an older copy of
/// the store was put back. Then it is linked, and called off there too.
fn called_off(case: &Case<'_>, order: &Order) -> Option<Decision> {
    let over = matches!(order.status.life, Life::Cancelled | Life::Trashed);
    if !over || !case.flow.covers(order.dates.placed) {
        return None;
    }
    let key = WriteKey::of(&case.source.key, "");
    let query = Query::Key(key.clone());
    if !(case.can_find)(Kind::Order, query.attribute()) {
        return None;
    }
    match case.answers.get(Kind::Order, &query) {
        None => Some(Decision::Ask(vec![(Kind::Order, query)])),
        Some(_) => already_there(case, order, &key),
    }
}

/// Everything the target must be asked before this order can be written, in one go.
fn questions(
    case: &Case<'_>,
    order: &Order,
    skus: &BTreeSet<String>,
    key: &WriteKey,
) -> Vec<(Kind, Query)> {
    let mut asked: Vec<(Kind, Query)> = vec![(Kind::Order, Query::Key(key.clone()))];
    // What the merchant typed in by hand around the start would be doubled otherwise.
    if near_start(case, order) {
        asked.push((Kind::Order, Query::Reference(order.number.clone())));
    }
    asked.extend(
        skus.iter()
            .map(|sku| (Kind::Product, Query::Sku(sku.clone()))),
    );
    asked.extend(party::questions(case, order));
    asked.retain(|(kind, query)| {
        (case.can_find)(*kind, query.attribute()) && case.answers.get(*kind, query).is_none()
    });
    asked
}

fn near_start(case: &Case<'_>, order: &Order) -> bool {
    const AROUND: jiff::SignedDuration = jiff::SignedDuration::from_hours(48);
    match (case.flow.start, order.dates.placed) {
        (Some(start), Some(placed)) => placed.duration_since(start).abs() <= AROUND,
        _ => false,
    }
}

/// The order carries our key or, near the start, its number: link it, or ask a person which one it is.
fn already_there(case: &Case<'_>, order: &Order, key: &WriteKey) -> Option<Decision> {
    let link = |id: &RemoteId| Decision::Link {
        subject: case.source.key.clone(),
        part: String::new(),
        id: id.clone(),
    };
    if let Some([first, ..]) = case.answers.get(Kind::Order, &Query::Key(key.clone())) {
        return Some(link(&first.id));
    }
    match case
        .answers
        .get(Kind::Order, &Query::Reference(order.number.clone()))
    {
        Some([only]) => Some(link(&only.id)),
        Some([_, _, ..]) => Some(Decision::Hold(vec![Cause::Link(
            Kind::Order,
            case.source.key.id.clone(),
        )])),
        _ => None,
    }
}

/// The target's product of each SKU; exactly one each.
pub fn products(
    case: &Case<'_>,
    skus: &BTreeSet<String>,
) -> Result<BTreeMap<String, RemoteId>, Vec<Cause>> {
    let mut found = BTreeMap::new();
    let mut causes = Vec::new();
    for sku in skus {
        match case.answers.only(Kind::Product, &Query::Sku(sku.clone())) {
            Some(Ok(id)) => {
                found.insert(sku.clone(), id);
            }
            _ => causes.push(Cause::Product(sku.clone())),
        }
    }
    if causes.is_empty() {
        Ok(found)
    } else {
        Err(causes)
    }
}
