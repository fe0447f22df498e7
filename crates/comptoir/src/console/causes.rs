//! Causes in a person's words: what happened, to whom it matters, and what can be done right here.

use comptoir_engine::decide::Verdict;
use comptoir_model::cause::Cause;
use comptoir_model::code::Language;
use comptoir_model::key::Kind;

/// Which systems a cause speaks of.
pub struct Sides<'a> {
    /// The source connection.
    pub from: &'a str,
    /// The target connection.
    pub to: &'a str,
}

/// What happened, in a sentence without a full stop.
pub fn title(cause: &Cause, sides: &Sides<'_>, language: Language) -> String {
    match language {
        Language::English => english(cause, sides),
        Language::French => french(cause, sides),
    }
}

fn english(cause: &Cause, sides: &Sides<'_>) -> String {
    let Sides { from, to } = sides;
    match cause {
        Cause::Row { table, value } => match table.as_str() {
            "tax" => format!("The tax “{value}” has no row in the table of taxes"),
            "payment" => format!("The payment method “{value}” has no row in its table"),
            "shipping" => format!("The shipping method “{value}” has no row in its table"),
            "price_list" => format!("The currency {value} has no price list"),
            other => format!("“{value}” has no row in the table {other}"),
        },
        Cause::Product(sku) if sku == "none" => "A line has no SKU".to_owned(),
        Cause::Product(sku) => format!("No product of {to}, or several, have the SKU {sku}"),
        Cause::Customer(_) => {
            format!("Several customers of {to} fit one buyer, or none may be made")
        }
        Cause::Setting(name) => format!("The setting {name} is missing"),
        Cause::Rule(code, place) => {
            format!("{} ({place})", plain(code.title(Language::English)))
        }
        Cause::Flow(kind) => format!("No flow books a {kind} yet"),
        Cause::Link(kind, id) => format!("Several records of {to} have the number of {kind} {id}"),
        Cause::Total => {
            format!("The total of {to} differs from that of {from} by more than the limit")
        }
        Cause::Equation => format!("The amounts of {from} do not add up"),
        Cause::Currency => format!("{to} would book another currency"),
        Cause::Edited => format!("A person changed it in {to}, and {from} changed it too"),
        Cause::Changed => format!("{from} changed it after {to} had confirmed it"),
        Cause::CancelledInSource => format!("Cancelled in {from} while {to} works on it"),
        Cause::CancelledInTarget => format!("Cancelled in {to}, not in {from}"),
        Cause::GoneInTarget => format!("Somebody deleted it in {to}"),
        Cause::Unreadable(kind) => format!("A {kind} of {from} cannot be read"),
        Cause::Refused(code) => {
            format!("{to} refused it: {}", plain(code.title(Language::English)))
        }
        Cause::Unknown(_) => format!("It may have been done in {to}, and that cannot be proved"),
        Cause::Bug(code) => format!("Not understood: {}", plain(code.title(Language::English))),
        Cause::Tries(code) => format!(
            "It failed again and again: {}",
            plain(code.title(Language::English))
        ),
        Cause::Rounds => format!("It did not settle in {to} after eight writes"),
        Cause::Zeros(_) => format!("Too many items of {to} would go to zero at once"),
        other => other.to_string(),
    }
}

fn french(cause: &Cause, sides: &Sides<'_>) -> String {
    let Sides { from, to } = sides;
    match cause {
        Cause::Row { table, value } => match table.as_str() {
            "tax" => format!("La taxe « {value} » n’a pas de ligne dans la table des taxes"),
            "payment" => format!("Le mode de paiement « {value} » n’a pas de ligne dans sa table"),
            "shipping" => {
                format!("Le mode de livraison « {value} » n’a pas de ligne dans sa table")
            }
            "price_list" => format!("La devise {value} n’a pas de tarif"),
            other => format!("« {value} » n’a pas de ligne dans la table {other}"),
        },
        Cause::Product(sku) if sku == "none" => "Une ligne n’a pas de SKU".to_owned(),
        Cause::Product(sku) => format!("Aucun produit de {to}, ou plusieurs, n’ont le SKU {sku}"),
        Cause::Customer(_) => format!(
            "Plusieurs clients de {to} conviennent à un acheteur, ou aucun ne peut être créé"
        ),
        Cause::Setting(name) => format!("Il manque le réglage {name}"),
        Cause::Rule(code, place) => {
            format!("{} ({place})", plain(code.title(Language::French)))
        }
        Cause::Flow(Kind::Refund) => "Aucun flux n’enregistre encore les remboursements".to_owned(),
        Cause::Flow(kind) => format!("Aucun flux n’enregistre encore ceci : {kind}"),
        Cause::Link(_, id) => format!("Plusieurs fiches de {to} portent le numéro de {id}"),
        Cause::Total => {
            format!("Le total de {to} s’écarte de celui de {from} au-delà de la tolérance")
        }
        Cause::Equation => format!("Les montants de {from} ne s’additionnent pas"),
        Cause::Currency => format!("{to} enregistrerait une autre devise"),
        Cause::Edited => format!("Modifiée à la main dans {to}, et {from} l’a modifiée aussi"),
        Cause::Changed => format!("{from} l’a modifiée après sa confirmation dans {to}"),
        Cause::CancelledInSource => format!("Annulée dans {from} alors que {to} la traite"),
        Cause::CancelledInTarget => format!("Annulée dans {to}, pas dans {from}"),
        Cause::GoneInTarget => format!("Supprimée à la main dans {to}"),
        Cause::Unreadable(_) => format!("Une fiche de {from} est illisible"),
        Cause::Refused(code) => {
            format!("{to} l’a refusée : {}", plain(code.title(Language::French)))
        }
        Cause::Unknown(_) => format!("C’est peut-être fait dans {to}, et cela ne se prouve pas"),
        Cause::Bug(code) => format!("Pas compris : {}", plain(code.title(Language::French))),
        Cause::Tries(code) => format!("Échecs répétés : {}", plain(code.title(Language::French))),
        Cause::Rounds => format!("Pas stable dans {to} après huit écritures"),
        Cause::Zeros(_) => format!("Trop d’articles de {to} tomberaient à zéro d’un coup"),
        other => other.to_string(),
    }
}

