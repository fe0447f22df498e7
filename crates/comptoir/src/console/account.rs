//! One's own account: password, and signing out everywhere.

use super::caller::{Act, Caller};
use super::frame::{self, Page, Place, hidden};
use super::icon::icon;
use super::password;
use super::refusal::{Refusal, Said};
use axum::response::Redirect;
use comptoir_model::code::Code;
use maud::{Markup, html};

/// `GET /account`.
pub async fn page(caller: Caller) -> Result<Markup, Said> {
    show(&caller, None).await
}

async fn show(caller: &Caller, problem: Option<Refusal>) -> Result<Markup, Said> {
    let title = caller.t("My account", "Mon compte");
    let body = html! {
        div.cols.even {
            form.card method="post" action="/account/password" aria-labelledby="s-p" {
                header { h2 #s-p { (caller.t("Another password", "Changer de mot de passe")) } }
                div.pad.stack {
                    (hidden(caller))
                    @if let Some(problem) = &problem {
                        div.note.bad role="alert" { (icon("bad")) div { (problem.words(caller.language)) } }
                    }
                    input type="text" name="name" value=(caller.person) autocomplete="username" hidden;
                    label.field { span { (caller.t("Present password", "Mot de passe actuel")) }
                        input name="old" type="password" autocomplete="current-password" required; }
                    label.field { span { (caller.t("New password", "Nouveau mot de passe")) }
                        input name="new" type="password" autocomplete="new-password" required minlength=(password::SHORTEST);
                        small { (caller.t("12 characters or more. You are then signed out everywhere.", "12 caractères ou plus. Vous serez ensuite déconnecté partout.")) } }
                    div.row { button.btn.go { (caller.t("Change it", "Changer")) } }
                }
            }
            form.card method="post" action="/account/sign-out" aria-labelledby="s-o" {
                header { h2 #s-o { (caller.t("Signed in elsewhere?", "Connecté ailleurs ?")) } }
                div.pad.stack {
                    (hidden(caller))
                    p.sub { (caller.t("Ends your sessions on every device, this one too.", "Met fin à vos sessions sur tous les appareils, celui-ci compris.")) }
                    div.row { button.btn.stop { (caller.t("Sign out everywhere", "Se déconnecter partout")) } }
                }
            }
        }
    };
    let role = super::people::role_name(caller, caller.role);
    let below = html! { (caller.person) ", " (role) };
    frame::page(caller, Page::new(Place::Account, title, body).below(below)).await
}

/// `POST /account/password`.
pub async fn password(act: Act) -> Result<Result<Redirect, Markup>, Said> {
    let Act { caller, fields } = act;
    let person = caller.store().person(&caller.person).await;
    let person = person.map_err(|error| caller.broken(error))?;
    let kept = person.map(|person| person.password);
    let old = fields.raw("old").to_owned();
    if !password::check(&caller.desk, old, kept).await {
        let problem = Refusal::new(Code::WrongPassword);
        return Ok(Err(show(&caller, Some(problem)).await?));
    }
    let new = fields.raw("new");
    if !password::is_strong(&caller.person, new) {
        let problem = Refusal::new(Code::WeakPassword);
        return Ok(Err(show(&caller, Some(problem)).await?));
    }
    let Some(hash) = password::hash_beside(&caller.desk, new.to_owned()).await else {
        return Err(caller.refuse(Refusal::new(Code::StoreBroken)));
    };
    let set = caller.store().set_password(&caller.person, &hash).await;
    set.map_err(|error| caller.broken(error))?;
    caller.did("password", &caller.person, "").await?;
    Ok(Ok(Redirect::to("/sign-in")))
}

/// `POST /account/sign-out`.
pub async fn sign_out_everywhere(act: Act) -> Result<Redirect, Said> {
    let caller = act.caller;
    let ended = caller.store().end_sessions(&caller.person).await;
    ended.map_err(|error| caller.broken(error))?;
    caller
        .did("sign-out-everywhere", &caller.person, "")
        .await?;
    Ok(Redirect::to("/sign-in"))
}
