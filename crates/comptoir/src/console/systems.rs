//! Is anything silent? Each connection: who it is, whether it answers, what was last new of each kind, and when it is asked next.

use super::caller::Caller;
use super::causes;
use super::flows::{self, Flows};
use super::frame::{self, Page, Place};
use super::icon::{chip, icon};
use super::refusal::Said;
use super::wording;
use comptoir_model::account::Severity;
use comptoir_model::code::Language;
use comptoir_model::key::{ConnectionName, Kind};
use maud::{Markup, html};

/// `GET /systems`.
pub async fn page(caller: Caller) -> Result<Markup, Said> {
    let seen = flows::look(&caller).await;
    let seen = seen.map_err(|error| caller.broken(error))?;
    let troubled = seen.connections.iter().filter(|row| {
        let known = caller.present.config.connections.contains_key(&row.name);
        known && row.paused_until.is_some_and(|until| until > caller.now)
    });
    let troubled = troubled.count() as u64;
    let title = match (troubled, caller.language) {
        (0, Language::English) => "Every system answers".to_owned(),
        (0, Language::French) => "Tous les systèmes répondent".to_owned(),
        (n, language) => wording::counted(
            language,
            n,
            [
                "system does not answer as it should",
                "système ne répond pas comme il faut",
            ],
            [
                "systems do not answer as they should",
                "systèmes ne répondent pas comme il faut",
            ],
        ),
    };
    let body = html! {
        @for (name, config) in &caller.present.config.connections {
            (connection(&caller, &seen, name, &config.connector))
        }
    };
    let below = html! { (caller.t("When something new came last, of each kind, and when it is looked for next.",
    "Quand quelque chose de nouveau est arrivé, par sorte, et quand on regarde de nouveau.")) };
    let mut page = Page::new(Place::Systems, &title, body).below(below);
    page.live = true;
    frame::page(&caller, page).await
}

fn connection(caller: &Caller, seen: &Flows, name: &ConnectionName, connector: &str) -> Markup {
    let row = seen.connection(name);
    let account = row.and_then(|row| row.account.as_ref());
    let paused = row.filter(|row| row.paused_until.is_some_and(|until| until > caller.now));
    let fault = paused.and_then(|row| row.pause_cause.as_ref());
    html! {
        section.card id=(name) aria-labelledby={ "h-" (name) } {
            header {
                h2 id={ "h-" (name) } { (name) }
                span.mute { (account.map_or(connector, |account| account.version.as_str())) }
                span.end { @match (fault, account) {
                    (Some(_), _) => (chip("bad", "bad", caller.t("In trouble", "En difficulté"))),
                    (None, Some(_)) => (chip("ok", "ok", caller.t("Answers", "Répond"))),
                    (None, None) => (chip("wait", "wait", caller.t("Not asked yet", "Pas encore interrogé"))),
                } }
            }
            div.pad.stack {
                @if let Some(fault) = fault {
                    div.note.bad role="status" { (icon("bad")) div {
                        p { (crate::words::fault(caller.language, fault)) }
                        @if let Some(until) = paused.and_then(|row| row.paused_until) { p.mute { (caller.t("Tried again", "Nouvel essai")) " " (caller.moment(until)) } }
                    } }
                }
                @if let Some(account) = account {
                    @for notice in account.notices.iter().filter(|notice| notice.severity != Severity::Info) {
                        div.note.held { (icon("alarm")) div { (notice.detail) " " span.id { (notice.code) } } }
                    }
                    p.sub { (account.title) @if !account.site.is_empty() { ", " span.id { (account.site) } } }
                }
            }
            (streams(caller, seen, name))
        }
    }
}

fn streams(caller: &Caller, seen: &Flows, name: &ConnectionName) -> Markup {
    let streams: Vec<_> = seen
        .streams
        .iter()
        .filter(|stream| stream.connection == *name)
        .collect();
    let kind = |kind: Kind| {
        let (_, [english, french]) = causes::kind_words(kind);
        crate::words::either(caller.language, english, french)
    };
    html! {
        @if !streams.is_empty() {
            div.scroll tabindex="0" role="region" aria-label={ (name) ", " (caller.t("kinds", "sortes")) } { table {
                thead { tr {
                    th scope="col" { (caller.t("Read from it", "Ce qui en est lu")) }
                    th scope="col" { (caller.t("Something new", "Du nouveau")) }
                    th.n scope="col" { (caller.t("Silent for", "Silence")) }
                    th.hide-s scope="col" { (caller.t("Looked at again", "Revu")) }
                } }
                tbody { @for stream in streams { tr {
                    th scope="row" { (kind(stream.kind)) }
                    td { @match stream.last_new { Some(at) => (caller.moment(at)), None => span.zero { (caller.t("never", "jamais")) } } }
                    td.n { @if let Some(at) = stream.last_new { (caller.ago(at)) } }
                    td.hide-s.sub { @if stream.next_at <= caller.now { (caller.t("now", "maintenant")) } @else { (caller.moment(stream.next_at)) } }
                } } }
            } }
        }
    }
}
