//! What needs me? What is held, by cause, with the fix beside it: fix a cause once, and everything behind it goes on.

use super::amount::{Sums, money};
use super::caller::{Act, Caller, encoded};
use super::causes::{self, Sides};
use super::frame::{self, Page, Place, hidden};
use super::icon::icon;
use super::refusal::{Refusal, Said};
use super::{revise, wording};
use axum::extract::Query;
use axum::response::Redirect;
use comptoir_engine::decide::Verdict;
use comptoir_model::account::{Account, Choice};
use comptoir_model::cause::Cause;
use comptoir_model::code::{Code, Language};
use comptoir_model::document::Document;
use comptoir_model::key::{FlowName, Kind, RemoteId};
use comptoir_store::{CardRow, Role, StoreError, WorkRow, WorkState};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Records shown under a cause.
const SHOWN: usize = 50;
/// Records that one answer reaches.
const REACHED: usize = 10_000;

/// What one flow holds under one cause.
pub struct Group {
    /// The flow.
    pub flow: FlowName,
    /// What it carries.
    pub kind: Kind,
    /// Source connection.
    pub from: String,
    /// Target connection.
    pub to: String,
    /// The cause as the store keeps it.
    pub key: String,
    /// How many records.
    pub count: u64,
    /// The oldest (unix ms).
    pub since: i64,
    /// What they come to.
    pub sums: Sums,
}

impl Group {
    fn sides(&self) -> Sides<'_> {
        Sides {
            from: &self.from,
            to: &self.to,
        }
    }

    /// What happened, in words.
    pub fn title(&self, language: Language) -> String {
        match self.key.parse::<Cause>() {
            Ok(cause) => causes::title(&cause, &self.sides(), language),
            Err(_) => self.key.clone(),
        }
    }

    /// So many records, with their word.
    pub fn counted(&self, language: Language) -> String {
        let (one, many) = causes::kind_words(self.kind);
        wording::counted(language, self.count, one, many)
    }
}

