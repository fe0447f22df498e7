//! What each role may do: every route, by everyone.

use crate::bench::{Bench, Setup};
use crate::client::{Client, user};

/// A route, and who it answers: nobody signed in, a viewer, an operator, an administrator. A form that is let through goes on (303) or
/// says what does not fit (422).
const ROUTES: &[(&str, &str, [u16; 4])] = &[
    ("GET", "/", [303, 200, 200, 200]),
    ("GET", "/systems", [303, 200, 200, 200]),
    ("GET", "/find?q=nothing", [303, 200, 200, 200]),
    ("GET", "/record/shop/order/0", [303, 404, 404, 404]),
    ("GET", "/needs", [303, 200, 200, 200]),
    ("GET", "/needs.csv", [303, 200, 200, 200]),
    ("POST", "/needs/resume", [303, 403, 422, 422]),
    ("POST", "/needs/one", [303, 403, 422, 422]),
    ("POST", "/needs/all", [303, 403, 422, 422]),
    ("POST", "/needs/row", [303, 403, 422, 422]),
    ("GET", "/stop", [303, 200, 200, 200]),
    ("GET", "/log", [303, 200, 200, 200]),
    ("GET", "/account", [303, 200, 200, 200]),
    ("GET", "/people", [303, 403, 403, 200]),
    ("GET", "/nowhere", [404, 404, 404, 404]),
    ("POST", "/stop", [303, 403, 422, 422]),
    ("POST", "/stop/resume", [303, 403, 422, 422]),
    ("POST", "/people", [303, 403, 403, 200]),
    ("POST", "/people/change", [303, 403, 403, 422]),
];

#[test]
fn every_route_answers_each_role_as_it_should() {
    let bench = Bench::new(Setup {
        orders: 0,
        ..Setup::default()
    });
    let serve = bench.serve();
    let roles = ["viewer", "operator", "admin"];
    let mut clients = vec![Client::new(&serve)];
    clients.extend(roles.map(|role| user(&bench, &serve, role)));
    let mut wrong = Vec::new();
    for (method, path, expected) in ROUTES {
        for (index, client) in clients.iter_mut().enumerate() {
            let got = match *method {
                "GET" => client.get(path),
                _ if index == 0 => client.post(path, &[]),
                _ => {
                    let token = client.token("/account");
                    client.post(path, &[("form", &token)])
                }
            };
            if got.status != expected[index] {
                wrong.push(format!("{method} {path} by {index}: {}", got.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A form counts only from a page of the same session, sent by a page of this site.
#[test]
fn forms_of_other_sites_and_sessions_are_refused() {
    let bench = Bench::new(Setup {
        orders: 0,
        ..Setup::default()
    });
    let serve = bench.serve();
    let mut ana = user(&bench, &serve, "admin");
    let mut ben = user(&bench, &serve, "operator");
    let (own, others) = (ana.token("/stop"), ben.token("/stop"));
    let stop = |token: &'static str| [("form", token), ("scope", "all"), ("why", "x")];
    ana.post("/stop", &stop("")).refused(403, "CMP-0805");
    let fields = [("form", others.as_str()), ("scope", "all")];
    ana.post("/stop", &fields).refused(403, "CMP-0805");
    let fields = [("form", own.as_str()), ("scope", "all")];
    let mut framed = ana.with("sec-fetch-site", "cross-site");
    framed.post("/stop", &fields).refused(403, "CMP-0805");
    let mut old = ana.with("origin", "https://shop.example.com");
    old.post("/stop", &fields).refused(403, "CMP-0805");
    ana.get("/stop").says(&["Everything runs"]);
    let origin = format!("http://{}", ana.host);
    ana.with("origin", &origin).post("/stop", &fields).is(303);
    ana.get("/stop").says(&["Everything is paused"]);
}
