//! Users and their roles. For administrators.

use super::caller::{Act, Caller};
use super::frame::{self, Page, Place, hidden};
use super::icon::{chip, icon};
use super::refusal::{Refusal, Said};
use super::{password, sign_in, wording};
use axum::response::Redirect;
use comptoir_model::code::Code;
use comptoir_store::{Person, Role};
use maud::{Markup, html};

/// The name of a role.
pub fn role_name(caller: &Caller, role: Role) -> &'static str {
    let (english, french) = match role {
        Role::Viewer => ("Viewer", "Lecture"),
        Role::Operator => ("Operator", "Opérations"),
        Role::Admin => ("Administrator", "Administration"),
    };
    crate::words::either(caller.language, english, french)
}

fn role_about(caller: &Caller, role: Role) -> &'static str {
    let (english, french) = match role {
        Role::Viewer => (
            "Sees everything, with names and addresses of buyers masked",
            "Voit tout, noms et adresses des acheteurs masqués",
        ),
        Role::Operator => (
            "Also answers, resumes, pauses and fills tables",
            "En plus : répond, reprend, suspend et remplit les tables",
        ),
        Role::Admin => (
            "Also makes users and tokens",
            "En plus : crée les comptes et les jetons",
        ),
    };
    crate::words::either(caller.language, english, french)
}

/// `GET /people`.
pub async fn page(caller: Caller) -> Result<Markup, Said> {
    show(&caller, None).await
}

async fn show(caller: &Caller, problem: Option<Refusal>) -> Result<Markup, Said> {
    caller.needs(Role::Admin)?;
    let people = caller.store().people().await;
    let people = people.map_err(|error| caller.broken(error))?;
    let able = people.iter().filter(|person| !person.disabled).count() as u64;
    let words = |english, french| [english, french];
    let title = match caller.language {
        comptoir_model::code::Language::English => format!(
            "{} can sign in",
            wording::counted(
                caller.language,
                able,
                words("person", ""),
                words("people", "")
            )
        ),
        comptoir_model::code::Language::French => format!(
            "{} se connecter",
            wording::counted(
                caller.language,
                able,
                words("", "personne peut"),
                words("", "personnes peuvent")
            )
        ),
    };
    let body = html! {
        div.cols {
            section.card aria-label=(caller.t("Users", "Comptes")) {
                div.scroll tabindex="0" role="region" aria-label=(caller.t("Users", "Comptes")) { table {
                    thead { tr {
                        th scope="col" { (caller.t("Name", "Nom")) }
                        th scope="col" { (caller.t("Role", "Rôle")) }
                        th.hide-s scope="col" { (caller.t("Last here", "Dernière visite")) }
                        th scope="col" { span.vh { (caller.t("Actions", "Actions")) } }
                    } }
                    tbody { @for person in &people { (row(caller, person)) } }
                } }
            }
            (form(caller, problem.as_ref()))
        }
    };
    frame::page(caller, Page::new(Place::People, &title, body)).await
}

fn row(caller: &Caller, person: &Person) -> Markup {
    let me = person.name == caller.person;
    html! {
        tr {
            th scope="row" {
                (person.name) " "
                @if person.disabled { (chip("idle", "skip", caller.t("may not sign in", "accès coupé"))) }
            }
            td { (role_name(caller, person.role)) }
            td.hide-s.sub { @match person.seen_at { Some(at) => (caller.moment(at)), None => (caller.t("never", "jamais")) } }
            td.n { @if !me {
                form.inline method="post" action="/people/change" {
                    (hidden(caller))
                    input type="hidden" name="name" value=(person.name);
                    button.btn.flat name="do" value="sign-out" { (caller.t("Sign out", "Déconnecter")) span.vh { " " (person.name) } }
                    @if person.disabled {
                        button.btn.flat name="do" value="enable" { (caller.t("Let in again", "Rouvrir l’accès")) span.vh { " " (person.name) } }
                    } @else {
                        button.btn.flat.stop name="do" value="disable" { (caller.t("Let in no more", "Couper l’accès")) span.vh { " " (person.name) } }
                    }
                }
            } }
        }
    }
}

