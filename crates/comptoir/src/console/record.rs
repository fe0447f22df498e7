//! One order on all systems: where it is, the money on both sides, and everything that happened, on one time line.

use super::amount;
use super::beside;
use super::caller::Caller;
use super::causes::{self, Sides};
use super::find::{address, root, state_chip};
use super::frame::{self, Page, hidden};
use super::icon::{chip, icon};
use super::refusal::{Refusal, Said};
use super::timeline::{self, Lane};
use axum::extract::Path;
use axum::response::Redirect;
use comptoir_model::address::Address;
use comptoir_model::cause::Cause;
use comptoir_model::code::{Code, Language};
use comptoir_model::document::Document;
use comptoir_model::key::{ConnectionName, FlowName, RecordKey, RemoteId};
use comptoir_model::order::Order;
use comptoir_store::{LinkRow, RecordRow, Role, StoreError, WorkRow, WorkState};
use maud::{Markup, html};

/// An order with its counterpart in one flow.
pub struct Pair {
    /// The flow, if one has it.
    pub flow: Option<FlowName>,
    /// The target.
    pub to: Option<ConnectionName>,
    /// Its row of work.
    pub work: Option<WorkRow>,
    /// Its link.
    pub link: Option<LinkRow>,
    /// The target's record.
    pub target: Option<RecordRow>,
}

impl Pair {
    /// The target's order.
    pub fn held(&self) -> Option<&Order> {
        self.target.as_ref()?.document.as_ref()?.as_order()
    }
}

