//! Questions: who carries this key, this reference, this SKU, this e-mail? What comes back is compared here once more: the database
//! compares without regard to case and accents, and [`filter`] asks for a little more than it should.

use super::api::Api;
use super::filter;
use super::key::UNFINISHED;
use super::map::CONTACT;
use super::wire::{Order, Party, Product};
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Candidate, Query};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Values of one call: they go into its address.
const MANY: usize = 20;

/// Candidates for each query, in the order of the queries.
pub(super) async fn find(
    api: &Api,
    kind: Kind,
    queries: &[Query],
) -> Result<Vec<Vec<Candidate>>, Fault> {
    let mut by_attribute: BTreeMap<&'static str, Vec<&Query>> = BTreeMap::new();
    for query in queries {
        by_attribute
            .entry(query.attribute())
            .or_default()
            .push(query);
    }
    let mut answers: HashMap<Query, Vec<Candidate>> = HashMap::new();
    for (attribute, asked) in by_attribute {
        for part in asked.chunks(MANY) {
            for (query, candidates) in ask(api, kind, attribute, part).await? {
                answers.insert(query.clone(), candidates);
            }
        }
    }
    Ok(queries
        .iter()
        .map(|query| answers.get(query).cloned().unwrap_or_default())
        .collect())
}

type Found<'a> = Vec<(&'a Query, Vec<Candidate>)>;

async fn ask<'a>(
    api: &Api,
    kind: Kind,
    attribute: &str,
    asked: &[&'a Query],
) -> Result<Found<'a>, Fault> {
    match (kind, attribute) {
        (Kind::Order, "key") => orders(api, asked, "ref_ext").await,
        (Kind::Order, "reference") => orders(api, asked, "ref_client").await,
        (Kind::Customer, "key") => customers_by_key(api, asked).await,
        (Kind::Customer, "email" | "vat_number") => customers(api, asked).await,
        (Kind::Product, "key") => products(api, asked, "ref_ext").await,
        (Kind::Product, "sku") => products(api, asked, "ref").await,
        _ => Err(Fault::bug(format!("no {kind} is found by {attribute}"))),
    }
}

fn candidate(id: impl ToString, label: &str) -> Candidate {
    Candidate {
        id: RemoteId(id.to_string()),
        label: label.to_owned(),
    }
}

fn filter_of(field: &str, asked: &[&Query]) -> String {
    let criteria: Vec<String> = asked
        .iter()
        .map(|query| filter::text(field, query.value()))
        .collect();
    filter::any(&criteria)
}

/// Orders that carry a key or a number of the shop. A cancelled one counts by its number only where there is no other, and one of ours
/// that is not complete yet never: the create that is sent again completes it.
async fn orders<'a>(api: &Api, asked: &[&'a Query], field: &str) -> Result<Found<'a>, Fault> {
    let filter = filter_of(field, asked);
    let rows: Vec<Order> = api.all("orders.find", "orders", &filter).await?;
    let answer = |query: &&'a Query| {
        let fits = |row: &&Order| {
            let value = if field == "ref_ext" {
                &row.ref_ext
            } else {
                &row.ref_client
            };
            value == query.value() && !row.ref_ext.ends_with(UNFINISHED)
        };
        let fitting: Vec<&Order> = rows.iter().filter(fits).collect();
        let living: Vec<&&Order> = fitting.iter().filter(|row| row.state() != -1).collect();
        let found = if living.is_empty() {
            fitting.iter().collect()
        } else {
            living
        };
        let candidates = found.iter().map(|row| candidate(row.id, &row.number));
        (*query, candidates.collect())
    };
    Ok(asked.iter().map(answer).collect())
}

async fn products<'a>(api: &Api, asked: &[&'a Query], field: &str) -> Result<Found<'a>, Fault> {
    let filter = filter_of(field, asked);
    let rows: Vec<Product> = api.all("products.find", "products", &filter).await?;
    let answer = |query: &&'a Query| {
        let fits = |row: &&Product| {
            let value = if field == "ref" {
                row.reference.trim()
            } else {
                &row.ref_ext
            };
            value == query.value()
        };
        let fitting = rows.iter().filter(fits);
        let candidates = fitting.map(|row| candidate(row.id, row.reference.trim()));
        (*query, candidates.collect())
    };
    Ok(asked.iter().map(answer).collect())
}

/// Third parties and contacts of our keys.
async fn customers_by_key<'a>(api: &Api, asked: &[&'a Query]) -> Result<Found<'a>, Fault> {
    let filter = filter_of("ref_ext", asked);
    let parties: Vec<Party> = api.all("customers.find", "thirdparties", &filter).await?;
    let contacts: Vec<Party> = api.all("contacts.find", "contacts", &filter).await?;
    let answer = |query: &&'a Query| {
        let fits = |row: &&Party| row.ref_ext == query.value();
        let mut candidates: Vec<Candidate> = parties
            .iter()
            .filter(fits)
            .map(|row| candidate(row.id, &row.code_client))
            .collect();
        let contacts = contacts.iter().filter(fits);
        candidates.extend(contacts.map(|row| candidate(format!("{CONTACT}{}", row.id), "")));
        (*query, candidates)
    };
    Ok(asked.iter().map(answer).collect())
}

/// Third parties by e-mail, their own or a contact's, or by VAT number. A contact's third party is the customer.
async fn customers<'a>(api: &Api, asked: &[&'a Query]) -> Result<Found<'a>, Fault> {
    let by_email = matches!(asked.first(), Some(Query::Email(_)));
    let criterion = |query: &&Query| match query {
        Query::Email(email) => filter::text("email", email.trim()),
        other => filter::loosely("tva_intra", other.value()),
    };
    let criteria: Vec<String> = asked.iter().map(criterion).collect();
    let filter = filter::any(&criteria);
    let parties: Vec<Party> = api.all("customers.find", "thirdparties", &filter).await?;
    let contacts: Vec<Party> = if by_email {
        api.all("contacts.find", "contacts", &filter).await?
    } else {
        Vec::new()
    };
    let answer = |query: &&'a Query| {
        let fits = |row: &&Party| match query {
            Query::Email(email) => folded(&row.email) == folded(email),
            other => compact(&row.tva_intra) == compact(other.value()),
        };
        let own = parties.iter().filter(fits).map(|row| row.id.to_string());
        let of_contacts = contacts.iter().filter(fits);
        let parents = of_contacts.filter_map(|row| row.socid.as_ref().map(|id| id.0.clone()));
        let ids: BTreeSet<String> = own.chain(parents).collect();
        let label = |id: &String| {
            let party = parties.iter().find(|party| party.id.to_string() == *id);
            party.map_or("", |party| party.code_client.as_str())
        };
        let candidates = ids.iter().map(|id| candidate(id, label(id)));
        (*query, candidates.collect())
    };
    Ok(asked.iter().map(answer).collect())
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

fn compact(text: &str) -> String {
    let kept = text.chars().filter(char::is_ascii_alphanumeric);
    kept.collect::<String>().to_ascii_uppercase()
}
