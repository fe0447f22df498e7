//! Who the buyer is in the target: the ladder of matching, and the contacts an order needs.

use super::{Case, Decision, Proposal};
use comptoir_model::address::Address;
use comptoir_model::cause::Cause;
use comptoir_model::customer::{ContactRole, Customer};
use comptoir_model::document::{Digest, Document};
use comptoir_model::key::{Kind, RecordKey, RemoteId, WriteKey};
use comptoir_model::order::Order;
use comptoir_model::port::{Query, Step};
use comptoir_rules::buyer;
use comptoir_rules::mapping::Mapped;

/// The contacts an order names in the target.
pub struct Contacts {
    /// The customer, who is also billed.
    pub customer: RemoteId,
    /// Where goods go.
    pub deliver_to: RemoteId,
}

/// What to ask about the buyer, unless it is linked already.
pub fn questions(case: &Case<'_>, order: &Order) -> Vec<(Kind, Query)> {
    if case.party.main.is_some() {
        return Vec::new();
    }
    // Our key too: after a restored backup it may have been used although no link says so.
    let keyed = Query::Key(key_of(case, ""));
    ladder(case, order)
        .into_iter()
        .chain([keyed])
        .map(|query| (Kind::Customer, query))
        .collect()
}

/// The identifiers that may say who a buyer is, the strongest first.
fn ladder(case: &Case<'_>, order: &Order) -> Vec<Query> {
    let policy = &case.flow.policy.customers;
    let mut rungs = Vec::new();
    let vat_number = buyer::folded_vat_number(&order.vat_number);
    let is_company = !buyer::main_address(order).company.trim().is_empty();
    if policy.match_vat_number && is_company && !vat_number.is_empty() {
        rungs.push(Query::VatNumber(vat_number));
    }
    let email = buyer::folded_email(&order.email);
    if policy.match_email && !email.is_empty() {
        rungs.push(Query::Email(email));
    }
    rungs.retain(|query| (case.can_find)(Kind::Customer, query.attribute()));
    rungs
}

/// The identifiers that a create of this customer takes, whichever of them a policy matches by.
pub fn claims_of(customer: &Customer) -> Vec<Query> {
    let vat_number = buyer::folded_vat_number(&customer.vat_number);
    let email = buyer::folded_email(&customer.email);
    let vat_number = (!vat_number.is_empty()).then_some(Query::VatNumber(vat_number));
    let email = (!email.is_empty()).then_some(Query::Email(email));
    vat_number.into_iter().chain(email).collect()
}

/// The contacts, or what has to happen before they are known.
pub fn resolve(case: &Case<'_>, order: &Mapped) -> Result<Contacts, Decision> {
    let customer = match &case.party.main {
        Some(id) => id.clone(),
        None => return Err(find_or_create(case, order)),
    };
    let Some(address) = buyer::delivery_contact(order) else {
        return Ok(Contacts {
            deliver_to: customer.clone(),
            customer,
        });
    };
    let part = address_part(address);
    match case.party.contacts.get(&part) {
        Some(id) => Ok(Contacts {
            deliver_to: id.clone(),
            customer,
        }),
        None => {
            let contact = buyer::contact(customer, ContactRole::Delivery, address, &order.language);
            Err(create(case, &part, contact, Vec::new()))
        }
    }
}

fn find_or_create(case: &Case<'_>, order: &Mapped) -> Decision {
    let held = || Decision::Hold(vec![Cause::Customer(case.buyer.to_string())]);
    let rungs = ladder(case, order);
    let keyed = Query::Key(key_of(case, ""));
    for query in std::iter::once(&keyed).chain(&rungs) {
        match case.answers.only(Kind::Customer, query) {
            Some(Ok(id)) => {
                return Decision::Link {
                    subject: buyer_key(case),
                    part: String::new(),
                    id,
                };
            }
            Some(Err(0)) | None => {}
            Some(Err(_)) => return held(),
        }
    }
    if !case.flow.policy.customers.create {
        return held();
    }
    let mut customer = Customer {
        vat_number: buyer::folded_vat_number(&order.vat_number),
        ..buyer::customer_of(order)
    };
    order.shape_customer(&mut customer);
    create(case, "", customer, rungs)
}

fn create(case: &Case<'_>, part: &str, customer: Customer, claims: Vec<Query>) -> Decision {
    if case.open.contains(&key_of(case, part)) {
        return Decision::Wait(Cause::Settle(case.flow.target.to_string()));
    }
    Decision::Write(Box::new(Proposal {
        subject: buyer_key(case),
        part: part.to_owned(),
        step: Step::Create,
        target: None,
        document: Document::Customer(Box::new(customer)),
        before: None,
        expects: None,
        claims,
    }))
}

fn buyer_key(case: &Case<'_>) -> RecordKey {
    RecordKey {
        connection: case.flow.source.clone(),
        kind: Kind::Customer,
        id: case.buyer.clone(),
    }
}

fn key_of(case: &Case<'_>, part: &str) -> WriteKey {
    WriteKey::of(&buyer_key(case), part)
}

/// The part of a customer's key that names one of its addresses: the same for the same place and addressee.
pub fn address_part(address: &Address) -> String {
    let digest = Digest::of(address.fingerprint().as_bytes()).to_string();
    format!("address-{}", &digest[..16])
}