/// A code's title inside of a sentence.
fn plain(title: &str) -> &str {
    title.trim_end_matches('.')
}

/// What to do, for somebody who sees this page.
pub fn advice(cause: &Cause, sides: &Sides<'_>, language: Language) -> String {
    let Sides { from, to } = sides;
    let (english, french) = match cause {
        Cause::Row { .. } => (
            "Nothing was written with a guess. Say once what it means; everything that waits for it goes on.".to_owned(),
            "Rien n’a été écrit au hasard. Dites une fois ce que cela veut dire ; tout ce qui l’attend reprend.".to_owned(),
        ),
        Cause::Product(sku) if sku == "none" => (
            "Set products.without_sku in the flow to a product for lines without a SKU, or give the shop’s product one.".to_owned(),
            "Régler products.without_sku dans le flux sur un produit pour ces lignes, ou donner un SKU au produit de la boutique.".to_owned(),
        ),
        Cause::Product(_) => (
            format!("Give exactly one active product of {to} this SKU, then try again."),
            format!("Donner ce SKU à un seul produit actif de {to}, puis réessayer."),
        ),
        Cause::Customer(_) => (
            "Comptoir never guesses between people or companies: merge them or make one there, then try again.".to_owned(),
            "Comptoir ne devine jamais entre deux personnes ou sociétés : les fusionner ou en créer une là-bas, puis réessayer.".to_owned(),
        ),
        Cause::Total => (
            format!("Compare both sides on the order’s page; correct the order or its taxes in {to}, then try again. Or leave it as it is."),
            format!("Comparer les deux côtés sur la page de la commande ; corriger dans {to}, puis réessayer. Ou la laisser telle quelle."),
        ),
        Cause::Equation => (
            format!("Look at the sum on the order’s page and correct the order in {from}."),
            format!("Regarder la somme sur la page de la commande et corriger dans {from}."),
        ),
        Cause::Edited | Cause::Changed => (
            format!("Take the version of {from}, or leave {to} as it is."),
            format!("Prendre la version de {from}, ou laisser {to} tel quel."),
        ),
        Cause::CancelledInSource => (
            format!("Cancel it in {to} too, or leave it there."),
            format!("L’annuler aussi dans {to}, ou l’y laisser."),
        ),
        Cause::CancelledInTarget => (
            format!("Cancel and refund it in {from}, or leave it."),
            format!("L’annuler et la rembourser dans {from}, ou la laisser."),
        ),
        Cause::GoneInTarget => (
            "Make it again, or leave it deleted.".to_owned(),
            "La recréer, ou la laisser supprimée.".to_owned(),
        ),
        Cause::Flow(_) => (
            format!("Book it in {to} by hand, then leave it here as done."),
            format!("L’enregistrer à la main dans {to}, puis la laisser ici comme faite."),
        ),
        Cause::Unknown(_) => (
            format!("Look in {to}: if it is there, leave it as it is; if not, try again."),
            format!("Regarder dans {to} : si elle y est, la laisser ; sinon, réessayer."),
        ),
        other => {
            let fix = |language| crate::advice::fix(&other.to_string(), language);
            (fix(Language::English), fix(Language::French))
        }
    };
    crate::words::either(language, &english, &french).to_owned()
}