/// Everything held, the oldest cause first.
pub async fn groups(caller: &Caller) -> Result<Vec<Group>, StoreError> {
    let mut groups: BTreeMap<(FlowName, String), Group> = BTreeMap::new();
    for (name, flow) in &caller.present.config.flows {
        for sum in caller.store().held_sums(name, &flow.from).await? {
            let key = (name.clone(), sum.cause.clone());
            let group = groups.entry(key).or_insert_with(|| Group {
                flow: name.clone(),
                kind: flow.kind,
                from: flow.from.to_string(),
                to: flow.to.to_string(),
                key: sum.cause.clone(),
                count: 0,
                since: sum.since,
                sums: Sums::default(),
            });
            group.count += sum.count;
            group.since = group.since.min(sum.since);
            group.sums.add(&sum.currency, sum.amount);
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| group.since);
    Ok(groups)
}

/// `GET /needs`.
pub async fn page(
    caller: Caller,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Markup, Said> {
    let groups = groups(&caller).await;
    let groups = groups.map_err(|error| caller.broken(error))?;
    let title = title(&caller, &groups);
    let mut cards = Vec::with_capacity(groups.len());
    for (index, group) in groups.iter().enumerate() {
        let card = card(&caller, index, group).await;
        cards.push(card.map_err(|error| caller.broken(error))?);
    }
    let body = html! {
        @if let Some(said) = said(&caller, &query) {
            div.note.ok role="status" { (icon("ok")) div { (said) } }
        }
        div.causes { @for card in &cards { (card) } }
        @if groups.is_empty() {
            div.card.pad.rule.stack {
                p.sub { (caller.t("Nothing waits for a person. What comes by itself is on its way.", "Rien n’attend une personne. Ce qui vient de soi-même est en route.")) }
                p { a.btn href="/" { (caller.t("To the overview", "Vers l’aperçu")) } }
            }
        }
    };
    let mut page = Page::new(Place::Needs, &title, body);
    if !groups.is_empty() {
        page = page
            .below(html! { (caller.t("Fix a cause once; everything behind it resumes, in order. The oldest first.", "Réglez une cause une fois ; tout ce qui suit reprend, dans l’ordre. La plus ancienne d’abord.")) })
            .beside(html! { a.btn href="/needs.csv" { "CSV" } });
    }
    frame::page(&caller, page).await
}

fn title(caller: &Caller, groups: &[Group]) -> String {
    let language = caller.language;
    if groups.is_empty() {
        return caller.t("Nothing needs you", "Rien à traiter").to_owned();
    }
    let count: u64 = groups.iter().map(|group| group.count).sum();
    let mut sums = Sums::default();
    for group in groups {
        for (currency, amount) in &group.sums.0 {
            sums.add(currency, *amount);
        }
    }
    let causes = wording::counted(
        language,
        groups.len() as u64,
        ["cause holds", "cause retient"],
        ["causes hold", "causes retiennent"],
    );
    let records = wording::counted(language, count, ["record", "fiche"], ["records", "fiches"]);
    if sums.is_empty() {
        return format!("{causes} {records}");
    }
    let and = caller.t("and", "et");
    format!("{causes} {records} {and} {}", sums.text(language))
}

/// What the last action did.
fn said(caller: &Caller, query: &BTreeMap<String, String>) -> Option<String> {
    let count = query.get("n").and_then(|n| n.parse::<u64>().ok())?;
    let records = wording::counted(
        caller.language,
        count,
        ["record goes on", "fiche reprend"],
        ["records go on", "fiches reprennent"],
    );
    Some(
        match query.get("revision").and_then(|n| n.parse::<i64>().ok()) {
            Some(n) => {
                let saved = caller.t("Saved as revision", "Enregistré, révision");
                format!("{saved} {n}. {records}.")
            }
            None => format!("{records}."),
        },
    )
}

async fn card(caller: &Caller, index: usize, group: &Group) -> Result<Markup, StoreError> {
    let language = caller.language;
    let store = caller.store();
    let cause = group.key.parse::<Cause>().ok();
    let rows = store.held(&group.key, SHOWN * 4).await?;
    let rows = rows.into_iter().filter(|row| row.flow == group.flow);
    let rows: Vec<WorkRow> = rows.take(SHOWN).collect();
    let ids: Vec<RemoteId> = rows.iter().map(|row| row.src.clone()).collect();
    let from = group
        .from
        .parse()
        .map_err(|_| StoreError::Damaged(group.from.clone()))?;
    let cards = store.cards_of(&from, group.kind, &ids).await?;
    let fix = match &cause {
        Some(Cause::Row { table, value }) => {
            Some(row_form(caller, group, table, value, &ids).await?)
        }
        _ => None,
    };
    let id = format!("c{index}");
    let operator = caller.may(Role::Operator);
    Ok(html! {
        article.card.cause aria-labelledby=(id) data-cause=(group.key) {
            div.sum {
                b { (wording::number(language, group.count)) }
                span { (kind_word(group, language)) }
                @if !group.sums.is_empty() { span { strong { (group.sums.text(language)) } " " (caller.t("waiting", "en attente")) } }
                span { (caller.t("oldest", "la plus ancienne :")) " " (caller.ago(group.since)) }
                span { (group.from) " → " (group.to) }
            }
            div.do {
                h2 id=(id) { (group.title(language)) }
                @if let Some(cause) = &cause { p.sub { (causes::advice(cause, &group.sides(), language)) } }
                @if let Some(fix) = &fix { (fix) }
                @if operator { (actions(caller, group, cause.as_ref(), fix.is_some())) }
                (records(caller, group, &rows, &cards))
            }
        }
    })
}

fn kind_word(group: &Group, language: Language) -> &'static str {
    let (one, many) = causes::kind_words(group.kind);
    let [english, french] = if group.count == 1 { one } else { many };
    crate::words::either(language, english, french)
}

/// Hidden fields that name a group.
fn names(caller: &Caller, group: &Group) -> Markup {
    html! {
        (hidden(caller))
        input type="hidden" name="flow" value=(group.flow);
        input type="hidden" name="cause" value=(group.key);
    }
}

fn actions(caller: &Caller, group: &Group, cause: Option<&Cause>, has_fix: bool) -> Markup {
    let language = caller.language;
    let answers = cause.map_or(&[][..], causes::answers);
    let again = match has_fix {
        true => caller.t("Try again", "Réessayer").to_owned(),
        false => format!(
            "{} {}",
            caller.t("Try again:", "Réessayer :"),
            group.counted(language)
        ),
    };
    html! {
        div.row.acts {
            @if let Some(cause) = cause { @for verdict in answers {
                form method="post" action="/needs/all" {
                    (names(caller, group))
                    button.btn.go[!has_fix && *verdict == answers[0]] name="do" value=(verdict.as_str()) {
                        (causes::answer(*verdict, cause, &group.sides(), language))
                        @if group.count > 1 { ", " (group.counted(language)) }
                    }
                }
            } }
            form method="post" action="/needs/resume" {
                (names(caller, group))
                button.btn.flat[has_fix || !answers.is_empty()] { (again) }
            }
            @if !answers.contains(&Verdict::Keep) {
                details.dismiss {
                    summary.btn.flat { (caller.t("Dismiss…", "Classer…")) }
                    form.row method="post" action="/needs/all" {
                        (names(caller, group))
                        input name="why" required maxlength="300" placeholder=(caller.t("Why it needs nothing", "Pourquoi c’est réglé")) aria-label=(caller.t("Reason", "Raison"));
                        button.btn name="do" value=(Verdict::Keep.as_str()) { (caller.t("Dismiss", "Classer")) " " (group.counted(language)) }
                    }
                }
            }
        }
    }
}

fn records(caller: &Caller, group: &Group, rows: &[WorkRow], cards: &[CardRow]) -> Markup {
    let language = caller.language;
    let card = |id: &RemoteId| cards.iter().find(|card| card.key.id == *id);
    let operator = caller.may(Role::Operator);
    let (_, [english, french]) = causes::kind_words(group.kind);
    html! {
        details {
            summary { (caller.t("Show", "Voir")) " " (group.counted(language)) }
            div.scroll tabindex="0" role="region" aria-label=(crate::words::either(language, english, french)) { table {
                thead { tr {
                    th scope="col" { (caller.t("Number", "Numéro")) }
                    th scope="col" { (caller.t("Of", "Du")) }
                    th.n scope="col" { (caller.t("Charged", "Facturé")) }
                    th scope="col" { span.vh { (caller.t("Actions", "Actions")) } }
                } }
                tbody { @for row in rows {
                    @let found = card(&row.src);
                    @let number = found.map_or(row.src.as_str(), |card| card.number.as_str());
                    tr {
                        th.nw scope="row" { a href={ "/record/" (group.from) "/" (group.kind) "/" (encoded(row.src.as_str())) } { (number) } }
                        td.nw { (caller.moment(found.map_or(row.since, |card| card.at))) }
                        td.n { @if let Some(card) = found && let Some(amount) = card.amount { (money(language, amount, &card.currency)) } }
                        td.n { @if operator {
                            form method="post" action="/needs/one" {
                                (names(caller, group))
                                input type="hidden" name="record" value=(row.src);
                                button.btn.flat { (caller.t("Try this one", "Réessayer celle-ci")) span.vh { " " (number) } }
                            }
                        } }
                    }
                } }
            } }
            @if group.count > rows.len() as u64 {
                p.mute { (caller.t("The oldest are shown.", "Les plus anciennes sont affichées.")) }
            }
        }
    }
}

/// What a value may become: the target's own names where it told them, else what the table says elsewhere.
async fn row_form(
    caller: &Caller,
    group: &Group,
    table: &str,
    value: &str,
    ids: &[RemoteId],
) -> Result<Markup, StoreError> {
    if !caller.may(Role::Operator) {
        return Ok(html! {});
    }
    let to = group
        .to
        .parse()
        .map_err(|_| StoreError::Damaged(group.to.clone()))?;
    let account = caller
        .store()
        .connection(&to)
        .await?
        .and_then(|row| row.account);
    let rate = rate_of(caller, group, value, ids).await?;
    let known = known_values(caller, group, table);
    let choices = account
        .as_ref()
        .map_or(Vec::new(), |account| choices(account, table, rate));
    let language = caller.language;
    let question = match language {
        Language::English => format!("What is “{value}” in {}?", group.to),
        Language::French => format!("Que devient « {value} » dans {} ?", group.to),
    };
    let button = match language {
        Language::English => format!("Save the row, resume {}", group.counted(language)),
        Language::French => format!("Enregistrer, reprendre {}", group.counted(language)),
    };
    let guess = rate.is_some() && choices.first().is_some_and(|choice| choice.rate == rate);
    Ok(html! {
        form.fix.stack method="post" action="/needs/row" {
            (names(caller, group))
            label.field {
                span { (question) }
                @if choices.is_empty() {
                    input name="to" required maxlength="200" list={ "v-" (table) "-" (group.flow) } autocomplete="off";
                    datalist id={ "v-" (table) "-" (group.flow) } { @for value in &known { option value=(value) {} } }
                } @else {
                    select name="to" required {
                        // Also where one has the same rate: 20 % of another country is another tax.
                        option value="" { (caller.t("Choose", "Choisir")) }
                        @for choice in &choices { option value=(choice.id) { (choice_name(choice)) } }
                    }
                }
                @if let Some(rate) = rate {
                    small { (caller.t("The shop charged", "La boutique a facturé")) " " (percent(rate)) "; " @if guess { (caller.t("the first one has the same rate.", "la première a le même taux.")) } @else { (caller.t("no tax has this rate.", "aucune taxe n’a ce taux.")) } }
                }
            }
            div.row {
                button.btn.go { (button) }
                span.mute { (caller.t("makes revision", "crée la révision")) " " (caller.present.revision + 1) }
            }
        }
    })
}

fn percent(rate: comptoir_model::Decimal) -> String {
    format!("{}\u{a0}%", rate.normalize())
}

fn choice_name(choice: &Choice) -> String {
    match choice.rate {
        Some(rate) if !choice.name.contains('%') => format!("{} ({})", choice.name, percent(rate)),
        _ => choice.name.clone(),
    }
}

/// The names a target has for a table, those of the same rate first.
fn choices(account: &Account, table: &str, rate: Option<comptoir_model::Decimal>) -> Vec<Choice> {
    let name = match table {
        "tax" => "taxes",
        "price_list" => "price_lists",
        _ => return Vec::new(),
    };
    let mut choices = account.choices.get(name).cloned().unwrap_or_default();
    choices.sort_by_key(|choice| rate.is_some() && choice.rate != rate);
    choices
}

/// The rate that the shop states for a tax, from an order that waits for it.
async fn rate_of(
    caller: &Caller,
    group: &Group,
    value: &str,
    ids: &[RemoteId],
) -> Result<Option<comptoir_model::Decimal>, StoreError> {
    let (Some(id), Ok(from)) = (ids.first(), group.from.parse()) else {
        return Ok(None);
    };
    let one = std::slice::from_ref(id);
    let found = caller
        .store()
        .records(&from, group.kind, one, false)
        .await?;
    let document = found.into_values().next().and_then(|row| row.document);
    let order = document.as_ref().and_then(Document::as_order);
    Ok(order.and_then(|order| order.tax_line(value)?.rate))
}

/// What the rows of a flow's table become today.
fn known_values(caller: &Caller, group: &Group, table: &str) -> Vec<String> {
    let Some(flow) = caller.present.config.flows.get(&group.flow) else {
        return Vec::new();
    };
    let tables = &flow.policy.tables;
    let rows = match table {
        "tax" => &tables.taxes,
        "payment" => &tables.payment_methods,
        "shipping" => &tables.shipping_methods,
        "price_list" => &tables.price_lists,
        _ => return Vec::new(),
    };
    let mut values: Vec<String> = rows.rows().map(|(_, to)| to.to_owned()).collect();
    values.sort();
    values.dedup();
    values
}

/// The flow and cause that a form names.
fn named(act: &Act) -> Result<(FlowName, Kind, String), Said> {
    act.caller.needs(Role::Operator)?;
    let refused = || act.caller.refuse(Refusal::new(Code::BadRequest));
    let flow: FlowName = act.fields.get("flow").parse().map_err(|_| refused())?;
    let config = act.caller.present.config.flows.get(&flow);
    let kind = config.ok_or_else(refused)?.kind;
    Ok((flow, kind, act.fields.raw("cause").to_owned()))
}

/// The held records of one cause in one flow.
async fn held_ids(caller: &Caller, flow: &FlowName, cause: &str) -> Result<Vec<RemoteId>, Said> {
    let rows = caller.store().held(cause, REACHED).await;
    let rows = rows.map_err(|error| caller.broken(error))?;
    let rows = rows.into_iter().filter(|row| row.flow == *flow);
    Ok(rows.map(|row| row.src).collect())
}

/// Wakes whoever works on what was just made due.
pub fn ring(caller: &Caller) {
    for connection in caller.present.hub.connections.values() {
        connection.due.notify_one();
    }
}

/// `POST /needs/resume`: everything with this cause is decided again.
pub async fn resume(act: Act) -> Result<Redirect, Said> {
    let (flow, kind, cause) = named(&act)?;
    let caller = &act.caller;
    let ids = held_ids(caller, &flow, &cause).await?;
    let touched = caller.store().touch(&flow, kind, &ids).await;
    touched.map_err(|error| caller.broken(error))?;
    caller.did("resume", &format!("{flow} {cause}"), "").await?;
    ring(caller);
    Ok(Redirect::to(&format!("/needs?n={}", ids.len())))
}

/// `POST /needs/one`: one record is decided again, or answered.
pub async fn one(act: Act) -> Result<Redirect, Said> {
    let (flow, kind, cause) = named(&act)?;
    let caller = &act.caller;
    let id = RemoteId(act.fields.raw("record").to_owned());
    let ids = std::slice::from_ref(&id);
    let work = caller.store().work(&flow, kind, ids).await;
    let work = work.map_err(|error| caller.broken(error))?;
    let held = work
        .get(&id)
        .is_some_and(|work| work.state == WorkState::Held);
    if !held {
        return Err(caller.refuse(
            Refusal::new(Code::NothingHere)
                .with("It is not held any more.", "Elle n’est plus retenue."),
        ));
    }
    let answer = causes::given(act.fields.get("do"));
    let done = match answer {
        Some(verdict) => {
            caller
                .store()
                .approve(&flow, kind, ids, verdict.as_str())
                .await
        }
        None => caller.store().touch(&flow, kind, ids).await,
    };
    done.map_err(|error| caller.broken(error))?;
    let what = answer.map_or("resume", Verdict::as_str);
    let why: String = act.fields.get("why").chars().take(300).collect();
    caller
        .did(what, &format!("{flow} {kind} {id} {cause}"), &why)
        .await?;
    ring(caller);
    let back = act.fields.get("back");
    match back.starts_with("/record/") {
        true => Ok(Redirect::to(back)),
        false => Ok(Redirect::to("/needs?n=1")),
    }
}

/// `POST /needs/all`: one answer for everything with this cause.
pub async fn all(act: Act) -> Result<Redirect, Said> {
    let (flow, kind, cause) = named(&act)?;
    let caller = &act.caller;
    let Some(verdict) = causes::given(act.fields.get("do")) else {
        return Err(caller.refuse(Refusal::new(Code::BadRequest)));
    };
    let ids = held_ids(caller, &flow, &cause).await?;
    let approved = caller
        .store()
        .approve(&flow, kind, &ids, verdict.as_str())
        .await;
    approved.map_err(|error| caller.broken(error))?;
    let why: String = act.fields.get("why").chars().take(300).collect();
    caller
        .did(verdict.as_str(), &format!("{flow} {cause}"), &why)
        .await?;
    ring(caller);
    Ok(Redirect::to(&format!("/needs?n={}", ids.len())))
}

/// `POST /needs/row`: a missing row makes a revision; everything that waits is decided anew under it.
pub async fn row(act: Act) -> Result<Redirect, Said> {
    let (flow, _, cause) = named(&act)?;
    let caller = &act.caller;
    let to = act.fields.get("to");
    let Ok(Cause::Row { table, value }) = cause.parse::<Cause>() else {
        return Err(caller.refuse(Refusal::new(Code::BadRequest)));
    };
    if to.is_empty() {
        return Err(caller.refuse(Refusal::new(Code::BadRequest)));
    }
    let held = held_ids(caller, &flow, &cause).await?.len();
    let revision = revise::add_row(caller, &flow, &table, &value, to).await?;
    let about = format!("{table} {value} → {to}, {flow}");
    caller.did("row", &about, "").await?;
    Ok(Redirect::to(&format!(
        "/needs?n={held}&revision={revision}"
    )))
}

/// `GET /needs.csv`: everything held, one line a record.
pub async fn csv(caller: Caller) -> Result<super::csv::Csv, Said> {
    let broken = |error| caller.broken(error);
    let mut sheet = super::csv::Csv::new(
        "needs.csv",
        &[
            "flow", "kind", "record", "number", "amount", "currency", "cause", "since",
        ],
    );
    for group in groups(&caller).await.map_err(broken)? {
        let ids = held_ids(&caller, &group.flow, &group.key).await?;
        let Ok(from) = group.from.parse() else {
            continue;
        };
        let cards = caller
            .store()
            .cards_of(&from, group.kind, &ids)
            .await
            .map_err(broken)?;
        for id in ids {
            let card = cards.iter().find(|card| card.key.id == id);
            let amount = card.and_then(|card| card.amount);
            let amount = amount.map(|amount| {
                comptoir_model::Decimal::new(amount, 6)
                    .normalize()
                    .to_string()
            });
            let time = jiff::Timestamp::from_millisecond(group.since);
            sheet.row(&[
                group.flow.as_str(),
                group.kind.as_str(),
                id.as_str(),
                card.map_or("", |card| card.number.as_str()),
                &amount.unwrap_or_default(),
                card.map_or("", |card| card.currency.as_str()),
                &group.key,
                &time.map(|time| time.to_string()).unwrap_or_default(),
            ]);
        }
    }
    Ok(sheet)
}
