//! What people did, the latest first.

use super::caller::Caller;
use super::frame::{self, Page, Place};
use super::refusal::Said;
use axum::extract::Query;
use comptoir_store::AuditRow;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Entries on a page.
const SHOWN: usize = 100;

/// `GET /log?before=N`.
pub async fn page(
    caller: Caller,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Markup, Said> {
    let before = query.get("before").and_then(|text| text.parse().ok());
    let rows = caller
        .store()
        .audited(before.unwrap_or(i64::MAX), SHOWN)
        .await;
    let rows = rows.map_err(|error| caller.broken(error))?;
    let title = caller.t("What people did", "Ce que les personnes ont fait");
    let body = html! {
        section.card aria-label=(title) {
            @if rows.is_empty() {
                p.pad.rule.sub { (caller.t("Nothing yet.", "Rien encore.")) }
            } @else {
                div.scroll tabindex="0" role="region" aria-label=(title) { table {
                    thead { tr {
                        th scope="col" { (caller.t("When", "Quand")) }
                        th scope="col" { (caller.t("Who", "Qui")) }
                        th scope="col" { (caller.t("What", "Quoi")) }
                        th scope="col" { (caller.t("Why", "Pourquoi")) }
                    } }
                    tbody { @for row in &rows { (entry(&caller, row)) } }
                } }
            }
            @if rows.len() == SHOWN && let Some(last) = rows.last() {
                div.pad.rule { a.btn href={ "/log?before=" (last.n) } { (caller.t("Older", "Plus ancien")) } }
            }
        }
    };
    let below = caller.t(
        "Every action of a person, kept with the hub’s data.",
        "Chaque action d’une personne, gardée avec les données du hub.",
    );
    let page = Page::new(Place::Log, title, body).below(html! { (below) });
    frame::page(&caller, page).await
}

fn entry(caller: &Caller, row: &AuditRow) -> Markup {
    html! {
        tr {
            td.nw { (caller.moment(row.at)) }
            th.nw scope="row" { (row.who) }
            td { (what(caller, &row.what)) @if !row.about.is_empty() { " " span.id { (row.about) } } }
            td.sub { (row.why) }
        }
    }
}

/// What the log's words mean.
fn what<'a>(caller: &Caller, word: &'a str) -> &'a str {
    match word {
        "sign-in" => caller.t("signed in", "s’est connecté"),
        "sign-out" => caller.t("signed out", "s’est déconnecté"),
        "sign-out-everywhere" => caller.t("signed out everywhere", "s’est déconnecté partout"),
        "first-user" => caller.t("made the first user", "a créé le premier compte"),
        "password" => caller.t("set the password of", "a changé le mot de passe de"),
        "user-add" => caller.t("added the user", "a ajouté le compte"),
        "user-disable" => caller.t("lets in no more", "a coupé l’accès de"),
        "user-enable" => caller.t("let in again", "a rouvert l’accès à"),
        "user-sign-out" => caller.t("signed out", "a déconnecté"),
        "resume" => caller.t("let try again", "a fait réessayer"),
        "answer:apply" => caller.t("answered “apply” to", "a répondu « appliquer » à"),
        "answer:keep" => caller.t("left as it is", "a laissé tel quel"),
        "answer:create-again" => caller.t("answered “make again” to", "a répondu « recréer » à"),
        "row" => caller.t("set the row", "a réglé la ligne"),
        "user-role" => caller.t("changed the role of", "a changé le rôle de"),
        "token-add" => caller.t("made the token", "a créé le jeton"),
        "token-remove" => caller.t("ended the token", "a mis fin au jeton"),
        "pause" => caller.t("paused", "a suspendu"),
        "resume-writing" => caller.t("resumed", "a repris"),
        other => other,
    }
}
