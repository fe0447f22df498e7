//! `/metrics`: how everything stands, as Prometheus reads it. For this machine, and for tokens with the scope `metrics`.

use crate::api::{Problem, Scope, Token};
use crate::console::{Desk, Visitor};
use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use comptoir_engine::flow::Mode;
use comptoir_store::{Scope as Stopped, StoreError};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// The route.
pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/metrics", get(answer))
        .with_state(desk)
}

async fn answer(State(desk): State<Desk>, request: Request) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    let present = desk.present();
    let visitor = Visitor::of(peer, request.headers(), &present.config.hub.trusted_proxies);
    if !visitor.here {
        let (mut parts, _) = request.into_parts();
        let token = Token::from_request_parts(&mut parts, &desk).await;
        let may = token.and_then(|token| token.needs(Scope("metrics")));
        if let Err(problem) = may {
            return problem.into_response();
        }
    }
    match text(&desk).await {
        Ok(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => Problem::from(error).into_response(),
    }
}

/// A text in the making: each name is told what it is once.
struct Metrics(String);

impl Metrics {
    fn head(&mut self, name: &str, kind: &str, about: &str) {
        // Writing to a string cannot fail.
        let _written = write!(self.0, "# HELP {name} {about}\n# TYPE {name} {kind}\n");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let escaped = |text: &str| {
            text.replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n")
        };
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, text)| format!("{label}=\"{}\"", escaped(text)))
            .collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        let _written = writeln!(self.0, "{name}{labels} {value}");
    }
}

async fn text(desk: &Desk) -> Result<String, StoreError> {
    let store = desk.store();
    let present = desk.present();
    let now = store.now().await?;
    let seconds = |ms: i64| ms.max(0) as f64 / 1_000.0;
    let mut out = Metrics(String::new());
    out.head(
        "comptoir_info",
        "gauge",
        "The program and the revision of its configuration.",
    );
    let revision = present.revision.to_string();
    let labels = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("revision", revision.as_str()),
    ];
    out.value("comptoir_info", &labels, 1.0);
    out.head(
        "comptoir_held_records",
        "gauge",
        "Records that wait for a person, by flow and cause.",
    );
    for (name, flow) in &present.config.flows {
        for sum in store.held_sums(name, &flow.from).await? {
            // Of a cause only its sort: values in it are without number.
            let sort = sum.cause.split(':').take(2).collect::<Vec<_>>().join(":");
            let labels = [
                ("flow", name.as_str()),
                ("cause", sort.as_str()),
                ("currency", sum.currency.as_str()),
            ];
            out.value("comptoir_held_records", &labels, sum.count as f64);
        }
    }
    let working = present.config.flows.iter();
    let working = working.filter(|(_, flow)| flow.mode != Mode::Off);
    let mut late = Vec::new();
    for (name, flow) in working {
        let overdue = store.overdue(name, flow.kind, &flow.to, now).await?;
        late.push((name.as_str(), overdue));
    }
    out.head(
        "comptoir_due_records",
        "gauge",
        "Records of a flow that are due and not begun.",
    );
    for (name, overdue) in &late {
        let count = overdue.as_ref().map_or(0, |late| late.count);
        out.value("comptoir_due_records", &[("flow", name)], count as f64);
    }
    out.head(
        "comptoir_lag_seconds",
        "gauge",
        "How long the oldest due record of a flow has waited.",
    );
    for (name, overdue) in &late {
        let lag = overdue
            .as_ref()
            .map_or(0.0, |late| seconds(now - late.since));
        out.value("comptoir_lag_seconds", &[("flow", name)], lag);
    }
    out.head(
        "comptoir_connection_paused",
        "gauge",
        "1 while a connection is paused because its system does not answer as it should.",
    );
    for row in store.connections().await? {
        let paused = row.paused_until.is_some_and(|until| until > now);
        let labels = [("connection", row.name.as_str())];
        out.value(
            "comptoir_connection_paused",
            &labels,
            f64::from(u8::from(paused)),
        );
    }
    out.head(
        "comptoir_stream_silent_seconds",
        "gauge",
        "How long nothing new has come, by connection and kind.",
    );
    for stream in store.streams().await? {
        if let Some(last) = stream.last_new {
            let labels = [
                ("connection", stream.connection.as_str()),
                ("kind", stream.kind.as_str()),
            ];
            out.value(
                "comptoir_stream_silent_seconds",
                &labels,
                seconds(now - last),
            );
        }
    }
    out.head(
        "comptoir_journal_entries_total",
        "counter",
        "Everything that happened at a connection, since the store was made.",
    );
    for (name, count) in store.journal_totals().await? {
        out.value(
            "comptoir_journal_entries_total",
            &[("connection", name.as_str())],
            count as f64,
        );
    }
    out.head("comptoir_stopped", "gauge", "1 for what a person paused.");
    for halt in store.halts().await? {
        let scope = match &halt.scope {
            Stopped::All => "all".to_owned(),
            other => other.to_string(),
        };
        out.value("comptoir_stopped", &[("scope", scope.as_str())], 1.0);
    }
    Ok(out.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_quotes() {
        let mut out = Metrics(String::new());
        out.value("m", &[("cause", "a\"b\\c\nd")], 1.0);
        assert_eq!(out.0, "m{cause=\"a\\\"b\\\\c\\nd\"} 1\n");
    }
}
