//! Where is order 1042? Found by any number, e-mail, SKU or tracking number. One hit is shown at once, several as a list.

use super::caller::{Caller, encoded};
use super::clerk::{self, hashed, term};
use super::frame::{self, Page};
use super::icon::chip;
use super::refusal::Said;
use super::{amount, wording};
use axum::extract::Query;
use axum::response::Redirect;
use comptoir_model::document::Document;
use comptoir_model::key::{Kind, RecordKey, RemoteId};
use comptoir_store::{CardRow, StoreError, WorkState};
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// Hits looked at, and shown.
const LOOKED_AT: usize = 200;
const SHOWN: usize = 50;

/// `GET /find?q=…`.
pub async fn page(
    caller: Caller,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Result<Redirect, Markup>, Said> {
    let asked = query.get("q").map_or("", |q| q.trim());
    let found = match asked.chars().count() {
        0 => Vec::new(),
        _ => search(&caller, asked)
            .await
            .map_err(|error| caller.broken(error))?,
    };
    if let [only] = &*found {
        return Ok(Ok(Redirect::to(&address(&only.key))));
    }
    let states = states(&caller, &found).await;
    let states = states.map_err(|error| caller.broken(error))?;
    let title = match (found.len(), asked.is_empty()) {
        (_, true) => caller.t("Search", "Rechercher").to_owned(),
        (0, _) => format!(
            "{} “{asked}”",
            caller.t("Nothing found for", "Rien trouvé pour")
        ),
        (n, _) => {
            let count = wording::counted(
                caller.language,
                n as u64,
                ["order", "commande"],
                ["orders", "commandes"],
            );
            format!("{count}{} “{asked}”", caller.t(" found for", " pour"))
        }
    };
    let title = match caller.language {
        comptoir_model::code::Language::French => {
            title.replace('“', "«\u{202f}").replace('”', "\u{202f}»")
        }
        comptoir_model::code::Language::English => title,
    };
    let body = html! {
        section.card aria-label=(caller.t("Found", "Résultats")) {
            @if found.is_empty() {
                div.pad.rule.stack {
                    p.sub { (caller.t("A number of the shop or the ERP, an e-mail or its beginning, a SKU, a tracking number. Records are found some seconds after they were read.",
                        "Un numéro de la boutique ou de l’ERP, un e-mail ou son début, un SKU, un numéro de suivi. Une fiche se trouve quelques secondes après sa lecture.")) }
                }
            } @else { (list(&caller, &found, &states)) }
        }
    };
    let mut page = Page::new(None, &title, body);
    page.asked = Some(asked);
    Ok(Err(frame::page(&caller, page).await?))
}

/// The address of a record's page.
pub fn address(key: &RecordKey) -> String {
    format!(
        "/record/{}/{}/{}",
        key.connection,
        key.kind,
        encoded(key.id.as_str())
    )
}

/// The source orders that fit, the latest first.
pub async fn search(caller: &Caller, asked: &str) -> Result<Vec<CardRow>, StoreError> {
    let store = caller.store();
    let hub = &caller.present.hub;
    let bare = asked.trim_start_matches('#');
    let mut words = vec![term('n', bare), term('s', asked), term('t', asked)];
    let email = asked.to_lowercase();
    if email.contains('@') {
        words.push(hashed(hub, 'e', &email));
    }
    let mut keys = store.found_by(&words, LOOKED_AT).await?;
    if keys.is_empty() {
        keys = by_beginning(caller, &email).await?;
    }
    let mut roots: BTreeSet<RecordKey> = BTreeSet::new();
    for key in keys {
        roots.extend(root(caller, key).await?);
    }
    let mut cards = Vec::new();
    for key in roots.into_iter().take(LOOKED_AT) {
        let ids = [key.id.clone()];
        cards.extend(store.cards_of(&key.connection, key.kind, &ids).await?);
    }
    cards.sort_by_key(|card| std::cmp::Reverse(card.at));
    cards.truncate(SHOWN);
    Ok(cards)
}

/// Orders whose e-mail begins so. The hashes of a few lengths narrow it down; the documents decide.
async fn by_beginning(caller: &Caller, email: &str) -> Result<Vec<RecordKey>, StoreError> {
    let length = email.chars().count();
    let Some(known) = clerk::BEGINNINGS.into_iter().find(|known| *known <= length) else {
        return Ok(Vec::new());
    };
    let beginning: String = email.chars().take(known).collect();
    let word = hashed(&caller.present.hub, 'b', &beginning);
    let keys = caller.store().found_by(&[word], LOOKED_AT).await?;
    let mut fitting = Vec::new();
    for key in keys {
        let ids = [key.id.clone()];
        let found = caller
            .store()
            .records(&key.connection, key.kind, &ids, false)
            .await?;
        let document = found.into_values().next().and_then(|row| row.document);
        let fits = |text: &str| text.trim().to_lowercase().starts_with(email);
        let is_it = match &document {
            Some(Document::Order(order)) => fits(&order.email),
            Some(Document::Customer(customer)) => fits(&customer.email),
            _ => false,
        };
        if is_it {
            fitting.push(key);
        }
    }
    Ok(fitting)
}

/// The source's order that a record belongs to; none for what belongs to no order.
pub async fn root(caller: &Caller, key: RecordKey) -> Result<Option<RecordKey>, StoreError> {
    let store = caller.store();
    let key = match key.kind {
        Kind::Order => key,
        Kind::Shipment | Kind::Refund | Kind::Invoice => {
            let ids = [key.id.clone()];
            let cards = store.cards_of(&key.connection, key.kind, &ids).await?;
            match cards.first().map(|card| card.parent.clone()) {
                Some(parent) if !parent.is_empty() => RecordKey {
                    kind: Kind::Order,
                    id: RemoteId(parent),
                    connection: key.connection,
                },
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    for flow in caller.present.config.flows.values() {
        if flow.kind == Kind::Order && flow.to == key.connection {
            let ids = [key.id.clone()];
            let links = store
                .links_between(&flow.from, &flow.to, Kind::Order, &ids)
                .await?;
            if let Some(link) = links.into_iter().next() {
                return Ok(Some(RecordKey {
                    connection: flow.from.clone(),
                    kind: Kind::Order,
                    id: link.src,
                }));
            }
        }
    }
    Ok(Some(key))
}

/// Where these orders stand: the worst of the flows that have them.
async fn states(
    caller: &Caller,
    cards: &[CardRow],
) -> Result<BTreeMap<RecordKey, WorkState>, StoreError> {
    let ids: Vec<RemoteId> = cards.iter().map(|card| card.key.id.clone()).collect();
    let found = caller.store().states(Kind::Order, &ids).await?;
    let mut states = BTreeMap::new();
    for card in cards {
        let of = |(id, flow): &(RemoteId, comptoir_model::key::FlowName)| {
            let config = caller.present.config.flows.get(flow);
            *id == card.key.id && config.is_some_and(|config| config.from == card.key.connection)
        };
        let worst = found
            .iter()
            .filter(|(key, _)| of(key))
            .map(|(_, state)| *state);
        if let Some(state) = worst.min_by_key(|state| rank(*state)) {
            states.insert(card.key.clone(), state);
        }
    }
    Ok(states)
}

fn rank(state: WorkState) -> u8 {
    match state {
        WorkState::Held => 0,
        WorkState::Due | WorkState::Waiting => 1,
        WorkState::Done => 2,
        WorkState::Skipped => 3,
    }
}

/// The state of a record as a chip.
pub fn state_chip(caller: &Caller, state: Option<WorkState>) -> Markup {
    match state {
        Some(WorkState::Done) => chip("ok", "ok", caller.t("Confirmed", "Confirmée")),
        Some(WorkState::Held) => chip("held", "held", caller.t("Held", "Retenue")),
        Some(WorkState::Due | WorkState::Waiting) => {
            chip("wait", "wait", caller.t("On its way", "En route"))
        }
        Some(WorkState::Skipped) => chip("idle", "skip", caller.t("Skipped", "Ignorée")),
        None => chip("idle", "dot", caller.t("No flow", "Aucun flux")),
    }
}

fn list(caller: &Caller, cards: &[CardRow], states: &BTreeMap<RecordKey, WorkState>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caller.t("Orders", "Commandes")) { table {
            thead { tr {
                th scope="col" { (caller.t("Order", "Commande")) }
                th.hide-s scope="col" { (caller.t("Connection", "Connexion")) }
                th scope="col" { (caller.t("Placed", "Passée")) }
                th.n scope="col" { (caller.t("Charged", "Facturé")) }
                th scope="col" { (caller.t("State", "État")) }
            } }
            tbody { @for card in cards { tr {
                th.nw scope="row" { a href=(address(&card.key)) { (card.number) } }
                td.hide-s.sub { (card.key.connection) }
                td.nw { (caller.moment(card.at)) }
                td.n { @if let Some(amount) = card.amount { (amount::money(caller.language, amount, &card.currency)) } }
                td { (state_chip(caller, states.get(&card.key).copied())) }
            } } }
        } }
    }
}
