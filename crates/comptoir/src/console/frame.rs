//! The frame of every page: bar, navigation, and the title that is the answer.

use super::asset;
use super::caller::Caller;
use super::icon::{icon, sprite};
use super::refusal::Said;
use super::wording;
use comptoir_model::code::Language;
use comptoir_store::{Role, Scope};
use maud::{DOCTYPE, Markup, html};

/// A place of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// How everything stands.
    Overview,
    /// What is held.
    Needs,
    /// Whether anything is silent.
    Systems,
    /// What can be stopped.
    Stop,
    /// Users.
    People,
    /// What people did.
    Log,
    /// One's own account.
    Account,
}

/// A page before it has its frame.
pub struct Page<'a> {
    /// Where it is in the navigation.
    pub place: Option<Place>,
    /// The title: the answer in one sentence.
    pub title: &'a str,
    /// What stands below the title.
    pub below: Option<Markup>,
    /// Buttons beside the title.
    pub beside: Option<Markup>,
    /// The content.
    pub body: Markup,
    /// Renews itself when something moves.
    pub live: bool,
    /// What was searched for.
    pub asked: Option<&'a str>,
}

impl<'a> Page<'a> {
    /// A page with a title and content.
    pub fn new(place: impl Into<Option<Place>>, title: &'a str, body: Markup) -> Self {
        Page {
            place: place.into(),
            title,
            below: None,
            beside: None,
            body,
            live: false,
            asked: None,
        }
    }

    /// With a sentence below the title.
    pub fn below(mut self, below: Markup) -> Self {
        self.below = Some(below);
        self
    }

    /// With buttons beside the title.
    pub fn beside(mut self, beside: Markup) -> Self {
        self.beside = Some(beside);
        self
    }
}

fn head(language: Language, title: &str) -> Markup {
    html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover";
        meta name="color-scheme" content="light dark";
        meta name="htmx-config" content=r#"{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true}"#;
        title { (title) " · Comptoir" }
        link rel="stylesheet" href=(asset::address("console.css"));
        link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Crect width='24' height='24' rx='6' fill='%233346b5'/%3E%3Cpath d='M6 9.5h12M6 14.5h12' stroke='%23fff' stroke-width='2.4' stroke-linecap='round'/%3E%3C/svg%3E";
        @if language == Language::French { meta name="description" content="Comptoir, console"; }
    }
}

fn code(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::French => "fr",
    }
}

/// Our mark.
fn mark() -> Markup {
    html! {
        svg viewBox="0 0 24 24" aria-hidden="true" {
            rect width="24" height="24" rx="6" fill="var(--key)" {}
            path d="M6 9.5h12M6 14.5h12" stroke="var(--on)" stroke-width="2.4" stroke-linecap="round" {}
        }
    }
}

/// A page outside of the console: sign-in, a refusal.
pub fn bare(language: Language, title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(code(language)) {
            head { (head(language, title)) }
            body.bare {
                (sprite())
                main #main {
                    p.mark { (mark()) span { "Comptoir" } }
                    div.card.pad.stack { (body) }
                    p.mute.langs {
                        a href="/language/en" lang="en" hreflang="en" { "English" }
                        " · "
                        a href="/language/fr" lang="fr" hreflang="fr" { "Français" }
                    }
                }
            }
        }
    }
}

/// A page of the console.
pub async fn page(caller: &Caller, page: Page<'_>) -> Result<Markup, Said> {
    let halts = caller.store().halts().await;
    let halts = halts.map_err(|error| caller.broken(error))?;
    let causes = super::needs::groups(caller).await;
    let causes = causes.map_err(|error| caller.broken(error))?.len();
    let all_stopped = halts.iter().any(|halt| halt.scope == Scope::All);
    Ok(html! {
        (DOCTYPE)
        html lang=(code(caller.language)) {
            head { (head(caller.language, page.title)) }
            body {
                (sprite())
                a.skip href="#main" { (caller.t("Skip to content", "Aller au contenu")) }
                (bar(caller, all_stopped, page.asked))
                (navigation(caller, page.place, causes))
                main #main tabindex="-1" {
                    @if !halts.is_empty() && page.place != Some(Place::Stop) {
                        (stopped(caller, &halts))
                    }
                    div #live data-live[page.live] hx-get=[page.live.then_some(&caller.path)] hx-trigger=[page.live.then_some("moved from:body")]
                        hx-select=[page.live.then_some("#live")] hx-swap=[page.live.then_some("outerHTML")] {
                        div.head {
                            div { h1 { (page.title) } @if let Some(below) = &page.below { p { (below) } } }
                            @if let Some(beside) = &page.beside { div.row { (beside) } }
                        }
                        (page.body)
                    }
                }
                @if caller.may(Role::Operator) && !all_stopped { (switch(caller)) }
                script src=(asset::address("htmx.js")) {}
                script src=(asset::address("console.js")) {}
            }
        }
    })
}

