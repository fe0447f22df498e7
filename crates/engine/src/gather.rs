//! What a decision needs, fetched for many records at once: from the store, and from the target by questions.

use crate::answers::{believed, stored_value};
use crate::decide::{Missing, OrderLink, Source, Target, first_sight};
use crate::end::End;
use crate::note::link_row;
use crate::point::Point;
use crate::turn::{Item, Pass};
use crate::{retry, shelf};
use comptoir_model::cause::Cause;
use comptoir_model::document::{Digest, Document};
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{ConnectionName, FlowName, Kind, RecordKey, RemoteId};
use comptoir_model::order::Order;
use comptoir_model::port::{Candidate, Query, Seen};
use comptoir_rules::buyer;
use comptoir_rules::mapping::{Beside, Mapped};
use comptoir_store::{
    Commit, IdentityPut, LinkRow, LinkState, RecordPut, RecordRow, RecordState, StoreError, WorkRow,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio::task::JoinSet;

/// Questions per call of a connector.
const QUESTIONS: usize = 500;

/// Loads everything known about these rows of work. Rows whose flow is off or gone are left out: they stay as they are.
pub async fn items(pass: &mut Pass<'_>, works: Vec<WorkRow>) -> Result<Vec<Item>, StoreError> {
    items_as_seen(pass, works, HashMap::new()).await
}

/// The same, with what the sources of some of them say by now in place of what is stored.
pub async fn items_as_seen(
    pass: &mut Pass<'_>,
    works: Vec<WorkRow>,
    mut seen: HashMap<RemoteId, Source>,
) -> Result<Vec<Item>, StoreError> {
    let mut by_flow: BTreeMap<FlowName, Vec<WorkRow>> = BTreeMap::new();
    for work in works {
        by_flow.entry(work.flow.clone()).or_default().push(work);
    }
    let mut items = Vec::new();
    for (name, works) in by_flow {
        let Some(flow) = pass.hub.flow(&name) else {
            continue;
        };
        let ids: Vec<RemoteId> = works.iter().map(|work| work.src.clone()).collect();
        let store = &pass.hub.store;
        let kind = flow.kind;
        let raw = flow.rules.reads_raw();
        let mut records = store.records(&flow.source, kind, &ids, raw).await?;
        let parts: Vec<(RemoteId, String)> =
            ids.iter().map(|id| (id.clone(), String::new())).collect();
        let mut links = store
            .links(&flow.source, kind, &parts, &flow.target)
            .await?;
        for work in works {
            let id = work.src.clone();
            let key = RecordKey {
                connection: flow.source.clone(),
                kind,
                id: id.clone(),
            };
            let mut row = records.remove(&id);
            let raw = row.as_mut().and_then(|row| row.raw.take());
            let source = match seen.remove(&id) {
                Some(source) => source,
                None => source_of(key, row, work.want),
            };
            let buyer = buyer_key(pass, &source);
            let link = links.remove(&(id, String::new())).map(link_of);
            items.push(Item {
                work,
                flow: flow.clone(),
                source,
                raw,
                buyer,
                link,
                sold: None,
                sold_elsewhere: false,
                target: None,
                moves: 0,
                writes: 0,
                checked: false,
                end: None,
            });
        }
    }
    load_sold(pass, &mut items).await?;
    load_targets(pass, &mut items).await?;
    map(pass, &mut items).await?;
    load_parties(pass, &items).await?;
    load_answers(pass, &items).await?;
    Ok(items)
}

fn source_of(key: RecordKey, row: Option<RecordRow>, want: Digest) -> Source {
    let (digest, state, document) = match row {
        Some(row) => (row.digest, row.state, row.document),
        None => (want, RecordState::Gone, None),
    };
    let (mut order, mut shipment) = (None, None);
    match document.filter(|_| state == RecordState::Live) {
        Some(Document::Order(document)) => order = Some(Mapped::from(*document)),
        Some(Document::Shipment(document)) => shipment = Some(document),
        _ => {}
    }
    let missing = match (state, order.is_some() || shipment.is_some()) {
        (RecordState::Live, true) => Missing::No,
        (RecordState::Unreadable, _) => Missing::Unreadable,
        (RecordState::Gone, _) => Missing::Gone,
        (RecordState::Live | RecordState::Erased, _) => Missing::Expired,
    };
    Source {
        key,
        digest,
        order,
        shipment,
        missing,
    }
}

/// Applies the flows' rules to what the sources say, and to what they said when it was written last. The shop's own answer is kept of its
/// last version only: both are read with it.
async fn map(pass: &Pass<'_>, items: &mut [Item]) -> Result<(), StoreError> {
    let routed = |item: &&Item| item.flow.rules.reads_stock();
    let orders = items.iter().filter(routed);
    let orders = orders.filter_map(|item| item.source.order.as_deref());
    let stock = shelf::on_hand(
        &pass.hub.store,
        &pass.connection.name,
        &pass.account,
        orders,
    )
    .await?;
    for item in items.iter_mut() {
        let rules = &item.flow.rules;
        if rules.is_empty() {
            continue;
        }
        let beside = Beside {
            source: item.flow.source.as_str(),
            raw: item.raw.as_deref(),
            stock: Some(&stock),
        };
        let base = item.link.as_mut().and_then(|link| link.base.as_mut());
        for order in [item.source.order.as_mut(), base].into_iter().flatten() {
            *order = rules.apply(Order::clone(order), beside);
        }
        item.raw = None;
    }
    Ok(())
}

/// The shops' orders that the orders of shipments were made from.
async fn load_sold(pass: &Pass<'_>, items: &mut [Item]) -> Result<(), StoreError> {
    let mut by_erp: BTreeMap<ConnectionName, BTreeSet<RemoteId>> = BTreeMap::new();
    for item in items.iter() {
        if let Some(shipment) = &item.source.shipment {
            let orders = by_erp.entry(item.flow.source.clone()).or_default();
            orders.insert(shipment.order.clone());
        }
    }
    let shop = &pass.connection.name;
    for (erp, orders) in by_erp {
        let orders: Vec<RemoteId> = orders.into_iter().collect();
        let store = &pass.hub.store;
        let links = store
            .links_between(shop, &erp, Kind::Order, &orders)
            .await?;
        let anybody = store.links_back(&erp, Kind::Order, &orders).await?;
        let anybody: BTreeSet<RemoteId> = anybody.into_iter().map(|link| link.dst_id).collect();
        let sold: HashMap<RemoteId, RemoteId> = links
            .into_iter()
            .filter(|link| link.part.is_empty())
            .map(|link| (link.dst_id, link.src))
            .collect();
        for item in items.iter_mut().filter(|item| item.flow.source == erp) {
            let order = item
                .source
                .shipment
                .as_ref()
                .map(|shipment| &shipment.order);
            item.sold = order.and_then(|order| sold.get(order)).cloned();
            item.sold_elsewhere =
                item.sold.is_none() && order.is_some_and(|order| anybody.contains(order));
        }
    }
    Ok(())
}

fn link_of(row: LinkRow) -> OrderLink {
    OrderLink {
        id: row.dst_id,
        gone: row.state == LinkState::Gone,
        base_digest: row.base,
        base: None,
        put: row.put,
    }
}

/// The buyer's key: the account's id, or for a guest a keyed hash of the e-mail, so that no address stands in a key.
pub fn buyer_key(pass: &Pass<'_>, source: &Source) -> RemoteId {
    let Some(order) = &source.order else {
        return RemoteId::from("");
    };
    if let Some(customer) = &order.customer {
        return customer.clone();
    }
    let email = buyer::folded_email(&order.email);
    if email.is_empty() {
        return RemoteId(format!("order-{}", source.key.id));
    }
    RemoteId(format!("guest-{}", &pass.hub.keyed_hash(&email)[..24]))
}

/// Targets as last seen, and the source's documents they were written from.
async fn load_targets(pass: &Pass<'_>, items: &mut [Item]) -> Result<(), StoreError> {
    // What a shipment is told to is read right before it is.
    let orders = |item: &&mut Item| item.flow.kind == Kind::Order;
    let ids: Vec<RemoteId> = items
        .iter_mut()
        .filter(orders)
        .filter_map(|item| item.link.as_ref().map(|link| link.id.clone()))
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let store = &pass.hub.store;
    let mut records = store
        .records(&pass.connection.name, Kind::Order, &ids, false)
        .await?;
    for item in items.iter_mut().filter(orders) {
        let Some(link) = &mut item.link else { continue };
        if let Some(row) = records.remove(&link.id)
            && row.state == RecordState::Live
            && let Some(Document::Order(order)) = row.document
        {
            item.target = Some(Target {
                order: Some(*order),
                version: row.version,
                fresh: false,
            });
        }
        let Some(base) = link.base_digest else {
            continue;
        };
        if base != item.source.digest
            && let Some(Document::Order(order)) = store.document(&base).await?
        {
            link.base = Some(Mapped::from(*order));
        }
    }
    Ok(())
}

async fn load_parties(pass: &mut Pass<'_>, items: &[Item]) -> Result<(), StoreError> {
    let mut wanted: BTreeMap<_, BTreeSet<(RemoteId, String)>> = BTreeMap::new();
    for item in items {
        let Some(order) = &item.source.order else {
            continue;
        };
        let parts = wanted.entry(item.flow.source.clone()).or_default();
        parts.insert((item.buyer.clone(), String::new()));
        for order in [
            Some(order),
            item.link.as_ref().and_then(|link| link.base.as_ref()),
        ]
        .into_iter()
        .flatten()
        {
            if let Some(address) = buyer::delivery_contact(order) {
                parts.insert((item.buyer.clone(), crate::decide::address_part(address)));
            }
        }
    }
    for (source, parts) in wanted {
        let parts: Vec<(RemoteId, String)> = parts.into_iter().collect();
        let links = pass
            .hub
            .store
            .links(&source, Kind::Customer, &parts, &pass.connection.name)
            .await?;
        for ((buyer, part), row) in links {
            if row.state == LinkState::Gone {
                continue;
            }
            let party = pass.parties.entry((source.to_string(), buyer)).or_default();
            if part.is_empty() {
                party.main = Some(row.dst_id);
            } else {
                party.contacts.insert(part, row.dst_id);
            }
        }
    }
    Ok(())
}

/// Answers of earlier passes that are still believed: products and buyers. Keys are asked anew in every pass.
async fn load_answers(pass: &mut Pass<'_>, items: &[Item]) -> Result<(), StoreError> {
    let wanted: BTreeSet<(Kind, Query)> = items.iter().flat_map(remembered).collect();
    let mut groups: BTreeMap<(Kind, &'static str), HashMap<String, Query>> = BTreeMap::new();
    for (kind, query) in wanted {
        groups
            .entry((kind, query.attribute()))
            .or_default()
            .insert(stored_value(pass, &query), query);
    }
    for ((kind, attribute), mut queries) in groups {
        let values: Vec<String> = queries.keys().cloned().collect();
        let rows = pass
            .hub
            .store
            .identities(&pass.connection.name, kind, attribute, &values)
            .await?;
        for (value, row) in rows {
            let Some(asked_at) = row.asked_at else {
                continue;
            };
            if believed(row.ids.len(), asked_at, pass.now)
                && let Some(query) = queries.remove(&value)
                // What was learnt in this pass is newer.
                && pass.answers.get(kind, &query).is_none()
            {
                pass.answers.insert(kind, query, row.ids, asked_at);
            }
        }
    }
    Ok(())
}

/// What the target answered to questions, call by call.
pub struct Asked(Vec<Call>);

struct Call {
    kind: Kind,
    queries: Vec<Query>,
    answers: Result<Vec<Vec<Candidate>>, Fault>,
}

/// Asks the target, many questions per call and the calls together.
pub async fn ask(pass: &Pass<'_>, asks: BTreeSet<(Kind, Query)>) -> Asked {
    let mut by_kind: BTreeMap<Kind, Vec<Query>> = BTreeMap::new();
    for (kind, query) in asks {
        by_kind.entry(kind).or_default().push(query);
    }
    let mut calls = JoinSet::new();
    for (kind, queries) in by_kind {
        for chunk in queries.chunks(QUESTIONS) {
            let (chunk, patience) = (chunk.to_vec(), pass.hub.patience);
            let connector = pass.connection.connector.clone();
            calls.spawn(async move {
                let answers = retry::read(&patience, || connector.find(kind, &chunk)).await;
                Call {
                    kind,
                    queries: chunk,
                    answers,
                }
            });
        }
    }
    let mut asked = Vec::with_capacity(calls.len());
    while let Some(joined) = calls.join_next().await {
        asked.push(joined.unwrap_or_else(|_| {
            let fault = Fault::bug("the connector failed in a question");
            Call {
                kind: Kind::Order,
                queries: Vec::new(),
                answers: Err(fault),
            }
        }));
    }
    if !asked.is_empty() {
        pass.hub.breakpoints.pass(Point::Asked).await;
    }
    Asked(asked)
}

/// Notes answers, to be stored like any observation. What some calls answered is kept when others failed.
pub fn note_answers(pass: &mut Pass<'_>, Asked(calls): Asked) {
    for call in calls {
        match call.answers {
            Ok(answers) => {
                pass.reached = true;
                for (query, candidates) in call.queries.into_iter().zip(answers) {
                    keep_answer(pass, call.kind, query, candidates);
                }
            }
            Err(fault) => pass.stop = Some(fault),
        }
    }
}

fn keep_answer(pass: &mut Pass<'_>, kind: Kind, query: Query, candidates: Vec<Candidate>) {
    if !matches!(query, Query::Key(_) | Query::Reference(_)) {
        let value = stored_value(pass, &query);
        pass.learnt.identities.push(IdentityPut {
            dst: pass.connection.name.clone(),
            kind,
            attribute: query.attribute().to_owned(),
            value,
            ids: Some(candidates.clone()),
            asked_at: Some(pass.now),
            claimed_by: None,
        });
    }
    pass.answers.insert(kind, query, candidates, pass.now);
}

/// The target's records as they were read again, chunk by chunk.
pub struct Looked(Vec<Result<Vec<Seen>, Fault>>);

/// Reads the target's records of these items again.
pub async fn look(pass: &Pass<'_>, items: &[Item], which: &[usize]) -> Looked {
    let ids: Vec<RemoteId> = which
        .iter()
        .filter_map(|&index| items[index].target_id().cloned())
        .collect();
    let capabilities = pass.connection.connector.capabilities();
    let chunk = capabilities
        .reads(Kind::Order)
        .map_or(100, |reads| reads.ids.max(1));
    let mut looked = Vec::new();
    for chunk in ids.chunks(chunk) {
        let connector = &pass.connection.connector;
        let answers = retry::read(&pass.hub.patience, || connector.read(Kind::Order, chunk)).await;
        let failed = answers.is_err();
        looked.push(answers);
        if failed {
            break;
        }
    }
    Looked(looked)
}

/// Notes what the target's records look like now.
pub fn note_looks(pass: &mut Pass<'_>, items: &mut [Item], which: &[usize], looked: Looked) {
    let mut seen: HashMap<RemoteId, Result<(Order, String), Fault>> = HashMap::new();
    let mut commit = std::mem::take(&mut pass.learnt);
    for answers in looked.0 {
        match answers {
            Ok(answers) => {
                pass.reached = true;
                for answer in answers {
                    note_seen(pass, answer, &mut seen, &mut commit);
                }
            }
            Err(fault) => pass.stop = Some(fault),
        }
    }
    for &index in which {
        let item = &mut items[index];
        item.moves += 1;
        if item.flow.kind == Kind::Shipment {
            look_at_sold(item, &seen);
            continue;
        }
        let Some(link) = &mut item.link else { continue };
        match seen.get(&link.id) {
            Some(Ok((order, version))) => {
                let first = link.put.is_none();
                if first {
                    let written = link.base.as_deref().or(item.source.order.as_deref());
                    link.put = first_sight(written, order, item.flow.policy.tolerance);
                }
                item.target = Some(Target {
                    order: Some(order.clone()),
                    version: version.clone(),
                    fresh: true,
                });
                if first {
                    // Kept now: what is seen later may be a person's.
                    commit.links.extend(link_row(pass, item));
                }
            }
            Some(Err(fault)) if fault.next == Next::Gone => {
                link.gone = true;
                item.target = None;
                commit.links.extend(link_row(pass, item));
            }
            Some(Err(fault)) => {
                item.end = Some(End::Held(vec![Cause::Bug(fault.code)], Some(fault.clone())));
            }
            None => item.end = Some(End::Due),
        }
    }
    pass.learnt = commit;
}

/// Notes what a shop's order looks like that a shipment is to be told to.
fn look_at_sold(item: &mut Item, seen: &HashMap<RemoteId, Result<(Order, String), Fault>>) {
    let id = item.target_id().cloned();
    item.target = match id.and_then(|id| seen.get(&id)) {
        Some(Ok((order, version))) => Some(Target {
            order: Some(order.clone()),
            version: version.clone(),
            fresh: true,
        }),
        Some(Err(fault)) if fault.next == Next::Gone => Some(Target {
            order: None,
            version: String::new(),
            fresh: true,
        }),
        Some(Err(fault)) => {
            item.end = Some(End::Held(vec![Cause::Bug(fault.code)], Some(fault.clone())));
            None
        }
        None => {
            item.end = Some(End::Due);
            None
        }
    };
}

/// The questions about an item whose answers may have been remembered from earlier passes.
pub fn remembered(item: &Item) -> Vec<(Kind, Query)> {
    let Some(order) = &item.source.order else {
        return Vec::new();
    };
    let mut asked = Vec::new();
    if let Ok(skus) = comptoir_rules::order::needed_skus(order, &item.flow.policy) {
        asked.extend(skus.into_iter().map(|sku| (Kind::Product, Query::Sku(sku))));
    }
    let email = buyer::folded_email(&order.email);
    if !email.is_empty() {
        asked.push((Kind::Customer, Query::Email(email)));
    }
    let vat_number = buyer::folded_vat_number(&order.vat_number);
    if !vat_number.is_empty() {
        asked.push((Kind::Customer, Query::VatNumber(vat_number)));
    }
    asked
}

/// What a flow reads as its source is not stored here: it would be no news to that flow any more.
fn note_seen(
    pass: &Pass<'_>,
    answer: Seen,
    seen: &mut HashMap<RemoteId, Result<(Order, String), Fault>>,
    commit: &mut Commit,
) {
    let kept = !pass.hub.reads(&pass.connection.name, Kind::Order);
    match answer {
        Seen::Record(record) => {
            commit
                .records
                .extend(kept.then(|| record_put(pass, &record)));
            if let Document::Order(order) = record.document {
                seen.insert(record.id, Ok((*order, record.version)));
            }
        }
        Seen::Gone(id) => {
            let gone = RecordPut {
                connection: pass.connection.name.clone(),
                kind: Kind::Order,
                id: id.clone(),
                parent: None,
                version: String::new(),
                digest: Digest::of(b"gone"),
                state: RecordState::Gone,
                document: None,
                raw: None,
                seen_at: pass.now,
            };
            commit.records.extend(kept.then_some(gone));
            let fault = Fault::gone(
                comptoir_model::code::Code::RecordGone,
                "the target does not have it any more",
            );
            seen.insert(id, Err(fault));
        }
        Seen::Unreadable(item) => {
            if let Some(id) = item.id {
                seen.insert(id, Err(item.fault));
            }
        }
    }
}

/// The stored form of a record read from the target.
pub fn record_put(pass: &Pass<'_>, record: &comptoir_model::port::Record) -> RecordPut {
    let document = record.document.to_json();
    RecordPut {
        connection: pass.connection.name.clone(),
        kind: record.document.kind(),
        id: record.id.clone(),
        parent: None,
        version: record.version.clone(),
        digest: Digest::of(&document),
        state: RecordState::Live,
        document: Some(document),
        raw: None,
        seen_at: pass.now,
    }
}