/// `GET /record/{connection}/{kind}/{id}`: an order; what belongs to one leads to it.
pub async fn page(
    caller: Caller,
    Path((connection, kind, id)): Path<(String, String, String)>,
) -> Result<Result<Redirect, Markup>, Said> {
    let broken = |error| caller.broken(error);
    let nothing = || caller.refuse(Refusal::new(Code::NothingHere));
    let key = RecordKey {
        connection: connection.parse().map_err(|_| nothing())?,
        kind: kind.parse().map_err(|_| nothing())?,
        id: RemoteId(id),
    };
    let order = root(&caller, key.clone()).await.map_err(broken)?;
    if let Some(order) = order.filter(|order| *order != key) {
        return Ok(Ok(Redirect::to(&address(&order))));
    }
    let ids = [key.id.clone()];
    let found = caller
        .store()
        .records(&key.connection, key.kind, &ids, true)
        .await;
    let source = found.map_err(broken)?.remove(&key.id).ok_or_else(nothing)?;
    let pair = pair(&caller, &key).await.map_err(broken)?;
    let document = source.document.as_ref();
    let order = document.and_then(Document::as_order);
    let number = order.map_or(key.id.as_str(), |order| order.number.as_str());
    let title = title(&caller, &key, number, &pair);
    let events = timeline::events(&caller, &key, order, &pair).await;
    let events = events.map_err(broken)?;
    let body = html! {
        div.cols {
            div {
                @if let Some(held) = held_card(&caller, &key, &pair) { (held) }
                @if let Some(order) = order { (sums(&caller, &key, order, &pair)) }
                section.card aria-labelledby="s-t" {
                    header { h2 #s-t { (caller.t("What happened", "Ce qui s’est passé")) } span.mute { (zone(&caller)) } }
                    (timeline::show(&caller, &lanes(&key, &pair), &events))
                }
            }
            div {
                (facts(&caller, &key, number, order, &pair))
                @if let Some(order) = order { (people(&caller, order)) }
                @if caller.may(Role::Operator) { (raw(&caller, &key, &source, &pair)) }
            }
        }
    };
    let state = pair.work.as_ref().map(|work| work.state);
    let below = html! { (state_chip(&caller, state)) };
    let page = Page::new(None, &title, body).below(below);
    Ok(Err(frame::page(&caller, page).await?))
}

fn zone(caller: &Caller) -> String {
    caller.present.config.hub.time_zone.clone()
}

/// The counterpart of an order: in the flow that has it, the one that does not pass it over first.
async fn pair(caller: &Caller, key: &RecordKey) -> Result<Pair, StoreError> {
    let store = caller.store();
    let ids = [key.id.clone()];
    let flows = caller.present.config.flows.iter();
    let flows = flows.filter(|(_, flow)| flow.from == key.connection && flow.kind == key.kind);
    let mut best: Option<Pair> = None;
    for (name, flow) in flows {
        let work = store.work(name, key.kind, &ids).await?.remove(&key.id);
        let part = (key.id.clone(), String::new());
        let parts = std::slice::from_ref(&part);
        let link = store
            .links(&flow.from, key.kind, parts, &flow.to)
            .await?
            .remove(&part);
        let target = match &link {
            Some(link) => {
                let ids = [link.dst_id.clone()];
                let found = store.records(&flow.to, key.kind, &ids, true).await?;
                found.into_values().next()
            }
            None => None,
        };
        let skipped = |pair: &Pair| {
            pair.work
                .as_ref()
                .is_none_or(|work| work.state == WorkState::Skipped)
        };
        let pair = Pair {
            flow: Some(name.clone()),
            to: Some(flow.to.clone()),
            work,
            link,
            target,
        };
        if best.as_ref().is_none_or(skipped) {
            best = Some(pair);
        }
    }
    Ok(best.unwrap_or(Pair {
        flow: None,
        to: None,
        work: None,
        link: None,
        target: None,
    }))
}

fn title(caller: &Caller, key: &RecordKey, number: &str, pair: &Pair) -> String {
    let to = pair
        .to
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    let there = pair.held().map(|order| order.number.clone());
    let there = there.or_else(|| pair.link.as_ref().map(|link| link.dst_id.to_string()));
    let french = caller.language == Language::French;
    let order = caller.t("Order", "Commande");
    let state = pair.work.as_ref().map(|work| work.state);
    match (state, there) {
        (Some(WorkState::Done), Some(there)) if french => {
            format!("{order} {number} : dans {to}, {there}")
        }
        (Some(WorkState::Done), Some(there)) => format!("{order} {number} is in {to} as {there}"),
        (Some(WorkState::Held), _) if french => format!("{order} {number} : retenue"),
        (Some(WorkState::Held), _) => format!("{order} {number} is held"),
        (Some(WorkState::Due | WorkState::Waiting), _) if french => {
            format!("{order} {number} : en route vers {to}")
        }
        (Some(WorkState::Due | WorkState::Waiting), _) => {
            format!("{order} {number} is on its way to {to}")
        }
        (Some(WorkState::Skipped), _) if french => format!("{order} {number} : pas importée"),
        (Some(WorkState::Skipped), _) => format!("{order} {number} is not imported"),
        _ => format!("{order} {number}, {}", key.connection),
    }
}

fn sides<'a>(key: &'a RecordKey, pair: &'a Pair) -> Sides<'a> {
    Sides {
        from: key.connection.as_str(),
        to: pair.to.as_ref().map_or("?", ConnectionName::as_str),
    }
}

/// Why it does not go on, and what can be done.
fn held_card(caller: &Caller, key: &RecordKey, pair: &Pair) -> Option<Markup> {
    let work = pair.work.as_ref()?;
    let text = work.cause.as_deref()?;
    let flow = pair.flow.as_ref()?;
    let language = caller.language;
    let Ok(cause) = text.parse::<Cause>() else {
        // The reason why it is passed over.
        let about = caller.t("Passed over by the flow:", "Laissée de côté par le flux :");
        return Some(
            html! { div.note.idle { (icon("skip")) div { (about) " " span.id { (text) } } } },
        );
    };
    let sides = sides(key, pair);
    if work.state != WorkState::Held {
        let fix = crate::advice::fix(text, language);
        let until = work.due.filter(|due| *due > caller.now);
        return Some(html! {
            div.note.wait { (icon("wait")) div {
                p { (fix) }
                @if let Some(until) = until { p.mute { (caller.t("Looked at again", "Revue")) " " (caller.moment(until)) } }
            } }
        });
    }
    Some(html! {
        section.card.pad.rule.stack data-cause=(text) {
            div.row { (chip("held", "held", caller.t("Held", "Retenue"))) span.mute { (caller.ago(work.since)) } }
            h2 { (causes::title(&cause, &sides, language)) }
            p.sub { (causes::advice(&cause, &sides, language)) }
            @if caller.may(Role::Operator) { div.row {
                @for verdict in causes::answers(&cause) {
                    form method="post" action="/needs/one" {
                        (one(caller, flow, text, key))
                        button.btn.go[*verdict == causes::answers(&cause)[0]] name="do" value=(verdict.as_str()) { (causes::answer(*verdict, &cause, &sides, language)) }
                    }
                }
                form method="post" action="/needs/one" {
                    (one(caller, flow, text, key))
                    button.btn { (caller.t("Try again", "Réessayer")) }
                }
                a href="/needs" { (caller.t("All that wait for the same", "Toutes celles qui attendent la même chose")) }
            } }
        }
    })
}

fn one(caller: &Caller, flow: &FlowName, cause: &str, key: &RecordKey) -> Markup {
    html! {
        (hidden(caller))
        input type="hidden" name="flow" value=(flow);
        input type="hidden" name="cause" value=(cause);
        input type="hidden" name="record" value=(key.id);
        input type="hidden" name="back" value=(address(key));
    }
}

/// The money of both sides, line by line.
fn sums(caller: &Caller, key: &RecordKey, order: &Order, pair: &Pair) -> Markup {
    let language = caller.language;
    let currency = order.currency.code();
    let money = |value| amount::decimal(language, value, currency);
    let held = pair.held();
    let rows = beside::lines(order, held);
    let difference = held.map(|held| held.totals.total - order.totals.total);
    html! {
        section.card aria-labelledby="s-m" {
            header {
                h2 #s-m { (caller.t("The money, on both sides", "L’argent, des deux côtés")) }
                @match difference {
                    Some(difference) if difference.is_zero() => (chip("ok", "ok", caller.t("Equal", "Égal"))),
                    Some(difference) => (chip("held", "held", &money(difference))),
                    None => {},
                }
            }
            div.scroll tabindex="0" role="region" aria-labelledby="s-m" { table {
                thead { tr {
                    th scope="col" { (caller.t("What", "Quoi")) }
                    th.n.hide-s scope="col" { (caller.t("Quantity", "Quantité")) }
                    th.n scope="col" { (key.connection) }
                    th.n scope="col" { @if let Some(to) = &pair.to { (to) } }
                } }
                tbody { @for row in &rows { tr {
                    td { (row.title) @if !row.sku.is_empty() { small.id { (row.sku) } } }
                    td.n.hide-s { @if let Some(quantity) = row.quantity { (quantity.normalize()) } }
                    td.n { @if let Some(value) = row.source { (money(value)) } @else { span.zero { "–" } } }
                    td.n { @if let Some(value) = row.target { (money(value)) } @else { span.zero { "–" } } }
                } } }
                tfoot {
                    tr {
                        th scope="row" colspan="1" { (caller.t("Tax", "Taxes")) } td.hide-s {}
                        td.n { (money(order.totals.tax)) }
                        td.n { @if let Some(held) = held { (money(held.totals.tax)) } }
                    }
                    tr {
                        th scope="row" { (caller.t("Total", "Total")) } td.hide-s {}
                        td.n { (money(order.totals.total)) }
                        td.n { @if let Some(held) = held { (money(held.totals.total)) } }
                    }
                }
            } }
            @if rows.iter().any(|row| row.rounding) {
                p.pad.sub { (caller.t(
                    "The rounding line makes the total of the ERP equal to what the buyer was charged.",
                    "La ligne d’arrondi rend le total de l’ERP égal à ce que l’acheteur a payé.")) }
            }
        }
    }
}

fn facts(
    caller: &Caller,
    key: &RecordKey,
    number: &str,
    order: Option<&Order>,
    pair: &Pair,
) -> Markup {
    let there = pair.held();
    html! {
        section.card aria-labelledby="s-f" {
            header { h2 #s-f { (caller.t("In each system", "Dans chaque système")) } }
            dl.facts.pad {
                dt { (key.connection) } dd { b { (number) } @if number != key.id.as_str() { " " span.id { (key.id) } } }
                @if let Some(order) = order {
                    dt { (caller.t("State there", "État là-bas")) } dd { (order.status.word) }
                    @if !order.channel.is_empty() { dt { (caller.t("Channel", "Canal")) } dd { (order.channel) } }
                    @for payment in &order.payments { dt { (caller.t("Payment", "Paiement")) } dd { (payment.method) } }
                }
                @if let Some(to) = &pair.to {
                    dt { (to) }
                    dd { @match (&pair.link, there) {
                        (_, Some(there)) => { b { (there.number) } " " @if let Some(link) = &pair.link { span.id { (link.dst_id) } } },
                        (Some(link), None) => span.id { (link.dst_id) },
                        (None, None) => span.zero { (caller.t("not yet", "pas encore")) },
                    } }
                    @if let Some(there) = there { dt { (caller.t("State there", "État là-bas")) } dd { (there.status.word) } }
                }
                @if let Some(flow) = &pair.flow { dt { (caller.t("Flow", "Flux")) } dd { (flow) } }
            }
        }
    }
}

/// A text that a viewer sees only the beginning of.
fn masked(caller: &Caller, text: &str) -> String {
    if caller.may(Role::Operator) || text.is_empty() {
        return text.to_owned();
    }
    let first: String = text.chars().take(1).collect();
    format!("{first}•••")
}

fn people(caller: &Caller, order: &Order) -> Markup {
    let block = |title: &str, address: &Address| {
        let country = address
            .country
            .map_or_else(String::new, |country| country.to_string());
        let place = format!(
            "{} {}",
            masked(caller, &address.postcode),
            masked(caller, &address.city)
        );
        html! {
            dt { (title) }
            dd {
                @if !address.company.is_empty() { (masked(caller, &address.company)) br; }
                (masked(caller, &address.full_name())) br;
                @if !address.line1.is_empty() { (masked(caller, &address.line1)) br; }
                (place) " " (country)
            }
        }
    };
    html! {
        section.card aria-labelledby="s-b" {
            header { h2 #s-b { (caller.t("Buyer", "Acheteur")) }
                @if !caller.may(Role::Operator) { span.mute { (caller.t("masked for viewers", "masqué en lecture")) } } }
            dl.facts.pad {
                @if !order.email.is_empty() { dt { "E-mail" } dd { (masked(caller, &order.email)) } }
                @if !order.bill_to.is_empty() { (block(caller.t("Billed to", "Facturée à"), &order.bill_to)) }
                @if !order.ship_to.is_empty() { (block(caller.t("Shipped to", "Livrée à"), &order.ship_to)) }
                @if !order.note.is_empty() { dt { (caller.t("Note", "Note")) } dd { (masked(caller, &order.note)) } }
            }
        }
    }
}

/// What the systems answered, as it came, after the connector took out what is never kept.
fn raw(caller: &Caller, key: &RecordKey, source: &RecordRow, pair: &Pair) -> Markup {
    let text = |row: Option<&RecordRow>| {
        let text = row.and_then(|row| row.raw.clone())?;
        let value = serde_json::from_str::<serde_json::Value>(&text).ok();
        let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
        Some(shortened(pretty.unwrap_or(text)))
    };
    let to = pair
        .to
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    let both = [
        (key.connection.to_string(), text(Some(source))),
        (to, text(pair.target.as_ref())),
    ];
    html! {
        section.card aria-labelledby="s-r" {
            header { h2 #s-r { (caller.t("As it was answered", "Telle que répondue")) } }
            div.pad.stack { @for (name, text) in both { @if let Some(text) = text {
                details { summary { (name) } pre { (text) } }
            } } }
        }
    }
}

/// The longest raw answer that is shown.
const LONGEST: usize = 20_000;

fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn lanes(key: &RecordKey, pair: &Pair) -> [(Lane, String); 3] {
    let to = pair
        .to
        .as_ref()
        .map_or_else(|| "–".to_owned(), ToString::to_string);
    [
        (Lane::Source, key.connection.to_string()),
        (Lane::Hub, "Comptoir".to_owned()),
        (Lane::Target, to),
    ]
}
