//! Records of all connections in one shape, a page at a time.

use super::problem::Problem;
use super::token::{Scope, Token};
use axum::Json;
use axum::extract::{Path, Query};
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::key::{ConnectionName, Kind, RecordKey, RemoteId};
use comptoir_store::{CardQuery, CardRow, RecordState};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Items on a page, unless the call says otherwise, and at most.
const USUAL: usize = 50;
const MOST: usize = 200;

/// The filters of a list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Only of this connection.
    pub connection: Option<String>,
    /// Placed, shipped or seen at this instant or later (RFC 3339).
    pub since: Option<String>,
    /// Placed, shipped or seen at this instant or before (RFC 3339).
    pub until: Option<String>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Items on the page: 1 to 200, 50 when not said.
    pub limit: Option<usize>,
}

/// The same record in another system.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Link {
    /// Its connection.
    pub connection: String,
    /// Its id there.
    pub id: String,
}

/// A record of a connection.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Item {
    /// Where it lives.
    pub connection: String,
    /// Its id there.
    pub id: String,
    /// When it was placed, shipped or else seen (RFC 3339).
    pub at: String,
    /// `live`, or `gone` when the system says so.
    pub state: String,
    /// The same record in other systems.
    pub links: Vec<Link>,
    /// The canonical document, while it is kept.
    pub document: Option<Document>,
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The items, the latest first.
    pub items: Vec<Item>,
    /// What to ask for as `cursor` to go on; none on the last page.
    pub next: Option<String>,
}

type Answer = Result<Json<Page>, Problem>;
type Asked = Result<Query<Filter>, axum::extract::rejection::QueryRejection>;

fn instant(text: Option<&str>, usual: i64) -> Result<i64, Problem> {
    let Some(text) = text else { return Ok(usual) };
    let bad = || {
        Problem::with(
            Code::BadRequest,
            format!("`{text}` is no instant such as 2026-11-25T08:00:00Z"),
        )
    };
    text.parse::<Timestamp>()
        .map(|at| at.as_millisecond())
        .map_err(|_| bad())
}

/// The place where a page ended, as text and back.
fn cursor_of(card: &CardRow) -> String {
    let text = format!("{}\n{}\n{}", card.at, card.key.connection, card.key.id);
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn after(cursor: &str) -> Option<(i64, String, String)> {
    let bytes: Option<Vec<u8>> = (0..cursor.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(cursor.get(at..at + 2)?, 16).ok())
        .collect();
    let text = String::from_utf8(bytes?).ok()?;
    let mut parts = text.splitn(3, '\n');
    let at = parts.next()?.parse().ok()?;
    Some((at, parts.next()?.to_owned(), parts.next()?.to_owned()))
}

/// What a filter asks for.
fn query_of(kind: Kind, filter: &Filter) -> Result<CardQuery, Problem> {
    let bad = |words: &str| Problem::with(Code::BadRequest, words);
    let connection = match filter.connection.as_deref() {
        Some(name) => Some(
            name.parse::<ConnectionName>()
                .map_err(|error| bad(&error.to_string()))?,
        ),
        None => None,
    };
    let after = match filter.cursor.as_deref() {
        Some(text) => Some(after(text).ok_or_else(|| bad("the cursor is none of this API's"))?),
        None => None,
    };
    let limit = filter.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(bad("`limit` must be 1 to 200"));
    }
    Ok(CardQuery {
        kind,
        connection,
        since: instant(filter.since.as_deref(), i64::MIN)?,
        until: instant(filter.until.as_deref(), i64::MAX)?,
        after,
        limit,
    })
}

async fn page(token: &Token, kind: Kind, scope: Scope, asked: Asked) -> Answer {
    token.needs(scope)?;
    let Query(filter) =
        asked.map_err(|error| Problem::with(Code::BadRequest, error.body_text()))?;
    let query = query_of(kind, &filter)?;
    let cards = token.desk.store().cards(&query).await?;
    let next = (cards.len() == query.limit)
        .then(|| cards.last().map(cursor_of))
        .flatten();
    Ok(Json(Page {
        items: items(token, cards).await?,
        next,
    }))
}

/// The records of cards, in their order.
async fn items(token: &Token, cards: Vec<CardRow>) -> Result<Vec<Item>, Problem> {
    let store = token.desk.store();
    let mut by_connection: BTreeMap<(ConnectionName, Kind), Vec<RemoteId>> = BTreeMap::new();
    for card in &cards {
        let ids = by_connection.entry((card.key.connection.clone(), card.key.kind));
        ids.or_default().push(card.key.id.clone());
    }
    let mut found = BTreeMap::new();
    for ((connection, kind), ids) in &by_connection {
        let mut links = links(token, connection, *kind, ids).await?;
        for (id, row) in store.records(connection, *kind, ids, false).await? {
            let links = links.remove(&id).unwrap_or_default();
            let key = RecordKey {
                connection: connection.clone(),
                kind: *kind,
                id,
            };
            found.insert(key, (row, links));
        }
    }
    let item = |card: CardRow| {
        let (row, links) = found.remove(&card.key)?;
        let state = if row.state == RecordState::Gone {
            "gone"
        } else {
            "live"
        };
        Some(Item {
            connection: card.key.connection.to_string(),
            id: card.key.id.to_string(),
            at: instant_text(card.at),
            state: state.to_owned(),
            links,
            document: row.document,
        })
    };
    Ok(cards.into_iter().filter_map(item).collect())
}

