//! What happened to an order on all systems, in the order it happened: a lane for each.

use super::caller::Caller;
use super::causes::{self, Sides};
use super::record::Pair;
use super::wording;
use comptoir_model::cause::Cause;
use comptoir_model::key::{Kind, RecordKey};
use comptoir_model::order::Order;
use comptoir_store::{IntentRow, IntentState, JournalRow, StoreError};
use maud::{Markup, html};

/// Whose event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The source's.
    Source,
    /// Comptoir's.
    Hub,
    /// The target's.
    Target,
}

/// One event.
pub struct Event {
    /// When (unix ms).
    pub at: i64,
    /// Whose.
    pub lane: Lane,
    /// Its look: `ok`, `held`, `bad`, `unk`, `wait` or empty.
    pub look: &'static str,
    /// What happened.
    pub title: String,
    /// More words.
    pub words: String,
    /// What was sent, to look into.
    pub sent: Option<String>,
}

/// Everything that happened to an order.
pub async fn events(
    caller: &Caller,
    key: &RecordKey,
    order: Option<&Order>,
    pair: &Pair,
) -> Result<Vec<Event>, StoreError> {
    let store = caller.store();
    let mut events = Vec::new();
    if let Some(order) = order {
        events.extend(dates(caller, order, Lane::Source));
        for shipment in &order.shipments {
            events.extend(shipment_event(caller, shipment, Lane::Source));
        }
    }
    let ids = [key.id.clone()];
    let cards = store.cards_of(&key.connection, key.kind, &ids).await?;
    events.extend(cards.first().map(|card| {
        Event {
            at: card.first_at,
            lane: Lane::Hub,
            look: "",
            title: caller
                .t("Seen first", "Vue pour la première fois")
                .to_owned(),
            words: String::new(),
            sent: None,
        }
    }));
    if let (Some(to), Some(flow)) = (&pair.to, &pair.flow) {
        let intents = store.intents_of(flow, key.kind, &ids).await?;
        let journal = store.journal(to, key.kind, &key.id).await?;
        let sides = Sides {
            from: key.connection.as_str(),
            to: to.as_str(),
        };
        events.extend(
            journal
                .iter()
                .filter_map(|row| journal_event(caller, row, &sides, &intents)),
        );
        events.extend(
            intents
                .iter()
                .filter(|intent| is_open(intent))
                .map(|intent| open_event(caller, intent)),
        );
        if let Some(link) = &pair.link {
            for part in store.parts_of(to, &link.dst_id).await? {
                let ids = [part.key.id.clone()];
                let found = store.records(to, part.key.kind, &ids, false).await?;
                let document = found.into_values().next().and_then(|row| row.document);
                if let Some(comptoir_model::document::Document::Shipment(shipment)) = &document {
                    events.extend(shipment_event(caller, shipment, Lane::Target));
                }
            }
        }
    }
    events.sort_by_key(|event| event.at);
    Ok(events)
}

fn dates(caller: &Caller, order: &Order, lane: Lane) -> Vec<Event> {
    let dates = &order.dates;
    let named = [
        (dates.placed, caller.t("Placed", "Passée"), ""),
        (dates.paid, caller.t("Paid", "Payée"), "ok"),
        (dates.completed, caller.t("Completed", "Terminée"), "ok"),
        (dates.cancelled, caller.t("Cancelled", "Annulée"), "bad"),
    ];
    let language = caller.language;
    let total = super::amount::decimal(language, order.totals.total, order.currency.code());
    named
        .into_iter()
        .filter_map(|(at, title, look)| {
            Some(Event {
                at: at?.as_millisecond(),
                lane,
                look,
                title: title.to_owned(),
                words: if look.is_empty() {
                    total.clone()
                } else {
                    String::new()
                },
                sent: None,
            })
        })
        .collect()
}

fn shipment_event(
    caller: &Caller,
    shipment: &comptoir_model::shipment::Shipment,
    lane: Lane,
) -> Option<Event> {
    let at = shipment.shipped_at?.as_millisecond();
    let parcels: Vec<String> = shipment
        .parcels
        .iter()
        .map(|parcel| {
            format!("{} {}", parcel.carrier, parcel.tracking)
                .trim()
                .to_owned()
        })
        .collect();
    let title = match lane {
        Lane::Source => caller.t(
            "The buyer sees the shipment",
            "L’acheteur voit l’expédition",
        ),
        _ => caller.t("Shipped", "Expédiée"),
    };
    Some(Event {
        at,
        lane,
        look: "ok",
        title: format!("{title} {}", shipment.number).trim().to_owned(),
        words: parcels.join(", "),
        sent: None,
    })
}

fn is_open(intent: &IntentRow) -> bool {
    matches!(intent.state, IntentState::Sent | IntentState::Unknown)
}

