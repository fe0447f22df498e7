//! What to do about a cause, in a person's words.

use comptoir_model::cause::Cause;
use comptoir_model::code::{Code, Language};

/// The fix of a cause, as `hold list` shows it. A text that is no cause has none.
pub fn fix(cause: &str, language: Language) -> String {
    match cause.parse::<Cause>() {
        Ok(cause) if language == Language::French => french(&cause),
        Ok(cause) => english(&cause),
        Err(_) => String::new(),
    }
}

fn table_file(table: &str) -> String {
    let name = match table {
        "tax" => "taxes",
        "payment" => "payment_methods",
        "shipping" => "shipping_methods",
        "price_list" => "price_lists",
        // Looked up by a rule: the file's own name.
        other => other,
    };
    format!("tables/{name}.csv")
}

fn page(code: Code) -> String {
    format!("docs/errors/{code}.md")
}

fn english(cause: &Cause) -> String {
    match cause {
        Cause::Row { table, value } => format!(
            "Add a row for \"{value}\" to {}, or correct the one whose `to` the ERP does not know, and push it (comptoir config push).",
            table_file(table)
        ),
        Cause::Product(sku) if sku == "none" => {
            "Set products.without_sku in the flow to a product of the ERP for lines without a SKU.".to_owned()
        }
        Cause::Product(sku) => {
            format!("Give the SKU \"{sku}\" to exactly one active product of the ERP, then resume.")
        }
        Cause::Customer(id) => format!(
            "Several customers of the ERP fit buyer {id}, or none may be created: merge them or make one, then resume."
        ),
        Cause::Setting(name) => format!("Set {name} in the flow and push it (comptoir config push)."),
        Cause::Rule(code, place) => format!(
            "{} See which value ({place}, comptoir explain), correct the rule, its table or the order, and push or resume ({}).",
            code.title(Language::English),
            page(*code)
        ),
        Cause::Flow(kind) => format!(
            "No flow books a {kind} yet: book it in the ERP by hand, then answer `keep` (comptoir hold answer)."
        ),
        Cause::Total => "The totals differ by more than the tolerance: compare both sides (comptoir explain), correct the ERP's order or its taxes, then resume; or answer `keep`.".to_owned(),
        Cause::Equation => "The shop's own amounts do not add up, or its total has more decimals than the currency: see the sum (comptoir explain), correct the order in the shop.".to_owned(),
        Cause::Currency => "The ERP would book another currency: add the currency's row to tables/price_lists.csv and push it.".to_owned(),
        Cause::Edited => "A person changed the ERP's order and the shop changed it too: answer `apply` to take the shop's version, or `keep`.".to_owned(),
        Cause::Changed => "The shop changed an order that the ERP has confirmed: answer `apply` to change it there too, or `keep`.".to_owned(),
        Cause::CancelledInSource => "The shop cancelled an order that the ERP works on: answer `apply` to cancel it there, or `keep`.".to_owned(),
        Cause::CancelledInTarget => "The ERP cancelled an order that the shop did not: cancel it in the shop, or answer `keep`.".to_owned(),
        Cause::GoneInTarget => "A person deleted it in the ERP: answer `create-again`, or `keep` to leave it deleted.".to_owned(),
        Cause::Unreadable(kind) => format!("This {kind} cannot be read: report it with its raw answer ({}).", page(Code::Unreadable)),
        Cause::Link(kind, id) => format!("Several records of the ERP carry the number of {kind} {id}: link the right one (comptoir adopt --csv)."),
        Cause::Unknown(_) => "It may have been done and cannot be proved: look in the ERP, then answer `keep` if it is there, or resume if it is not.".to_owned(),
        Cause::Refused(code) | Cause::Bug(code) | Cause::Tries(code) | Cause::Retry(code) => format!(
            "{} See what was refused (comptoir explain), correct it, then resume ({}).",
            code.title(Language::English),
            page(*code)
        ),
        Cause::Rounds => format!("It did not settle after eight writes: something changes it each time ({}).", page(Code::NeverSettles)),
        Cause::Tracking => "The shop hears of it once the ERP has a tracking number; or set tracking = \"optional\" in the flow.".to_owned(),
        Cause::Zeros(flow) => format!("Look whether the stock in the ERP and the locations of flow {flow} are right, then resume; or answer with apply."),
        Cause::Cap(flow) => format!("The cap of flow {flow} is reached; it goes on by itself, or raise caps in the flow."),
        Cause::Shadow => "The flow is in shadow: make a plan and apply it, or set mode = \"live\".".to_owned(),
        Cause::Off => "The flow is off.".to_owned(),
        Cause::Paused(flow) => format!("A person paused the flow {flow}: it goes on with `comptoir resume {flow}`, or in the console."),
        Cause::Quiet(flow) => format!("The quiet hours of flow {flow}."),
        Cause::Settle(connection) => format!("A write to {connection} may still be under way there; it goes on by itself."),
    }
}

