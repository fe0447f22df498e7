//! Who has this reference, e-mail address or SKU. The shop keeps no field for a key of ours, so nothing is found by one.

use super::Shop;
use super::ask::{List, Mark};
use super::product;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Candidate, Query};
use std::collections::BTreeSet;

impl Shop {
    /// Candidates for each query, in their order.
    pub(super) async fn candidates(
        &self,
        kind: Kind,
        queries: &[Query],
    ) -> Result<Vec<Vec<Candidate>>, Fault> {
        let all = |fits: fn(&Query) -> bool| queries.iter().all(fits);
        match kind {
            Kind::Order if all(|query| matches!(query, Query::Reference(_))) => {
                self.orders_by_number(queries).await
            }
            Kind::Customer if all(|query| matches!(query, Query::Email(_))) => {
                self.customers_by_email(queries).await
            }
            Kind::Product if all(|query| matches!(query, Query::Sku(_))) => {
                self.products_by_sku(queries).await
            }
            other => Err(Fault::bug(format!("{other} cannot be found by that"))),
        }
    }

    async fn marks(&self, list: List, field: &str, values: &[&str]) -> Result<Vec<Mark>, Fault> {
        let rows = self.rows_by(list, field, values).await?;
        rows.iter()
            .map(|row| comptoir_kit::decode::json(row.get().as_bytes()))
            .collect()
    }

    /// A number is the reference; of a basket that became several orders, with the position behind it.
    async fn orders_by_number(&self, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        let list = List::of("orders.by_number", "orders", "id,reference");
        let references = askable(queries, |number| split(number).0)?;
        let mut marks = self.marks(list, "reference", &references).await?;
        marks.sort_by_key(|mark| mark.id.parse::<u64>().unwrap_or(u64::MAX));
        let of = |query: &Query| {
            let (reference, position) = split(query.value().trim());
            let same = marks.iter().filter(|mark| mark.reference == reference);
            let mut found: Vec<Candidate> = same
                .map(|mark| candidate(&mark.id, &mark.reference))
                .collect();
            // The plain reference is the number of the first of them.
            let own = position.min(found.len());
            found.drain(..own);
            found.truncate(1);
            found
        };
        Ok(queries.iter().map(of).collect())
    }

    async fn customers_by_email(&self, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        let list = List::of("customers.by_email", "customers", "id,email");
        let emails = askable(queries, |email| email)?;
        let marks = self.marks(list, "email", &emails).await?;
        let of = |query: &Query| {
            let email = query.value().trim().to_lowercase();
            let same = marks
                .iter()
                .filter(|mark| !email.is_empty() && mark.email.to_lowercase() == email);
            // The address is personal data, so a candidate has no label.
            same.map(|mark| candidate(&mark.id, "")).collect()
        };
        Ok(queries.iter().map(of).collect())
    }

    /// Products and combinations. Neither is unique: all eight combinations of one shirt may have its reference.
    async fn products_by_sku(&self, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        let skus = askable(queries, |sku| sku)?;
        let products = List::of("products.by_sku", "products", "id,reference").catalogue();
        let products = self.marks(products, "reference", &skus).await?;
        let combinations = "id,id_product,reference";
        let combinations =
            List::of("combinations.by_sku", "combinations", combinations).catalogue();
        let combinations = self.marks(combinations, "reference", &skus).await?;
        let of = |query: &Query| {
            let sku = query.value().trim();
            let same =
                |mark: &&Mark| !sku.is_empty() && mark.reference.trim().eq_ignore_ascii_case(sku);
            let whole = products
                .iter()
                .filter(same)
                .map(|mark| candidate(&mark.id, mark.reference.trim()));
            let parts = combinations.iter().filter(same).filter_map(|mark| {
                let id = product::id_of(&mark.id_product, &mark.id)?;
                Some(Candidate {
                    id,
                    label: mark.reference.trim().to_owned(),
                })
            });
            whole.chain(parts).collect()
        };
        Ok(queries.iter().map(of).collect())
    }
}

/// The reference in a number, and how many orders of it come before.
fn split(number: &str) -> (&str, usize) {
    match number.rsplit_once('#') {
        Some((reference, position)) => match position.parse::<usize>() {
            Ok(position) if position > 0 => (reference, position - 1),
            _ => (number, 0),
        },
        None => (number, 0),
    }
}

/// The distinct values of queries. A filter cannot hold what its own form is made of.
fn askable(queries: &[Query], part: fn(&str) -> &str) -> Result<Vec<&str>, Fault> {
    let values = queries.iter().map(|query| part(query.value().trim()));
    let values: BTreeSet<&str> = values.filter(|value| !value.is_empty()).collect();
    if values.iter().any(|value| value.contains(['|', '[', ']'])) {
        return Err(Fault::refused(
            Code::BadValue,
            "the shop cannot be asked for a value with `|`, `[` or `]` in it",
        ));
    }
    Ok(values.into_iter().collect())
}

fn candidate(id: &str, label: &str) -> Candidate {
    Candidate {
        id: RemoteId::from(id),
        label: label.to_owned(),
    }
}
