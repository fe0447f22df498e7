//! Can I stop it? Everything, a connection, or a flow; and let it go on. What a person stopped stays so until a person resumes it.

use super::caller::{Act, Caller};
use super::frame::{self, Page, Place, hidden};
use super::icon::{chip, icon};
use super::refusal::{Refusal, Said};
use axum::response::Redirect;
use comptoir_engine::flow::Mode;
use comptoir_model::code::Code;
use comptoir_store::{Halt, Role, Scope};
use maud::{Markup, html};

/// The reason given may be so long.
const LONGEST: usize = 300;

/// What is stopped, in a sentence.
pub fn sentence(caller: &Caller, scope: &Scope) -> String {
    match scope {
        Scope::All => caller
            .t("Everything is paused.", "Tout est suspendu.")
            .to_owned(),
        Scope::Connection(name) => match caller.language {
            comptoir_model::code::Language::English => {
                format!("Nothing is written to {name}.")
            }
            comptoir_model::code::Language::French => format!("Plus rien n’est écrit dans {name}."),
        },
        Scope::Flow(name) => match caller.language {
            comptoir_model::code::Language::English => format!("The flow {name} is paused."),
            comptoir_model::code::Language::French => format!("Le flux {name} est suspendu."),
        },
    }
}

/// `GET /stop`.
pub async fn page(caller: Caller) -> Result<Markup, Said> {
    let halts = caller.store().halts().await;
    let halts = halts.map_err(|error| caller.broken(error))?;
    let all = halts.iter().find(|halt| halt.scope == Scope::All);
    let title = match (&all, halts.is_empty()) {
        (Some(_), _) => caller.t("Everything is paused", "Tout est suspendu"),
        (None, true) => caller.t("Everything runs", "Tout tourne"),
        (None, false) => caller.t("Some of it is paused", "Une partie est suspendue"),
    };
    let body = html! {
        (red_switch(&caller, all))
        section.card aria-labelledby="s-f" {
            header { h2 #s-f { (caller.t("Flows", "Flux")) } }
            (flows(&caller, &halts))
        }
        section.card aria-labelledby="s-c" {
            header { h2 #s-c { (caller.t("Connections", "Connexions")) } }
            (connections(&caller, &halts))
        }
    };
    let below = caller.t(
        "Pausing loses nothing: reading goes on, what is being written is finished and confirmed, and everything resumes in order.",
        "Suspendre ne perd rien : la lecture continue, l’écriture en cours est terminée et confirmée, et tout reprend dans l’ordre.",
    );
    let page = Page::new(Place::Stop, title, body).below(html! { (below) });
    frame::page(&caller, page).await
}

fn red_switch(caller: &Caller, all: Option<&Halt>) -> Markup {
    html! {
        section.card.switch aria-labelledby="s-a" {
            header {
                h2 #s-a { (caller.t("Everything", "Tout")) }
                @if all.is_some() { (chip("held", "stop", caller.t("Paused", "Suspendu"))) }
                @else { (chip("ok", "ok", caller.t("Runs", "Tourne"))) }
            }
            div.pad.stack {
                @match all {
                    Some(halt) => {
                        (by(caller, halt))
                        @if caller.may(Role::Operator) { form method="post" action="/stop/resume" {
                            (hidden(caller)) input type="hidden" name="scope" value="all";
                            button.btn.go { (icon("play")) (caller.t("Resume everything", "Tout reprendre")) }
                        } }
                    },
                    None => @if caller.may(Role::Operator) {
                        button.btn.stop type="button" popovertarget="halt" { (icon("stop")) (caller.t("Pause everything", "Tout suspendre")) }
                    },
                }
            }
        }
    }
}

fn by(caller: &Caller, halt: &Halt) -> Markup {
    html! {
        p.sub {
            (halt.who) ", " (caller.moment(halt.at))
            @if !halt.why.is_empty() { (caller.t(": ", " : ")) (halt.why) }
        }
    }
}

/// A row's state and its one action.
fn action(caller: &Caller, halts: &[Halt], scope: &Scope, name: &str) -> Markup {
    let halt = halts.iter().find(|halt| halt.scope == *scope);
    html! {
        td {
            @match halt {
                Some(halt) => { (chip("held", "stop", caller.t("Paused", "Suspendu"))) (by(caller, halt)) },
                None => (chip("ok", "ok", caller.t("Runs", "Tourne"))),
            }
        }
        td.n { @if caller.may(Role::Operator) {
            @if halt.is_some() {
                form method="post" action="/stop/resume" {
                    (hidden(caller)) input type="hidden" name="scope" value=(scope);
                    button.btn { (icon("play")) (caller.t("Resume", "Reprendre")) span.vh { " " (name) } }
                }
            } @else {
                form.inline method="post" action="/stop" {
                    (hidden(caller)) input type="hidden" name="scope" value=(scope);
                    input.hide-s name="why" maxlength=(LONGEST) placeholder=(caller.t("Why", "Pourquoi")) aria-label={ (caller.t("Why pause ", "Pourquoi suspendre ")) (name) };
                    button.btn { (icon("stop")) (caller.t("Pause", "Suspendre")) span.vh { " " (name) } }
                }
            }
        } }
    }
}

fn flows(caller: &Caller, halts: &[Halt]) -> Markup {
    let flows = &caller.present.config.flows;
    let mode = |mode: Mode| match mode {
        Mode::Live => caller.t("live", "actif"),
        Mode::Shadow => caller.t("shadow", "à blanc"),
        Mode::Off => caller.t("off", "arrêté"),
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caller.t("Flows", "Flux")) { table.stops {
            thead { tr {
                th scope="col" { (caller.t("Flow", "Flux")) }
                th.hide-s scope="col" { (caller.t("Mode", "Mode")) }
                th scope="col" { (caller.t("State", "État")) }
                th scope="col" { span.vh { (caller.t("Action", "Action")) } }
            } }
            tbody { @for (name, flow) in flows { tr {
                th scope="row" { b { (name) } small { (flow.from) " → " (flow.to) } }
                td.hide-s.sub { (mode(flow.mode)) }
                (action(caller, halts, &Scope::Flow(name.clone()), name.as_str()))
            } } }
        } }
    }
}

fn connections(caller: &Caller, halts: &[Halt]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caller.t("Connections", "Connexions")) { table.stops {
            thead { tr {
                th scope="col" { (caller.t("Writing to", "Écriture vers")) }
                th scope="col" { (caller.t("State", "État")) }
                th scope="col" { span.vh { (caller.t("Action", "Action")) } }
            } }
            tbody { @for (name, config) in &caller.present.config.connections { tr {
                th scope="row" { b { (name) } small { (config.connector) } }
                (action(caller, halts, &Scope::Connection(name.clone()), name.as_str()))
            } } }
        } }
    }
}