/// The answers that a cause may be given, beside trying again.
pub fn answers(cause: &Cause) -> &'static [Verdict] {
    match cause {
        Cause::Edited | Cause::Changed | Cause::CancelledInSource => {
            &[Verdict::Apply, Verdict::Keep]
        }
        Cause::Zeros(_) => &[Verdict::Apply],
        Cause::GoneInTarget => &[Verdict::CreateAgain, Verdict::Keep],
        Cause::Total | Cause::CancelledInTarget | Cause::Flow(_) | Cause::Unknown(_) => {
            &[Verdict::Keep]
        }
        _ => &[],
    }
}

/// The answer that a form names, if a person may give it here: a repair comes from a plan only.
pub fn given(word: &str) -> Option<Verdict> {
    Verdict::of(Some(word)).filter(|verdict| *verdict != Verdict::Repair)
}

/// What an answer does, as a button says it.
pub fn answer(verdict: Verdict, cause: &Cause, sides: &Sides<'_>, language: Language) -> String {
    let Sides { from, to } = sides;
    let (english, french) = match (verdict, cause) {
        (Verdict::Apply, Cause::CancelledInSource) => (
            format!("Cancel in {to} too"),
            format!("Annuler aussi dans {to}"),
        ),
        (Verdict::Apply, Cause::Zeros(_)) => {
            ("Show the zeros".to_owned(), "Afficher les zéros".to_owned())
        }
        (Verdict::Apply, _) => (
            format!("Take the version of {from}"),
            format!("Prendre la version de {from}"),
        ),
        (Verdict::Keep, Cause::GoneInTarget) => (
            "Leave it deleted".to_owned(),
            "Laisser supprimée".to_owned(),
        ),
        (Verdict::Keep, Cause::Flow(_) | Cause::Unknown(_)) => {
            ("It is done".to_owned(), "C’est fait".to_owned())
        }
        (Verdict::Keep, _) => (
            format!("Leave {to} as it is"),
            format!("Laisser {to} tel quel"),
        ),
        // What a plan of repair says; no page asks it.
        (Verdict::Repair, _) => ("Repair".to_owned(), "Réparer".to_owned()),
        (Verdict::CreateAgain, _) => ("Make it again".to_owned(), "La recréer".to_owned()),
    };
    crate::words::either(language, &english, &french).to_owned()
}

/// The words for records of a kind.
pub fn kind_words(kind: Kind) -> ([&'static str; 2], [&'static str; 2]) {
    match kind {
        Kind::Order => (["order", "commande"], ["orders", "commandes"]),
        Kind::Shipment => (["shipment", "expédition"], ["shipments", "expéditions"]),
        Kind::Stock => (
            ["stock item", "article de stock"],
            ["stock items", "articles de stock"],
        ),
        Kind::Refund => (["refund", "remboursement"], ["refunds", "remboursements"]),
        Kind::Invoice => (["invoice", "facture"], ["invoices", "factures"]),
        Kind::Customer => (["customer", "client"], ["customers", "clients"]),
        Kind::Product => (["product", "produit"], ["products", "produits"]),
        Kind::Price => (["price", "prix"], ["prices", "prix"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use comptoir_model::code::Code;

    #[test]
    fn every_cause_that_holds_is_told_in_words() {
        let sides = Sides {
            from: "shop",
            to: "erp",
        };
        for cause in [
            Cause::row("tax", "FR 5.5"),
            Cause::row("payment", "x"),
            Cause::row("shipping", "x"),
            Cause::row("price_list", "USD"),
            Cause::row("warehouses", "FR"),
            Cause::Rule(Code::RuleMissing, "flows/orders.toml:12".into()),
            Cause::Product("none".into()),
            Cause::Product("SKU".into()),
            Cause::Customer("4".into()),
            Cause::Setting("fee".into()),
            Cause::Flow(Kind::Refund),
            Cause::Link(Kind::Order, "1".into()),
            Cause::Total,
            Cause::Equation,
            Cause::Currency,
            Cause::Edited,
            Cause::Changed,
            Cause::CancelledInSource,
            Cause::CancelledInTarget,
            Cause::GoneInTarget,
            Cause::Unreadable(Kind::Order),
            Cause::Refused(Code::UnknownField),
            Cause::Unknown(Code::TimedOut),
            Cause::Bug(Code::NotUnderstood),
            Cause::Tries(Code::Contention),
            Cause::Rounds,
            Cause::Zeros("stock".into()),
        ] {
            for language in [Language::English, Language::French] {
                assert_ne!(title(&cause, &sides, language), cause.to_string());
                assert!(!advice(&cause, &sides, language).is_empty(), "{cause}");
                let of_a_currency = ["currency", "devise"]
                    .map(|word| title(&cause, &sides, language).contains(word));
                assert_eq!(
                    of_a_currency.contains(&true),
                    cause == Cause::row("price_list", "USD") || cause == Cause::Currency,
                    "{cause}"
                );
                for verdict in answers(&cause) {
                    assert!(!answer(*verdict, &cause, &sides, language).is_empty());
                }
            }
        }
    }
}