fn form(caller: &Caller, problem: Option<&Refusal>) -> Markup {
    html! {
        form.card method="post" action="/people" aria-labelledby="s-a" {
            header { h2 #s-a { (caller.t("Add a user", "Ajouter un compte")) } }
            div.pad.stack {
                (hidden(caller))
                @if let Some(problem) = problem {
                    div.note.bad role="alert" { (icon("bad")) div { (problem.words(caller.language)) } }
                }
                label.field { span { (caller.t("Name", "Nom")) }
                    input name="name" required pattern="[a-z0-9._\\-]{2,40}" autocomplete="off" autocapitalize="none";
                    small { (caller.t("Small letters, digits, dots and hyphens.", "Minuscules, chiffres, points et tirets.")) } }
                label.field { span { (caller.t("First password", "Premier mot de passe")) }
                    input name="password" type="password" autocomplete="new-password" required minlength=(password::SHORTEST); }
                fieldset.opts {
                    legend { (caller.t("Role", "Rôle")) }
                    @for role in Role::ALL {
                        label.opt {
                            input type="radio" name="role" value=(role) checked[role == Role::Operator];
                            span { (role_name(caller, role)) small { (role_about(caller, role)) } }
                        }
                    }
                }
                div.row { button.btn.go { (caller.t("Add", "Ajouter")) } }
            }
        }
    }
}

/// `POST /people`.
pub async fn add(act: Act) -> Result<Result<Redirect, Markup>, Said> {
    let Act { caller, fields } = act;
    caller.needs(Role::Admin)?;
    let name = fields.get("name");
    let typed = fields.raw("password");
    let problem = match fields.get("role").parse::<Role>() {
        Err(_) => Some(Code::BadRequest),
        Ok(_) if !sign_in::is_name(name) => Some(Code::BadRequest),
        Ok(_) if !password::is_strong(name, typed) => Some(Code::WeakPassword),
        Ok(_) => None,
    };
    if let Some(code) = problem {
        return Ok(Err(show(&caller, Some(Refusal::new(code))).await?));
    }
    let Some(hash) = password::hash_beside(&caller.desk, typed.to_owned()).await else {
        return Err(caller.refuse(Refusal::new(Code::StoreBroken)));
    };
    let person = Person {
        name: name.to_owned(),
        role: fields.get("role").parse().unwrap_or(Role::Viewer),
        password: hash,
        disabled: false,
        made_at: caller.now,
        made_by: caller.person.clone(),
        seen_at: None,
    };
    let made = caller.store().add_person(&person).await;
    if !made.map_err(|error| caller.broken(error))? {
        return Ok(Err(
            show(&caller, Some(Refusal::new(Code::NameTaken))).await?
        ));
    }
    let about = format!("{name} ({})", person.role);
    caller.did("user-add", &about, "").await?;
    Ok(Ok(Redirect::to("/people")))
}

/// `POST /people/change`.
pub async fn change(act: Act) -> Result<Redirect, Said> {
    let Act { caller, fields } = act;
    caller.needs(Role::Admin)?;
    let name = fields.get("name");
    let broken = |error| caller.broken(error);
    let store = caller.store();
    // Nobody locks themselves out by mistake.
    if name == caller.person {
        return Err(caller.refuse(Refusal::new(Code::BadRequest)));
    }
    let what = match fields.get("do") {
        "sign-out" => {
            store.end_sessions(name).await.map_err(broken)?;
            "user-sign-out"
        }
        "disable" => {
            store.set_disabled(name, true).await.map_err(broken)?;
            "user-disable"
        }
        "enable" => {
            store.set_disabled(name, false).await.map_err(broken)?;
            "user-enable"
        }
        _ => return Err(caller.refuse(Refusal::new(Code::BadRequest))),
    };
    caller.did(what, name, "").await?;
    Ok(Redirect::to("/people"))
}
