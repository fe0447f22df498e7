//! An order the target already holds: totals, confirmation, later changes, and what people did on either side.

use super::order::products;
use super::{Case, Decision, Missing, OrderLink, Proposal, Target, Verdict as Answer, party};
use comptoir_model::cause::Cause;
use comptoir_model::document::{Digest, Document};
use comptoir_model::equation::Tolerance;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::order::{Dates, Life, Line, LineKind, Order, Status};
use comptoir_model::port::{Query, Step};
use comptoir_rules::mapping::{Becomes, Mapped};
use comptoir_rules::order::{Known, needed_skus, translate};
use comptoir_rules::policy::{ChangePolicy, Confirm, OnChange};
use comptoir_rules::total::{self, Verdict};
use rust_decimal::Decimal;
use std::borrow::Cow;

/// The digest of what a person would call the content of a target's order: everything but its states and dates, which
/// confirming changes.
pub fn content_digest(order: &Order) -> Digest {
    let mut content = order.clone();
    content.status = Status::default();
    content.dates = Dates::default();
    for line in &mut content.lines {
        // The product's, not the order's: someone may rename it.
        line.sku.clear();
    }
    Digest::of(&Document::Order(Box::new(content)).to_json())
}

/// What is left to do for a linked order.
pub fn linked(case: &Case<'_>, link: &OrderLink) -> Decision {
    let settled = link.base_digest == Some(case.source.digest);
    if link.gone {
        // Nobody re-creates what a person deleted. While the source says nothing new there is nothing to ask either.
        return Decision::Hold(vec![Cause::GoneInTarget]);
    }
    let Some(target) = case.target else {
        return Decision::Look(link.id.clone());
    };
    let Some(held) = &target.order else {
        return Decision::Hold(vec![Cause::GoneInTarget]);
    };
    let source_over = match (&case.source.order, case.source.missing) {
        (Some(order), _) => matches!(order.status.life, Life::Cancelled | Life::Trashed),
        (None, Missing::Unreadable) => return Decision::Hold(vec![Cause::Unreadable(Kind::Order)]),
        // Nothing is known any more: no reason to change anything.
        (None, Missing::Expired | Missing::No) => return Decision::Nothing,
        (None, Missing::Gone) => true,
    };
    if source_over {
        return cancelled_in_source(case, link, target, held);
    }
    let Some(order) = &case.source.order else {
        return Decision::Nothing;
    };
    if held.status.life == Life::Cancelled {
        return Decision::Hold(vec![Cause::CancelledInTarget]);
    }
    if !order.refunds.is_empty() {
        return Decision::Hold(vec![Cause::Flow(Kind::Refund)]);
    }
    if !settled && let Some(decision) = source_changed(case, link, target, held, order) {
        return decision;
    }
    agree(case, link, target, held, order)
}

/// Whether a person changed the target's content since our last write.
fn edited(link: &OrderLink, held: &Order) -> bool {
    link.put.is_some_and(|put| put != content_digest(held))
}

/// The same before a write that would take a person's edit away. Where it is not known what our last write left there (its answer was
/// lost, or the store is an older copy), another total or note than that of `written` is taken for one.
fn may_be_edited(case: &Case<'_>, link: &OrderLink, held: &Order, written: Option<&Order>) -> bool {
    if link.put.is_some() {
        return edited(link, held);
    }
    let marked = with_rounding_marked(case, held);
    !looks_like(written, &marked, case.flow.policy.tolerance)
}

fn looks_like(written: Option<&Order>, held: &Order, tolerance: Tolerance) -> bool {
    written.is_some_and(|written| {
        let total = total::compare(written, held, tolerance);
        let words = |order: &Order| order.note.split_whitespace().collect::<String>();
        matches!(total, Verdict::Equal | Verdict::Round(_)) && words(written) == words(held)
    })
}

/// What a later edit is measured against where no reading followed our own write: the first sight of the target's order. Not where
/// it has another total or note than what was written: a person may have been faster.
pub fn first_sight(written: Option<&Order>, held: &Order, tolerance: Tolerance) -> Option<Digest> {
    looks_like(written, held, tolerance).then(|| content_digest(held))
}

fn binding(held: &Order) -> bool {
    matches!(held.status.life, Life::Open | Life::Completed)
}

/// What a person answered, else what the policy says for the state of the target's order.
fn choice(case: &Case<'_>, policy: ChangePolicy, held: &Order) -> OnChange {
    if told_to(case) {
        OnChange::Apply
    } else if binding(held) {
        policy.confirmed
    } else {
        policy.draft
    }
}

fn told_to(case: &Case<'_>) -> bool {
    case.verdict == Some(Answer::Apply)
}

fn look(link: &OrderLink) -> Decision {
    Decision::Look(link.id.clone())
}

