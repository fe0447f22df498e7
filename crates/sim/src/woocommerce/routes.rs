//! From a request to what answers it.

use super::answer::{Answer, Answered};
use super::products::Of;
use super::query::{self, Query};
use super::state::State;
use super::{customers, products, refunds, sales, settings, tariffs, webhook};
use axum::http::Method;

/// One request to the API.
pub(crate) struct Request<'a> {
    pub method: &'a Method,
    /// Segments after `/wp-json/wc/v3`.
    pub path: &'a [&'a str],
    pub query: &'a Query,
    pub body: &'a [u8],
}

/// The route's pattern, for counting: ids are written `ID`.
pub(crate) fn pattern(method: &Method, path: &[&str]) -> String {
    let mut out = method.as_str().to_owned();
    out.push(' ');
    for segment in path {
        out.push('/');
        out.push_str(if segment.parse::<u64>().is_ok() {
            "ID"
        } else {
            segment
        });
    }
    out
}

/// Answers a request that has been let in.
pub(crate) fn answer(state: &mut State, request: &Request<'_>) -> Answered {
    match *request.method {
        Method::GET => get(state, request),
        Method::POST | Method::PUT | Method::PATCH => write(state, request),
        Method::DELETE => delete(state, request),
        _ => Err(Answer::no_route()),
    }
}

fn id(text: &str) -> Result<u64, Answer> {
    text.parse().map_err(|_| Answer::no_route())
}

fn get(state: &mut State, request: &Request<'_>) -> Answered {
    let query = request.query;
    match request.path {
        ["orders", ..] => get_orders(state, request),
        ["refunds"] if state.look.recent => refunds::all(state, query),
        ["products"] => products::list(state, query, Of::Products),
        ["variations"] if state.look.recent => products::list(state, query, Of::AllVariations),
        ["products", product] => cut(products::read(state, id(product)?, None), query),
        ["products", product, "variations"] => {
            products::list(state, query, Of::Variations(id(product)?))
        }
        ["products", product, "variations", variation] => cut(
            products::read(state, id(variation)?, Some(id(product)?)),
            query,
        ),
        ["customers"] => customers::list(state, query),
        ["customers", customer] => cut(customers::read(state, id(customer)?), query),
        ["coupons"] => settings::coupons(state, query),
        ["webhooks"] => webhook::list(state, query),
        ["webhooks", hook] => webhook::read(state, id(hook)?, query),
        ["system_status"] => settings::system_status(state, query),
        ["settings", group] => settings::settings(state, group, None, query),
        ["settings", group, name] => settings::settings(state, group, Some(name), query),
        ["data", "currencies", "current"] => settings::currency(state, query),
        ["taxes"] => settings::taxes(state, query),
        ["taxes", "classes"] => settings::tax_classes(state, query),
        ["taxes", tax] => settings::tax(state, id(tax)?, query),
        ["shipping", "zones"] => settings::zones(state, query),
        ["shipping", "zones", zone, "methods"] => settings::zone_methods(state, id(zone)?, query),
        ["payment_gateways"] => settings::gateways(state, query),
        ["reports", "orders", "totals"] => sales::totals(state),
        _ => Err(Answer::no_route()),
    }
}

fn get_orders(state: &mut State, request: &Request<'_>) -> Answered {
    let query = request.query;
    match request.path {
        ["orders"] => sales::list(state, query),
        ["orders", order] => cut(sales::read(state, id(order)?, query), query),
        ["orders", order, "notes"] => sales::notes(state, id(order)?, query),
        ["orders", order, "refunds"] => refunds::of_order(state, id(order)?, query),
        ["orders", order, "refunds", refund] => {
            cut(refunds::read(state, id(order)?, id(refund)?, query), query)
        }
        _ => Err(Answer::no_route()),
    }
}

/// POST and PUT mean the same on a record; a collection takes POST only.
fn write(state: &mut State, request: &Request<'_>) -> Answered {
    let body = query::body(request.body)?;
    let post = *request.method == Method::POST;
    let answer = match request.path {
        ["orders"] if post => sales::create(state, &body),
        ["orders", "batch"] => sales::batch(state, &body),
        ["orders", order] => sales::update(state, id(order)?, &body),
        ["orders", order, "notes"] if post => sales::add_note(state, id(order)?, &body),
        ["orders", order, "refunds"] if post => refunds::create(state, id(order)?, &body),
        ["products"] if post => products::create(state, &body),
        ["products", "batch"] => products::batch(state, None, &body),
        ["products", product] => products::update(state, id(product)?, None, &body),
        ["products", product, "variations", "batch"] => {
            products::batch(state, Some(id(product)?), &body)
        }
        ["products", product, "variations", variation] => {
            products::update(state, id(variation)?, Some(id(product)?), &body)
        }
        ["customers"] if post => customers::create(state, &body),
        ["customers", customer] => customers::update(state, id(customer)?, &body),
        ["coupons"] if post => tariffs::create_coupon(state, &body),
        ["taxes"] if post => tariffs::create_rate(state, &body),
        ["taxes", "classes"] if post => tariffs::create_class(state, &body),
        ["webhooks"] if post => webhook::create(state, &body),
        ["webhooks", hook] => webhook::update(state, id(hook)?, &body),
        _ => Err(Answer::no_route()),
    };
    cut(answer, request.query)
}

fn delete(state: &mut State, request: &Request<'_>) -> Answered {
    let force = request.query.flag("force");
    match request.path {
        ["orders", order] => sales::delete(state, id(order)?, force),
        ["products", product] => products::delete(state, id(product)?),
        ["webhooks", hook] => webhook::delete(state, id(hook)?, force),
        _ => Err(Answer::no_route()),
    }
}

/// Only the fields asked for, of a single record.
fn cut(answer: Answered, query: &Query) -> Answered {
    let mut answer = answer?;
    if let Some(fields) = query.fields() {
        let document = query::pick(answer.document(), &fields, true);
        // PHP knows no empty object where nothing was kept.
        answer.body = match document.as_object() {
            Some(object) if object.is_empty() => "[]".to_owned(),
            _ => super::answer::php_json(&document),
        };
    }
    Ok(answer)
}