/// What says on every page that something is stopped.
fn stopped(caller: &Caller, halts: &[comptoir_store::Halt]) -> Markup {
    html! {
        div.note.held.stopped role="status" {
            (icon("stop"))
            div {
                @for halt in halts {
                    p {
                        b { (super::stop::sentence(caller, &halt.scope)) }
                        " " (halt.who) ", " (caller.moment(halt.at))
                        @if !halt.why.is_empty() { (caller.t(": ", " : ")) (halt.why) }
                    }
                }
                p { a href="/stop" { (caller.t("Resume it", "Reprendre")) } }
            }
        }
    }
}

fn bar(caller: &Caller, all_stopped: bool, asked: Option<&str>) -> Markup {
    let (other, name) = match caller.language {
        Language::English => ("fr", "Français"),
        Language::French => ("en", "English"),
    };
    html! {
        header.top {
            a.brand href="/" aria-label="Comptoir" { (mark()) span { "Comptoir" } }
            form.find role="search" action="/find" {
                (icon("find"))
                label.vh for="q" { (caller.t("Find an order, a customer, a SKU, a parcel", "Trouver une commande, un client, un SKU, un colis")) }
                input #q name="q" type="search" value=[asked] aria-keyshortcuts="/" placeholder=(caller.t("Order, e-mail, SKU, tracking number", "Commande, e-mail, SKU, n° de suivi")) autocomplete="off" maxlength="200";
                kbd aria-hidden="true" { "/" }
            }
            div.tools {
                span.live #clock { (wording::clock(caller.language, &caller.zone, caller.now)) }
                a href={ "/language/" (other) "?back=" (super::caller::encoded(&caller.path)) } lang=(other) hreflang=(other) { (name) }
                @if caller.may(Role::Operator) {
                    @if all_stopped {
                        a.btn.go href="/stop" { (icon("play")) span { (caller.t("Resume", "Reprendre")) } }
                    } @else {
                        button.btn.stop type="button" popovertarget="halt" aria-label=(caller.t("Pause everything", "Tout suspendre")) {
                            (icon("stop")) span { (caller.t("Pause everything", "Tout suspendre")) }
                        }
                    }
                }
            }
        }
    }
}

fn entry(place: Option<Place>, here: Place, href: &str, symbol: &str, name: &str) -> Markup {
    html! {
        li { a href=(href) aria-current=[(place == Some(here)).then_some("page")] { (icon(symbol)) (name) } }
    }
}

fn navigation(caller: &Caller, place: Option<Place>, causes: usize) -> Markup {
    html! {
        nav.side aria-label=(caller.t("Main", "Principale")) {
            ul {
                (entry(place, Place::Overview, "/", "home", caller.t("Overview", "Aperçu")))
                li { a href="/needs" aria-current=[(place == Some(Place::Needs)).then_some("page")] {
                    (icon("inbox")) (caller.t("Needs me", "À traiter"))
                    @if causes > 0 { span.chip.held.end { (causes) span.vh { " " (caller.t("causes", "causes")) } } }
                } }
                (entry(place, Place::Systems, "/systems", "plug", caller.t("Systems", "Systèmes")))
                (entry(place, Place::Stop, "/stop", "stop", caller.t("Stop", "Suspendre")))
            }
            button.more type="button" popovertarget="more" { (icon("more")) (caller.t("More", "Plus")) }
            div #more popover="auto" {
                h2 { (caller.t("People", "Personnes")) }
                ul {
                    @if caller.may(Role::Admin) {
                        (entry(place, Place::People, "/people", "person", caller.t("Users", "Comptes")))
                    }
                    (entry(place, Place::Log, "/log", "log", caller.t("Log", "Historique")))
                    (entry(place, Place::Account, "/account", "key", caller.t("My account", "Mon compte")))
                }
            }
            footer {
                (caller.person) br; (super::people::role_name(caller, caller.role))
                form method="post" action="/sign-out" {
                    (hidden(caller))
                    button.btn.flat { (caller.t("Sign out", "Se déconnecter")) }
                }
            }
        }
    }
}

/// The token that every form carries.
pub fn hidden(caller: &Caller) -> Markup {
    html! { input type="hidden" name="form" value=(caller.form); }
}

/// The red switch.
fn switch(caller: &Caller) -> Markup {
    html! {
        div #halt popover="auto" role="dialog" aria-labelledby="halt-h" {
            form.stack method="post" action="/stop" {
                (hidden(caller))
                input type="hidden" name="scope" value="all";
                h2 #halt-h { (caller.t("Pause every flow?", "Suspendre tous les flux ?")) }
                p.sub { (caller.t(
                    "Reading goes on and is stored; nothing more is written to a shop or an ERP. What is being written now is finished and confirmed first. Nothing is lost, and everything resumes in order.",
                    "La lecture continue et tout est conservé ; plus rien n’est écrit dans une boutique ou un ERP. L’écriture en cours est d’abord terminée et confirmée. Rien n’est perdu, et tout reprend dans l’ordre."))
                }
                label.field {
                    span { (caller.t("Why (kept in the log)", "Pourquoi (gardé dans l’historique)")) }
                    input name="why" required maxlength="300";
                }
                div.row {
                    button.btn.stop { (icon("stop")) (caller.t("Pause everything", "Tout suspendre")) }
                    button.btn.flat type="button" popovertarget="halt" popovertargetaction="hide" { (caller.t("Keep running", "Laisser tourner")) }
                }
            }
        }
    }
}