fn cancelled_in_source(
    case: &Case<'_>,
    link: &OrderLink,
    target: &Target,
    held: &Order,
) -> Decision {
    if held.status.life == Life::Cancelled {
        return Decision::Nothing;
    }
    let policy = case.flow.policy.cancellations;
    let choice = choice(case, policy, held);
    let written = link.base.as_deref().or(case.source.order.as_deref());
    match choice {
        OnChange::Ignore => Decision::Nothing,
        OnChange::Propose => Decision::Hold(vec![Cause::CancelledInSource]),
        OnChange::Apply if !target.fresh => look(link),
        OnChange::Apply if may_be_edited(case, link, held, written) && !told_to(case) => {
            Decision::Hold(vec![Cause::Edited])
        }
        OnChange::Apply => write(case, link, target, Step::Cancel, held.clone(), None),
    }
}

/// The source changed since the last write. `None`: in nothing that the target holds beyond what follows anyway.
fn source_changed(
    case: &Case<'_>,
    link: &OrderLink,
    target: &Target,
    held: &Order,
    order: &Mapped,
) -> Option<Decision> {
    let (Some(_), Some(base)) = (link.base_digest, &link.base) else {
        // Adopted or found: what was written is not known. The totals decide whether both sides agree.
        return Some(adopted(case, link, held, order));
    };
    let after = match translated(case, order) {
        Ok(after) => after,
        Err(decision) => return Some(decision),
    };
    let before = match translated(case, base) {
        Ok(before) => before,
        Err(decision) => return Some(decision),
    };
    if before == after {
        return Some(Decision::Rebase);
    }
    let policy = case.flow.policy.changes;
    let choice = choice(case, policy, held);
    Some(match choice {
        OnChange::Ignore => Decision::Rebase,
        OnChange::Propose => Decision::Hold(vec![Cause::Changed]),
        OnChange::Apply if !target.fresh => look(link),
        OnChange::Apply if may_be_edited(case, link, held, Some(base)) && !told_to(case) => {
            Decision::Hold(vec![Cause::Edited])
        }
        OnChange::Apply => {
            // The rounding line belongs to the old total; the next turn decides a new one.
            write(case, link, target, Step::Update, after, Some(before))
        }
    })
}

fn adopted(case: &Case<'_>, link: &OrderLink, held: &Order, order: &Order) -> Decision {
    if order.totals.total != held.totals.total
        && let Some(question) = rounding_question(case)
    {
        return question;
    }
    let held = with_rounding_marked(case, held);
    match total::compare(order, &held, case.flow.policy.tolerance) {
        Verdict::Equal => Decision::Rebase,
        Verdict::OtherCurrency => Decision::Hold(vec![Cause::Currency]),
        Verdict::Round(_) if !binding(&held) && !edited(link, &held) => Decision::Rebase,
        Verdict::Round(_) | Verdict::Off(_) => Decision::Hold(vec![Cause::Total]),
    }
}

/// Totals first, then confirmation.
fn agree(
    case: &Case<'_>,
    link: &OrderLink,
    target: &Target,
    held: &Order,
    order: &Mapped,
) -> Decision {
    if order.totals.total != held.totals.total
        && let Some(question) = rounding_question(case)
    {
        return question;
    }
    let marked = with_rounding_marked(case, held);
    let written = link.base.as_deref().or(case.source.order.as_deref());
    match total::compare(order, &marked, case.flow.policy.tolerance) {
        Verdict::Equal => {}
        _ if edited(link, held) => return Decision::Hold(vec![Cause::Edited]),
        Verdict::OtherCurrency => return Decision::Hold(vec![Cause::Currency]),
        Verdict::Off(_) => return Decision::Hold(vec![Cause::Total]),
        Verdict::Round(amount) if binding(held) || !kept(case, amount) => {
            return Decision::Hold(vec![Cause::Total]);
        }
        Verdict::Round(_) if !target.fresh => return look(link),
        Verdict::Round(_) if may_be_edited(case, link, held, written) => {
            return Decision::Hold(vec![Cause::Edited]);
        }
        Verdict::Round(amount) => return round(case, link, target, &marked, amount),
    }
    if binding(held) || !confirms(case, order) {
        return date_kept(case, link, target, held, order);
    }
    if !target.fresh {
        return look(link);
    }
    write(case, link, target, Step::Confirm, held.clone(), None)
}

/// Whether the order is made binding: as a rule says, else as the flow does.
fn confirms(case: &Case<'_>, order: &Mapped) -> bool {
    order.becomes != Some(Becomes::Quotation) && case.flow.policy.confirm == Confirm::Always
}

/// Confirming sets the date to now in some systems, and a connector puts the shop's back. Where that did not get through it is done
/// here, right after our own confirmation only: later the date is whatever a person made it.
fn date_kept(
    case: &Case<'_>,
    link: &OrderLink,
    target: &Target,
    held: &Order,
    order: &Order,
) -> Decision {
    let second = |order: &Order| order.dates.placed.map(|placed| placed.as_second());
    let other = second(order).is_some() && second(held).is_some() && second(order) != second(held);
    if !(case.confirmed && other) {
        return Decision::Nothing;
    }
    if !target.fresh {
        return look(link);
    }
    let mut before = held.clone();
    before.lines.clear();
    let mut after = before.clone();
    after.dates.placed = order.dates.placed;
    write(case, link, target, Step::Update, after, Some(before))
}

