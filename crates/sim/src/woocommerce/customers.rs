//! Accounts. `modified_after` is ignored here; an e-mail address in use is refused without saying whose it is.

use super::answer::{Answer, Answered};
use super::intake;
use super::listing::answer_list;
use super::products::merge_meta;
use super::query::Query;
use super::render::{ALL_METHODS, Look, address, metas};
use super::state::{Customer, State, second};
use crate::buyers::Buyer;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// `GET /customers`.
pub(crate) fn list(state: &State, query: &Query) -> Answered {
    let page = query.page()?;
    let email = query.get("email").map(str::to_lowercase);
    let search = query.get("search").map(str::to_lowercase);
    let include = query.ids("include").filter(|ids| !ids.is_empty());
    let mut found: Vec<&Customer> = state
        .customers
        .values()
        .filter(|customer| {
            let own = customer.buyer.billing.email.to_lowercase();
            email.as_ref().is_none_or(|email| own == *email)
                && search.as_ref().is_none_or(|text| own.contains(text))
                && include
                    .as_ref()
                    .is_none_or(|ids| ids.contains(&customer.id))
        })
        .collect();
    if query.one_of("order", &["asc", "desc"], "asc")? == "desc" {
        found.reverse();
    }
    let documents = page
        .of(&found)
        .iter()
        .map(|one| json_of(one, &state.look))
        .collect();
    answer_list(
        documents,
        found.len(),
        page,
        "customers",
        query,
        &state.look,
    )
}

/// `GET /customers/ID`.
pub(crate) fn read(state: &State, id: u64) -> Answered {
    let customer = state.customers.get(&id).ok_or_else(nobody)?;
    Ok(Answer::ok(&json_of(customer, &state.look)))
}

fn nobody() -> Answer {
    Answer::error(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")
}

/// `POST /customers`.
pub(crate) fn create(state: &mut State, body: &Value) -> Answered {
    let email = body
        .get("email")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if email.is_empty() {
        let text = "Missing parameter(s): email";
        let data = json!({ "status": 400, "params": ["email"] });
        return Err(Answer::error_with(
            400,
            "rest_missing_callback_param",
            text,
            data,
        ));
    }
    let folded = email.to_lowercase();
    let taken = state
        .customers
        .values()
        .any(|customer| customer.buyer.billing.email.to_lowercase() == folded);
    if taken {
        let text = format!(
            "An account is already registered with {email}. Please log in or use a different email address."
        );
        return Err(Answer::error(400, "registration-error-email-exists", &text));
    }
    let now = second(Timestamp::now());
    let id = state.customers.keys().last().copied().unwrap_or(1) + 1;
    let mut customer = Customer {
        id,
        buyer: Buyer {
            customer: id,
            billing: Default::default(),
            shipping: Default::default(),
            vat_number: String::new(),
        },
        username: body.get("username").and_then(Value::as_str).map_or_else(
            || folded.split('@').next().unwrap_or_default().to_owned(),
            str::to_owned,
        ),
        created: now,
        modified: now,
        meta: Vec::new(),
    };
    fill(state, &mut customer, body);
    customer.buyer.billing.email = email.to_owned();
    let document = json_of(&customer, &state.look);
    state.customers.insert(id, customer);
    state.writes += 1;
    state.hooks.fire("customer.created", id);
    let place = state.look.api(&format!("customers/{id}"));
    Ok(Answer::created(&document, place))
}

/// `PUT /customers/ID`.
pub(crate) fn update(state: &mut State, id: u64, body: &Value) -> Answered {
    let mut customer = state.customers.get(&id).ok_or_else(nobody)?.clone();
    fill(state, &mut customer, body);
    customer.modified = second(Timestamp::now());
    let document = json_of(&customer, &state.look);
    state.customers.insert(id, customer);
    state.writes += 1;
    state.hooks.fire("customer.updated", id);
    Ok(Answer::ok(&document))
}

fn fill(state: &mut State, customer: &mut Customer, body: &Value) {
    intake::address(body.get("billing"), &mut customer.buyer.billing);
    intake::address(body.get("shipping"), &mut customer.buyer.shipping);
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    if let Some(first) = text("first_name") {
        customer.buyer.billing.first_name = first.to_owned();
    }
    if let Some(last) = text("last_name") {
        customer.buyer.billing.last_name = last.to_owned();
    }
    merge_meta(&mut customer.meta, body, &mut state.ids);
}

/// An account as JSON.
pub(crate) fn json_of(customer: &Customer, look: &Look) -> Value {
    let billing = &customer.buyer.billing;
    let digest = Sha256::digest(billing.email.to_lowercase());
    let face: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let this = format!("customers/{}", customer.id);
    json!({
        "id": customer.id,
        "date_created": look.local(customer.created),
        "date_created_gmt": Look::gmt(customer.created),
        "date_modified": look.local(customer.modified),
        "date_modified_gmt": Look::gmt(customer.modified),
        "email": billing.email,
        "first_name": billing.first_name,
        "last_name": billing.last_name,
        "role": "customer",
        "username": customer.username,
        "billing": address(billing, true),
        "shipping": address(&customer.buyer.shipping, false),
        "is_paying_customer": false,
        "avatar_url": format!("https://gravatar.example.test/avatar/{face}?s=96&d=mm&r=g"),
        "meta_data": metas(&customer.meta),
        "_links": look.links(&this, ALL_METHODS, &[]),
    })
}
