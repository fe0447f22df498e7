//! What a comparison found, in words.

use crate::advice::fix;
use crate::words::either;
use comptoir_engine::reconcile::{Remedy, Why};
use comptoir_model::code::Language;
use comptoir_rules::agree::Difference;

/// How two records differ.
pub fn difference(language: Language, difference: &Difference) -> String {
    let either = |english, french| either(language, english, french).to_owned();
    match difference {
        Difference::Missing => either("not in the target", "absente de la cible"),
        Difference::Double => either("one more of it in the target", "une de trop dans la cible"),
        Difference::Gone => either("gone in the target", "disparue de la cible"),
        Difference::SourceGone => either(
            "gone in the source, still in the target",
            "disparue de la source, encore dans la cible",
        ),
        Difference::Total { source, target } => format!("{source} ≠ {target}"),
        Difference::Lines { lines } => {
            let lines: Vec<String> = lines
                .iter()
                .map(|line| {
                    format!(
                        "{}: {} × = {} ≠ {} × = {}",
                        line.product,
                        line.quantity.normalize(),
                        line.amount.normalize(),
                        line.has_quantity.normalize(),
                        line.has_amount.normalize()
                    )
                })
                .collect();
            lines.join("; ")
        }
        Difference::State { source, target } => format!("{source:?} ≠ {target:?}").to_lowercase(),
        Difference::Quantity { should, shows } => {
            let shows = shows.map_or_else(|| "–".to_owned(), |shows| shows.normalize().to_string());
            let (is, instead) = (
                either("shows", "affiche"),
                either("instead of", "au lieu de"),
            );
            format!("{is} {shows} {instead} {}", should.normalize())
        }
        Difference::NotRead => either("changed and not read yet", "modifiée et pas encore relue"),
        Difference::NotShown => either(
            "the shop's order does not show it",
            "la commande de la boutique ne la montre pas",
        ),
        Difference::Tracking { should, shows } => {
            let list = |numbers: &[String]| match numbers {
                [] => "–".to_owned(),
                numbers => numbers.join(", "),
            };
            let (is, instead) = (
                either("shows", "affiche"),
                either("instead of", "au lieu de"),
            );
            format!("{is} {} {instead} {}", list(shows), list(should))
        }
        Difference::ByHand { fields } => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, ours, theirs)| format!("{name}: {ours} ≠ {theirs}"))
                .collect();
            fields.join("; ")
        }
    }
}

/// The probable cause of a drift.
pub fn cause(language: Language, why: Why) -> &'static str {
    let (english, french) = match why {
        Why::NotRead => (
            "The source has it so since the hub read it last",
            "La source l'a ainsi depuis la dernière lecture du hub",
        ),
        Why::LostLink => (
            "The target has it under our key and the hub forgot: an older copy of the store was put back",
            "La cible l'a sous notre clé et le hub l'a oublié : une copie plus ancienne de la base a été remise",
        ),
        Why::DeletedInTarget => (
            "Somebody deleted it in the target",
            "Quelqu'un l'a supprimée dans la cible",
        ),
        Why::DeletedInSource => (
            "Somebody deleted it in the source",
            "Quelqu'un l'a supprimée dans la source",
        ),
        Why::EditedInTarget => (
            "Somebody changed it in the target",
            "Quelqu'un l'a modifiée dans la cible",
        ),
        Why::CalledOffInTarget => (
            "Somebody called it off in the target",
            "Quelqu'un l'a annulée dans la cible",
        ),
        Why::CalledOffInSource => (
            "The source called it off, and it was left as it is",
            "La source l'a annulée, et elle a été laissée telle quelle",
        ),
        Why::SetBack => (
            "Somebody set it back to a draft in the target",
            "Quelqu'un l'a remise en brouillon dans la cible",
        ),
        Why::TypedIn => (
            "It was entered by hand, copied, or made by another program",
            "Elle a été saisie à la main, copiée, ou créée par un autre programme",
        ),
        Why::Computed => (
            "The target comes to another sum of what it was told; nobody has touched it",
            "La cible calcule une autre somme de ce qui lui a été dit ; personne n'y a touché",
        ),
        Why::SetByHand => (
            "Somebody, or another program, set it in the shop",
            "Quelqu'un, ou un autre programme, l'a mise dans la boutique",
        ),
        Why::TakenOut => (
            "The shop's order has lost what it was told",
            "La commande de la boutique a perdu ce qui lui avait été dit",
        ),
    };
    either(language, english, french)
}

/// What can be done about a drift, or why nothing.
pub fn remedy(language: Language, remedy: &Remedy) -> String {
    let (english, french) = match remedy {
        Remedy::Book => (
            "the hub reads it and books it",
            "le hub la lit et l'enregistre",
        ),
        Remedy::Link => (
            "it is linked, nothing is written",
            "elle est liée, rien n'est écrit",
        ),
        Remedy::Follow => (
            "the hub reads it and the target follows",
            "le hub la lit et la cible suit",
        ),
        Remedy::Put => ("the quantity is put", "la quantité est remise"),
        Remedy::Tell => (
            "it is written to the shop's order again; the buyer is not told again",
            "elle est réécrite dans la commande de la boutique ; l'acheteur n'est pas prévenu de nouveau",
        ),
        Remedy::HandEdit => (
            "what a person did is not overwritten; correct it there",
            "ce qu'une personne a fait n'est pas écrasé ; à corriger sur place",
        ),
        Remedy::Deleted => (
            "what a person deleted is not made again unasked; sync it, then answer `create-again` or `keep`",
            "ce qu'une personne a supprimé n'est pas recréé sans demande ; la relire (sync), puis répondre `create-again` ou `keep`",
        ),
        Remedy::Surplus => (
            "the hub deletes nothing that it did not make; delete it there, or link it (adopt)",
            "le hub ne supprime rien qu'il n'a pas créé ; la supprimer sur place, ou la lier (adopt)",
        ),
        Remedy::Told => (
            "the buyer has read of it; a person says what to tell now",
            "l'acheteur en a été informé ; à une personne de dire la suite",
        ),
        Remedy::NoNumber => (
            "the ERP has no tracking number to tell",
            "l'ERP n'a pas de numéro de suivi à donner",
        ),
        Remedy::Policy => (
            "the flow's policy leaves it as it is",
            "la règle du flux la laisse telle quelle",
        ),
        Remedy::Shadow => (
            "the flow is not live and may not write",
            "le flux n'est pas actif et ne peut pas écrire",
        ),
        Remedy::Held(cause) => {
            let would = either(language, "it would be held as", "elle serait retenue sous");
            return format!("{would} {cause}: {}", fix(cause, language));
        }
    };
    either(language, english, french).to_owned()
}