/// Whether the target keeps a price of this many decimals. What it would cut to nothing would be written again and again: 0.002 of a
/// currency with three decimals, where prices have two.
fn kept(case: &Case<'_>, amount: Decimal) -> bool {
    let decimals = case.account.price_decimals;
    decimals.is_none_or(|decimals| amount.round_dp(decimals) == amount)
}

/// Adds the rounding line, changes the one there is, or removes it. Only that line is in the update, so nothing else is touched.
fn round(
    case: &Case<'_>,
    link: &OrderLink,
    target: &Target,
    held: &Order,
    amount: Decimal,
) -> Decision {
    let Some(product) = rounding_product(case) else {
        return Decision::Hold(vec![Cause::Setting("products.rounding".to_owned())]);
    };
    let with = |amount: Decimal| {
        let mut order = held.clone();
        order.lines = if amount.is_zero() {
            Vec::new()
        } else {
            vec![total::rounding_line(product.clone(), amount, "Rounding")]
        };
        order
    };
    let before = with(total::rounding_amount(held));
    write(case, link, target, Step::Update, with(amount), Some(before))
}

/// What must be asked before a difference can be told from a rounding line: the product of that line, unless its answer is known.
/// An answer may have been forgotten since the order was made.
fn rounding_question(case: &Case<'_>) -> Option<Decision> {
    let query = Query::Sku(case.flow.policy.products.rounding.clone()?);
    let unknown = (case.can_find)(Kind::Product, query.attribute())
        && case.answers.get(Kind::Product, &query).is_none();
    unknown.then(|| Decision::Ask(vec![(Kind::Product, query)]))
}

fn rounding_product(case: &Case<'_>) -> Option<RemoteId> {
    let sku = case.flow.policy.products.rounding.clone()?;
    case.answers.only(Kind::Product, &Query::Sku(sku))?.ok()
}

/// The target's order with its rounding line recognised by its product.
pub fn with_rounding_marked<'a>(case: &Case<'_>, held: &'a Order) -> Cow<'a, Order> {
    let Some(product) = rounding_product(case) else {
        return Cow::Borrowed(held);
    };
    let mut marked = held.clone();
    for line in &mut marked.lines {
        if line.product.as_ref() == Some(&product) {
            line.kind = LineKind::Rounding;
        }
    }
    Cow::Owned(marked)
}

/// What an order of the source becomes under today's rules, for the comparison of two of its versions.
fn translated(case: &Case<'_>, order: &Mapped) -> Result<Order, Decision> {
    let skus = needed_skus(order, &case.flow.policy).map_err(Decision::Hold)?;
    let mut asked: Vec<(Kind, Query)> = skus
        .iter()
        .map(|sku| (Kind::Product, Query::Sku(sku.clone())))
        .chain(party::questions(case, order))
        .collect();
    asked.retain(|(kind, query)| {
        (case.can_find)(*kind, query.attribute()) && case.answers.get(*kind, query).is_none()
    });
    if !asked.is_empty() {
        return Err(Decision::Ask(asked));
    }
    let products = products(case, &skus).map_err(Decision::Hold)?;
    let contacts = party::resolve(case, order)?;
    let known = Known {
        source: case.flow.source.as_str(),
        target: case.account,
        products: &products,
        customer: &contacts.customer,
        invoice_to: &contacts.customer,
        deliver_to: &contacts.deliver_to,
    };
    translate(order, &case.flow.policy, known, None).map_err(Decision::Hold)
}

/// The lines that an order of the source becomes, whoever its buyer is: what a comparison holds against the target's.
pub fn wanted_lines(case: &Case<'_>, order: &Mapped) -> Result<Vec<Line>, Decision> {
    let skus = needed_skus(order, &case.flow.policy).map_err(Decision::Hold)?;
    let mut asked: Vec<(Kind, Query)> = skus
        .iter()
        .map(|sku| (Kind::Product, Query::Sku(sku.clone())))
        .collect();
    asked.retain(|(kind, query)| {
        (case.can_find)(*kind, query.attribute()) && case.answers.get(*kind, query).is_none()
    });
    if !asked.is_empty() {
        return Err(Decision::Ask(asked));
    }
    let products = products(case, &skus).map_err(Decision::Hold)?;
    let nobody = RemoteId::from("");
    let known = Known {
        source: case.flow.source.as_str(),
        target: case.account,
        products: &products,
        customer: &nobody,
        invoice_to: &nobody,
        deliver_to: &nobody,
    };
    let wanted = translate(order, &case.flow.policy, known, None).map_err(Decision::Hold)?;
    Ok(wanted.lines)
}

fn write(
    case: &Case<'_>,
    link: &OrderLink,
    target: &Target,
    step: Step,
    document: Order,
    before: Option<Order>,
) -> Decision {
    Decision::Write(Box::new(Proposal {
        subject: case.source.key.clone(),
        part: String::new(),
        step,
        target: Some(link.id.clone()),
        document: Document::Order(Box::new(document)),
        before: before.map(|order| Document::Order(Box::new(order))),
        expects: Some(target.version.clone()).filter(|version| !version.is_empty()),
        claims: Vec::new(),
    }))
}