fn open_event(caller: &Caller, intent: &IntentRow) -> Event {
    let (look, title) = match intent.state {
        IntentState::Unknown => (
            "unk",
            caller.t(
                "Sent, no sure answer; looked for before any second write",
                "Envoyé, sans réponse sûre ; recherché avant toute seconde écriture",
            ),
        ),
        _ => ("wait", caller.t("Being written", "En cours d’écriture")),
    };
    Event {
        at: intent.sent_at,
        lane: Lane::Hub,
        look,
        title: title.to_owned(),
        words: intent.step.as_str().to_owned(),
        sent: sent(caller, intent),
    }
}

/// What was sent, for those who may see it.
fn sent(caller: &Caller, intent: &IntentRow) -> Option<String> {
    if !caller.may(comptoir_store::Role::Operator) || intent.document.is_empty() {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(&intent.document).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

fn journal_event(
    caller: &Caller,
    row: &JournalRow,
    sides: &Sides<'_>,
    intents: &[IntentRow],
) -> Option<Event> {
    let what = &row.what;
    let event = what["event"].as_str()?;
    let to = what["to"].as_str().unwrap_or_default();
    let intent = row.intent.as_ref();
    let intent = intent.and_then(|id| intents.iter().find(|intent| intent.id == *id));
    let of_buyer = row.kind == Kind::Customer;
    let (lane, look, title, words) = match event {
        "create" if of_buyer => return None,
        "create" => (
            Lane::Target,
            "ok",
            caller.t("Created", "Créée").to_owned(),
            to.to_owned(),
        ),
        "update" => (
            Lane::Target,
            "ok",
            caller.t("Changed", "Modifiée").to_owned(),
            String::new(),
        ),
        "confirm" => (
            Lane::Target,
            "ok",
            caller.t("Confirmed", "Confirmée").to_owned(),
            String::new(),
        ),
        "cancel" => (
            Lane::Target,
            "bad",
            caller.t("Cancelled", "Annulée").to_owned(),
            String::new(),
        ),
        "linked" => (
            Lane::Hub,
            "ok",
            caller
                .t("Found there and linked", "Trouvée et liée")
                .to_owned(),
            to.to_owned(),
        ),
        "held" => {
            let causes = what["causes"].as_array().into_iter().flatten();
            let words: Vec<String> = causes
                .filter_map(|cause| cause.as_str())
                .map(|cause| match cause.parse::<Cause>() {
                    Ok(known) => causes::title(&known, sides, caller.language),
                    Err(_) => cause.to_owned(),
                })
                .collect();
            (
                Lane::Hub,
                "held",
                caller.t("Held", "Retenue").to_owned(),
                words.join("; "),
            )
        }
        "failed" => {
            let fault = serde_json::from_value(what["fault"].clone()).ok();
            let words = fault.map(|fault| crate::words::fault(caller.language, &fault));
            (
                Lane::Hub,
                "bad",
                caller.t("Did not go through", "N’est pas passé").to_owned(),
                words.unwrap_or_default(),
            )
        }
        "proved" => (
            Lane::Hub,
            "ok",
            caller
                .t(
                    "Proved after a lost answer",
                    "Prouvé après une réponse perdue",
                )
                .to_owned(),
            String::new(),
        ),
        "dropped" => (
            Lane::Hub,
            "",
            caller
                .t(
                    "Surely not done; decided anew",
                    "Sûrement pas fait ; décidé de nouveau",
                )
                .to_owned(),
            String::new(),
        ),
        other => (Lane::Hub, "", other.to_owned(), String::new()),
    };
    Some(Event {
        at: row.at,
        lane,
        look,
        title,
        words,
        sent: intent.and_then(|intent| sent(caller, intent)),
    })
}

/// The time line.
pub fn show(caller: &Caller, lanes: &[(Lane, String); 3], events: &[Event]) -> Markup {
    let mut last_day = String::new();
    let mut new_day = |event: &Event| {
        let day = wording::day(caller.language, &caller.zone, event.at, caller.now);
        let before = std::mem::replace(&mut last_day, day.clone());
        (before != day).then_some(day)
    };
    let name = |lane: Lane| {
        lanes
            .iter()
            .find(|(known, _)| *known == lane)
            .map_or("", |(_, name)| name.as_str())
    };
    html! {
        div.lanes aria-hidden="true" { span {} @for (_, name) in lanes { span { (name) } } }
        ol.tl { @for event in events {
            @if let Some(day) = new_day(event) { li { span.day { (day) } } }
            (entry(caller, event, name(event.lane)))
        } }
    }
}

fn entry(caller: &Caller, event: &Event, lane: &str) -> Markup {
    let class = match event.lane {
        Lane::Source => "shop",
        Lane::Hub => "hub",
        Lane::Target => "erp",
    };
    let clock = wording::clock(caller.language, &caller.zone, event.at);
    let solid = if event.lane == Lane::Hub && event.look != "ok" {
        ""
    } else {
        "solid"
    };
    html! {
        li {
            time { (clock) }
            div class={ "ev " (class) " " (event.look) " " (solid) } {
                span.lane { (lane) }
                b { (event.title) }
                @if !event.words.is_empty() { p { (event.words) } }
            }
            @if let Some(sent) = &event.sent {
                details { summary { (caller.t("What was sent", "Ce qui a été envoyé")) } pre { (sent) } }
            }
        }
    }
}