/// An instant as RFC 3339.
pub fn instant_text(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |at| at.to_string())
}

/// The counterparts of records, in both directions.
async fn links(
    token: &Token,
    connection: &ConnectionName,
    kind: Kind,
    ids: &[RemoteId],
) -> Result<BTreeMap<RemoteId, Vec<Link>>, Problem> {
    let store = token.desk.store();
    let mut found: BTreeMap<RemoteId, Vec<Link>> = BTreeMap::new();
    let mut note = |id: RemoteId, connection: &ConnectionName, other: RemoteId| {
        let link = Link {
            connection: connection.to_string(),
            id: other.to_string(),
        };
        found.entry(id).or_default().push(link);
    };
    let present = token.desk.present();
    let flows = present
        .config
        .flows
        .values()
        .filter(|flow| flow.kind == kind);
    for flow in flows {
        if flow.from == *connection {
            let parts: Vec<_> = ids.iter().map(|id| (id.clone(), String::new())).collect();
            for (_, link) in store.links(&flow.from, kind, &parts, &flow.to).await? {
                note(link.src, &flow.to, link.dst_id);
            }
        }
        if flow.to == *connection && kind == Kind::Order {
            for link in store.links_between(&flow.from, &flow.to, kind, ids).await? {
                note(link.dst_id, &flow.from, link.src);
            }
        }
    }
    Ok(found)
}

/// `GET /v1/orders`.
pub async fn orders(token: Token, asked: Asked) -> Answer {
    page(&token, Kind::Order, Scope("read:orders"), asked).await
}

/// `GET /v1/customers`.
pub async fn customers(token: Token, asked: Asked) -> Answer {
    page(&token, Kind::Customer, Scope("read:customers"), asked).await
}

/// `GET /v1/products`.
pub async fn products(token: Token, asked: Asked) -> Answer {
    page(&token, Kind::Product, Scope("read:products"), asked).await
}

/// `GET /v1/shipments`.
pub async fn shipments(token: Token, asked: Asked) -> Answer {
    page(&token, Kind::Shipment, Scope("read:shipments"), asked).await
}

/// `GET /v1/refunds`.
pub async fn refunds(token: Token, asked: Asked) -> Answer {
    page(&token, Kind::Refund, Scope("read:orders"), asked).await
}

/// `GET /v1/orders/{connection}/{id}`.
pub async fn order(
    token: Token,
    Path((connection, id)): Path<(String, String)>,
) -> Result<Json<Item>, Problem> {
    token.needs(Scope("read:orders"))?;
    let nothing = || Problem::new(Code::NothingHere);
    let connection: ConnectionName = connection.parse().map_err(|_| nothing())?;
    let ids = [RemoteId(id)];
    let cards = token
        .desk
        .store()
        .cards_of(&connection, Kind::Order, &ids)
        .await?;
    let item = items(&token, cards).await?.into_iter().next();
    item.map(Json).ok_or_else(nothing)
}

/// What a connection has of one item.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StockItem {
    /// Its connection.
    pub connection: String,
    /// Its id there.
    pub id: String,
    /// When it was read or put (RFC 3339).
    pub at: String,
    /// The stock.
    pub stock: comptoir_model::stock::Stock,
}

/// What all connections have of some items.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StockPage {
    /// The items.
    pub items: Vec<StockItem>,
}

/// The filter of stock.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StockFilter {
    /// Stock keeping units, with commas between; at most 200.
    pub sku: Option<String>,
    /// Only of this connection.
    pub connection: Option<String>,
}

/// `GET /v1/stock?sku=A,B`.
pub async fn stock(
    token: Token,
    asked: Result<Query<StockFilter>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<StockPage>, Problem> {
    token.needs(Scope("read:stock"))?;
    let Query(filter) =
        asked.map_err(|error| Problem::with(Code::BadRequest, error.body_text()))?;
    let skus = filter.sku.unwrap_or_default();
    let skus: Vec<String> = skus
        .split(',')
        .map(str::trim)
        .filter(|sku| !sku.is_empty())
        .map(str::to_owned)
        .collect();
    if skus.is_empty() || skus.len() > MOST {
        return Err(Problem::with(
            Code::BadRequest,
            "`sku` must name 1 to 200 units",
        ));
    }
    let present = token.desk.present();
    let mut items = Vec::new();
    for name in present.config.connections.keys() {
        if filter
            .connection
            .as_deref()
            .is_some_and(|only| only != name.as_str())
        {
            continue;
        }
        let found = token.desk.store().levels_of_skus(name, &skus).await?;
        items.extend(found.into_values().flatten().map(|row| StockItem {
            connection: name.to_string(),
            id: row.item.to_string(),
            at: instant_text(row.as_of),
            stock: row.stock,
        }));
    }
    Ok(Json(StockPage { items }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is_one() {
        let card = CardRow {
            key: RecordKey {
                connection: "shop".parse().unwrap(),
                kind: Kind::Order,
                id: "10\n42".into(),
            },
            number: String::new(),
            at: 77,
            amount: None,
            currency: String::new(),
            word: String::new(),
            parent: String::new(),
            first_at: 0,
        };
        let cursor = cursor_of(&card);
        assert_eq!(
            after(&cursor),
            Some((77, "shop".to_owned(), "10\n42".to_owned()))
        );
        for bad in ["", "zz", "0", "ffff", "é"] {
            assert_eq!(after(bad), None, "{bad}");
        }
    }
}