fn french(cause: &Cause) -> String {
    match cause {
        Cause::Row { table, value } => format!(
            "Ajouter une ligne pour « {value} » dans {}, ou corriger celle dont l'ERP ne connaît pas le `to`, et la publier (comptoir config push).",
            table_file(table)
        ),
        Cause::Product(sku) if sku == "none" => {
            "Renseigner products.without_sku dans le flux avec un article de l'ERP pour les lignes sans référence.".to_owned()
        }
        Cause::Product(sku) => format!(
            "Donner la référence « {sku} » à exactement un article actif de l'ERP, puis reprendre."
        ),
        Cause::Customer(id) => format!(
            "Plusieurs clients de l'ERP conviennent à l'acheteur {id}, ou aucun ne peut être créé : les fusionner ou en créer un, puis reprendre."
        ),
        Cause::Setting(name) => format!("Renseigner {name} dans le flux et le publier (comptoir config push)."),
        Cause::Rule(code, place) => format!(
            "{} Voir quelle valeur ({place}, comptoir explain), corriger la règle, sa table ou la commande, puis publier ou reprendre ({}).",
            code.title(Language::French),
            page(*code)
        ),
        Cause::Flow(_) => "Aucun flux ne comptabilise encore cela : le saisir à la main dans l'ERP, puis répondre « keep » (comptoir hold answer).".to_owned(),
        Cause::Total => "Les totaux diffèrent de plus que la tolérance : comparer les deux côtés (comptoir explain), corriger la commande de l'ERP ou ses taxes, puis reprendre ; ou répondre « keep ».".to_owned(),
        Cause::Equation => "Les montants de la boutique ne s'additionnent pas, ou le total a plus de décimales que la devise : voir la somme (comptoir explain) et corriger la commande dans la boutique.".to_owned(),
        Cause::Currency => "L'ERP enregistrerait une autre devise : ajouter la ligne de la devise dans tables/price_lists.csv et la publier.".to_owned(),
        Cause::Edited => "Une personne a modifié la commande de l'ERP et la boutique aussi : répondre « apply » pour prendre la version de la boutique, ou « keep ».".to_owned(),
        Cause::Changed => "La boutique a modifié une commande que l'ERP a confirmée : répondre « apply » pour la modifier là aussi, ou « keep ».".to_owned(),
        Cause::CancelledInSource => "La boutique a annulé une commande que l'ERP traite : répondre « apply » pour l'y annuler, ou « keep ».".to_owned(),
        Cause::CancelledInTarget => "L'ERP a annulé une commande que la boutique n'a pas annulée : l'annuler dans la boutique, ou répondre « keep ».".to_owned(),
        Cause::GoneInTarget => "Une personne l'a supprimée dans l'ERP : répondre « create-again », ou « keep » pour la laisser supprimée.".to_owned(),
        Cause::Unreadable(_) => format!("Cette fiche est illisible : la signaler avec sa réponse brute ({}).", page(Code::Unreadable)),
        Cause::Link(_, id) => format!("Plusieurs fiches de l'ERP portent le numéro de {id} : lier la bonne (comptoir adopt --csv)."),
        Cause::Unknown(_) => "C'est peut-être fait et cela ne se prouve pas : regarder dans l'ERP, puis répondre « keep » si elle y est, ou reprendre sinon.".to_owned(),
        Cause::Refused(code) | Cause::Bug(code) | Cause::Tries(code) | Cause::Retry(code) => format!(
            "{} Voir ce qui a été refusé (comptoir explain), le corriger, puis reprendre ({}).",
            code.title(Language::French),
            page(*code)
        ),
        Cause::Rounds => format!("Pas stable après huit écritures : quelque chose la modifie à chaque fois ({}).", page(Code::NeverSettles)),
        Cause::Tracking => "La boutique l'apprend dès que l'ERP a un numéro de suivi ; ou mettre tracking = \"optional\" dans le flux.".to_owned(),
        Cause::Zeros(flow) => format!("Vérifier le stock dans l'ERP et les locations du flux {flow}, puis reprendre ; ou répondre apply."),
        Cause::Cap(flow) => format!("Le plafond du flux {flow} est atteint ; il reprend de lui-même, ou relever caps dans le flux."),
        Cause::Shadow => "Le flux est en mode « shadow » : faire un plan et l'appliquer, ou régler mode = \"live\".".to_owned(),
        Cause::Off => "Le flux est arrêté.".to_owned(),
        Cause::Paused(flow) => format!("Une personne a suspendu le flux {flow} : il reprend avec « comptoir resume {flow} », ou dans la console."),
        Cause::Quiet(flow) => format!("Heures calmes du flux {flow}."),
        Cause::Settle(connection) => format!("Une écriture vers {connection} y est peut-être encore en cours ; cela reprend de soi-même."),
    }
}