/// What a form names, if this hub has it.
fn scope_of(act: &Act) -> Result<Scope, Said> {
    let config = &act.caller.present.config;
    let scope = act.fields.get("scope").parse::<Scope>().ok();
    let known = scope.filter(|scope| match scope {
        Scope::All => true,
        Scope::Connection(name) => config.connections.contains_key(name),
        Scope::Flow(name) => config.flows.contains_key(name),
    });
    let refused = || act.caller.refuse(Refusal::new(Code::BadRequest));
    known.ok_or_else(refused)
}

/// `POST /stop`.
pub async fn halt(act: Act) -> Result<Redirect, Said> {
    act.caller.needs(Role::Operator)?;
    let scope = scope_of(&act)?;
    let why: String = act.fields.get("why").chars().take(LONGEST).collect();
    let caller = &act.caller;
    let halted = caller.store().halt(&scope, &caller.person, &why).await;
    halted.map_err(|error| caller.broken(error))?;
    caller.did("pause", &scope.to_string(), &why).await?;
    Ok(Redirect::to("/stop"))
}

/// `POST /stop/resume`.
pub async fn resume(act: Act) -> Result<Redirect, Said> {
    act.caller.needs(Role::Operator)?;
    let caller = &act.caller;
    // What is no longer configured can be let go too.
    let Ok(scope) = act.fields.get("scope").parse::<Scope>() else {
        return Err(caller.refuse(Refusal::new(Code::BadRequest)));
    };
    let ended = caller.store().unhalt(&scope).await;
    ended.map_err(|error| caller.broken(error))?;
    caller.did("resume-writing", &scope.to_string(), "").await?;
    for connection in caller.present.hub.connections.values() {
        connection.due.notify_one();
    }
    Ok(Redirect::to("/stop"))
}
