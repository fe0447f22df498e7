//! Who has this number, e-mail address or SKU. The shop cannot be asked for meta data, so nothing is found by a key of ours.

use super::read::{is_number, resource};
use super::wire::Mark;
use super::{Shop, path};
use comptoir_kit::http::Call;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Candidate, Query};

/// SKUs per call.
const SKUS: usize = 50;

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

    async fn marks(&self, call: Call) -> Result<Vec<Mark>, Fault> {
        self.ask(call).await?.json()
    }

    /// A number is the id unless a plug-in numbers orders; then only the shop's search may know it.
    async fn orders_by_number(&self, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        let ids: Vec<&str> = queries
            .iter()
            .map(|query| query.value().trim())
            .filter(|number| is_number(&RemoteId::from(*number)))
            .collect();
        let mut by_id = Vec::new();
        for chunk in ids.chunks(100) {
            let call = Call::get("orders.by_number", path("orders"))
                .query("include", chunk.join(","))
                .query("per_page", chunk.len())
                .query("_fields", "id,number");
            by_id.extend(self.marks(call).await?);
        }
        let mut found = Vec::with_capacity(queries.len());
        for query in queries {
            let number = query.value().trim();
            let mut candidates = numbered(&by_id, number);
            if candidates.is_empty() && !number.is_empty() {
                let call = Call::get("orders.search", path("orders"))
                    .query("search", number)
                    .query("per_page", 50)
                    .query("_fields", "id,number");
                candidates = numbered(&self.marks(call).await?, number);
            }
            found.push(candidates);
        }
        Ok(found)
    }

    async fn customers_by_email(&self, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        let mut found = Vec::with_capacity(queries.len());
        for query in queries {
            let email = query.value().trim();
            if email.is_empty() {
                found.push(Vec::new());
                continue;
            }
            let call = Call::get("customers.by_email", path(resource(Kind::Customer)))
                .query("email", email)
                .query("role", "all")
                .query("_fields", "id,email");
            let marks = self.marks(call).await?;
            let same = marks
                .iter()
                .filter(|mark| mark.email.to_lowercase() == email.to_lowercase());
            // The address is personal data, so a candidate has no label.
            found.push(same.map(|mark| candidate(&mark.id, "")).collect());
        }
        Ok(found)
    }

    /// Products and variations. The shop splits the list at commas, and takes the whole text as one SKU too: a SKU with a comma is asked alone.
    async fn products_by_sku(&self, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        let skus = queries.iter().map(|query| query.value().trim());
        let (odd, plain): (Vec<&str>, Vec<&str>) = skus
            .filter(|sku| !sku.is_empty())
            .partition(|sku| sku.contains(','));
        let asks = plain.chunks(SKUS).map(|chunk| chunk.join(","));
        let asks = asks.chain(odd.into_iter().map(str::to_owned));
        let mut marks = Vec::new();
        for sku in asks.collect::<Vec<_>>() {
            let call = Call::get("products.by_sku", path(resource(Kind::Product)))
                .query("sku", sku)
                .query("per_page", 100)
                .query("_fields", "id,sku");
            marks.extend(self.marks(call).await?);
        }
        let of = |query: &Query| {
            let sku = query.value().trim();
            // The shop compares without regard to case.
            let same = |mark: &&Mark| !sku.is_empty() && mark.sku.trim().eq_ignore_ascii_case(sku);
            let mut candidates: Vec<Candidate> = marks
                .iter()
                .filter(same)
                .map(|mark| candidate(&mark.id, mark.sku.trim()))
                .collect();
            candidates.sort_by(|a, b| a.id.cmp(&b.id));
            candidates.dedup_by(|a, b| a.id == b.id);
            candidates
        };
        Ok(queries.iter().map(of).collect())
    }
}

fn numbered(marks: &[Mark], number: &str) -> Vec<Candidate> {
    let same = marks.iter().filter(|mark| mark.number == number);
    same.map(|mark| candidate(&mark.id, &mark.number)).collect()
}

fn candidate(id: &RemoteId, label: &str) -> Candidate {
    Candidate {
        id: id.clone(),
        label: label.to_owned(),
    }
}
