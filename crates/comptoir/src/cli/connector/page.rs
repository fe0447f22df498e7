//! The page of a connector, made from what it says about itself: docs/connectors, and `connector show`.

use super::setting::settings;
use comptoir_kit::spec::Spec;
use comptoir_model::code::Language;
use comptoir_model::key::Kind;
use comptoir_model::port::{Guard, Operation, Proof, Step, Verification};
use std::fmt::Write as _;

/// How a generated file begins.
pub const MARK: &str = "<!-- Made by `comptoir connector pages` from the connector itself: change that, and run it again. -->";

/// From a page to the root of the tree.
const ROOT: &str = "../..";

/// One of two texts.
fn either<'a>(language: Language, english: &'a str, french: &'a str) -> &'a str {
    crate::words::either(language, english, french)
}

/// The whole page: English, then French, which points back at what is in English only.
pub fn whole(spec: &Spec, readme: &str) -> String {
    let (title, summary) = (spec.title, spec.summary);
    let limits = limits(readme).unwrap_or_default();
    let english = (&*settings(spec, Language::English), limits);
    let english = part(spec, english, Language::English);
    let back = match limits.is_empty() {
        true => "",
        false => "Voir *Known limits*, plus haut, en anglais.",
    };
    let french = (&*settings(spec, Language::French), back);
    let french = part(spec, french, Language::French);
    let (english, french) = (english.trim_end(), french.trim_end());
    format!("{MARK}\n\n# {title}\n\n{summary}\n\n{english}\n\n## En français\n\n{french}\n")
}

/// The page in one language, by itself. What the program says in English only is there in English.
pub fn alone(spec: &Spec, readme: &str, language: Language) -> String {
    let limits = limits(readme).unwrap_or_default();
    part(spec, (&settings(spec, Language::English), limits), language)
}

/// The part of one language, with its settings and limits.
fn part(spec: &Spec, (settings, limits): (&str, &str), language: Language) -> String {
    let mut page = String::new();
    let heading = match language {
        Language::English => "##",
        Language::French => "###",
    };
    let mut section = |title: &str, text: &str| {
        if !text.trim().is_empty() {
            let _never = writeln!(page, "{heading} {title}\n\n{}\n", text.trim());
        }
    };
    let folder = spec.name.replace('-', "_");
    section(
        either(language, "What it is", "Ce que c'est"),
        &about(spec, &folder, language),
    );
    section(either(language, "Reads", "Lit"), &reads(spec, language));
    section(either(language, "Writes", "Écrit"), &writes(spec, language));
    section(
        either(language, "Set-up and rights", "Mise en place et droits"),
        setup(spec, language),
    );
    section(either(language, "Settings", "Réglages"), settings);
    section(
        either(language, "Known limits", "Limites connues"),
        &linked_from_here(limits, &folder),
    );
    page
}

/// `docs/connectors/README.md`.
pub fn index(specs: &[&Spec]) -> String {
    let mut page = format!(
        "{MARK}\n\n# Connectors\n\nWhat each connector can do, how far it was verified, the rights to grant, and its known limits. A level is never a promise for other versions: [what the levels mean]({ROOT}/CONTRIBUTING.md#8-say-how-far-it-is-verified). `comptoir connector list` and `comptoir connector show NAME` say the same at the terminal.\n\n"
    );
    page.push_str(&table(specs, Language::English));
    page.push_str("\n## En français\n\nCe que fait chaque connecteur, jusqu'où il a été vérifié, les droits à donner et ses limites connues. Chaque page a sa partie française.\n\n");
    page.push_str(&table(specs, Language::French));
    page
}

fn table(specs: &[&Spec], language: Language) -> String {
    let mut table = either(
        language,
        "| connector | verified | reads | writes |\n|---|---|---|---|\n",
        "| connecteur | vérifié | lit | écrit |\n|---|---|---|---|\n",
    )
    .to_owned();
    for spec in specs {
        let _never = writeln!(
            table,
            "| [{}]({}.md) | {} | {} | {} |",
            spec.title,
            spec.name,
            level(spec.level, language),
            read_kinds(spec, language),
            written_kinds(spec, language),
        );
    }
    table
}

fn about(spec: &Spec, folder: &str, language: Language) -> String {
    let name = spec.name;
    let capabilities = spec.capabilities;
    let hooks = match (capabilities.hooks, capabilities.hooks_resent) {
        (false, _) => either(
            language,
            "none; changes are found by polling",
            "aucun ; les changements sont trouvés par interrogation",
        ),
        (true, true) => either(
            language,
            "taken; sent again by the system when they fail",
            "reçus ; renvoyés par le système en cas d'échec",
        ),
        (true, false) => either(
            language,
            "taken; what does not arrive is found by polling",
            "reçus ; ce qui n'arrive pas est trouvé par interrogation",
        ),
    };
    let finds: Vec<String> = capabilities
        .finds
        .iter()
        .map(|(of, by)| format!("{} ({})", kind(*of, language), by.join(", ")))
        .collect();
    let finds = match finds.is_empty() {
        true => "–".to_owned(),
        false => finds.join(", "),
    };
    let readme = format!("[README]({ROOT}/crates/connectors/src/{folder}/README.md)");
    let level = level(spec.level, language);
    let slots = capabilities.slots;
    match language {
        Language::English => format!(
            "| | |\n|---|---|\n| in `connections/*.toml` | `connector = \"{name}\"` |\n| verified | {level} |\n| webhooks | {hooks} |\n| calls at once | {slots} |\n| finds | {finds} |\n| what was measured, and how it works | {readme} |"
        ),
        Language::French => format!(
            "| | |\n|---|---|\n| dans `connections/*.toml` | `connector = \"{name}\"` |\n| vérifié | {level} |\n| webhooks | {hooks} |\n| appels simultanés | {slots} |\n| trouve | {finds} |\n| ce qui a été mesuré, et comment cela marche | {readme}, en anglais |"
        ),
    }
}

/// How far it has been verified, in words.
pub fn level(level: Verification, language: Language) -> String {
    let live = either(language, "live software", "logiciel en marche");
    let tapes = either(language, "recorded answers", "réponses enregistrées");
    let colon = either(language, ":", " :");
    match level {
        Verification::Live { run, tapes: taped } => {
            format!(
                "{live}{colon} {}; {tapes}{colon} {}",
                run.join(", "),
                taped.join(", ")
            )
        }
        Verification::Tapes(versions) => format!("{tapes}{colon} {}", versions.join(", ")),
        Verification::Contract(file) => {
            format!(
                "{}{colon} {file}",
                either(language, "the vendor's contract", "le contrat de l'éditeur")
            )
        }
        Verification::Docs => either(
            language,
            "nothing; written from the documentation",
            "rien ; écrit d'après la documentation",
        )
        .to_owned(),
    }
}

/// The level in one word.
pub fn level_word(level: Verification) -> &'static str {
    match level {
        Verification::Live { .. } => "live",
        Verification::Tapes(_) => "tapes",
        Verification::Contract(_) => "contract",
        Verification::Docs => "docs",
    }
}

/// The kinds it reads, with commas.
pub fn read_kinds(spec: &Spec, language: Language) -> String {
    let kinds = spec
        .capabilities
        .reads
        .iter()
        .map(|reads| kind(reads.kind, language));
    dashed(kinds.collect::<Vec<_>>().join(", "))
}

/// The kinds it writes, each with its steps.
pub fn written_kinds(spec: &Spec, language: Language) -> String {
    let mut kinds: Vec<(Kind, Vec<&str>)> = Vec::new();
    for operation in spec.capabilities.writes {
        let step = step(operation.step, language);
        match kinds.iter_mut().find(|(kind, _)| *kind == operation.kind) {
            Some((_, steps)) => steps.push(step),
            None => kinds.push((operation.kind, vec![step])),
        }
    }
    let kinds = kinds
        .iter()
        .map(|(of, steps)| format!("{} ({})", kind(*of, language), steps.join(", ")));
    dashed(kinds.collect::<Vec<_>>().join(", "))
}

fn dashed(text: String) -> String {
    if text.is_empty() {
        "–".to_owned()
    } else {
        text
    }
}

fn reads(spec: &Spec, language: Language) -> String {
    let mut table = either(
        language,
        "| kind | changes | a page | ids a call |\n|---|---|---|---|\n",
        "| genre | changements | par page | ids par appel |\n|---|---|---|---|\n",
    )
    .to_owned();
    for reads in spec.capabilities.reads {
        let (changes, page) = match (reads.changes, language) {
            (false, _) => (
                either(language, "none: by id only", "aucun : par id seulement"),
                "–".to_owned(),
            ),
            (true, Language::English) => (reads.cursor, reads.page.to_string()),
            (true, Language::French) => ("oui", reads.page.to_string()),
        };
        let kind = kind(reads.kind, language);
        let _never = writeln!(table, "| {kind} | {changes} | {page} | {} |", reads.ids);
    }
    table
}

fn writes(spec: &Spec, language: Language) -> String {
    if spec.capabilities.writes.is_empty() {
        return either(language, "Nothing.", "Rien.").to_owned();
    }
    let mut table = either(
        language,
        "| kind | step | against a second one | after a lost answer | a batch | |\n|---|---|---|---|---|---|\n",
        "| genre | étape | contre un double | après une réponse perdue | par lot | |\n|---|---|---|---|---|---|\n",
    )
    .to_owned();
    for operation in spec.capabilities.writes {
        let _never = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} |",
            kind(operation.kind, language),
            step(operation.step, language),
            guard(operation.guard, language),
            proof(operation, language),
            operation.batch,
            remarks(operation, language),
        );
    }
    table
}

fn guard(guard: Guard, language: Language) -> &'static str {
    match guard {
        Guard::Unique => either(language, "the system refuses it", "le système le refuse"),
        Guard::Find => either(language, "looked up just before", "recherché juste avant"),
        Guard::None => either(
            language,
            "none: values are set, not added",
            "rien : les valeurs sont fixées, pas ajoutées",
        ),
    }
}

fn proof(operation: &Operation, language: Language) -> String {
    let asked = match operation.proof {
        Proof::Key => either(language, "asked for by our key", "demandé par notre clé"),
        Proof::State => either(language, "read back", "relu"),
        Proof::None => {
            return either(language, "a person looks", "une personne regarde").to_owned();
        }
    };
    let seconds = operation.settle_seconds;
    match (operation.guard, language) {
        (Guard::Unique, _) => asked.to_owned(),
        (_, Language::English) => format!("{asked}; not done, it is sent again after {seconds} s"),
        (_, Language::French) => format!("{asked} ; pas fait, il est renvoyé après {seconds} s"),
    }
}

fn remarks(operation: &Operation, language: Language) -> String {
    let mut remarks = Vec::new();
    if operation.reserves_stock {
        remarks.push(either(language, "reserves stock", "réserve le stock"));
    }
    if operation.compares {
        remarks.push(either(
            language,
            "only where nothing changed meanwhile",
            "seulement si rien n'a changé entre-temps",
        ));
    }
    remarks.join("; ")
}

fn setup(spec: &Spec, language: Language) -> &'static str {
    match language {
        Language::English => spec.setup,
        Language::French => spec.setup_fr,
    }
}

/// What stands below `## Limits` of a README.
fn limits(readme: &str) -> Option<&str> {
    let (_, rest) = readme.split_once("\n## Limits\n")?;
    Some(rest.split("\n## ").next().unwrap_or(rest).trim())
}

/// A text of a connector's README with its links as they are from `docs/connectors`.
fn linked_from_here(text: &str, folder: &str) -> String {
    text.split("](")
        .enumerate()
        .map(|(at, part)| {
            let outside = at == 0 || part.starts_with("http") || part.starts_with('#');
            match part.strip_prefix("../../../../") {
                Some(rest) => format!("{ROOT}/{rest}"),
                None if outside => part.to_owned(),
                None => format!("{ROOT}/crates/connectors/src/{folder}/{part}"),
            }
        })
        .collect::<Vec<_>>()
        .join("](")
}

/// A kind in words.
fn kind(kind: Kind, language: Language) -> &'static str {
    let (english, french) = match kind {
        Kind::Order => ("order", "commande"),
        Kind::Customer => ("customer", "client"),
        Kind::Product => ("product", "produit"),
        Kind::Price => ("price", "prix"),
        Kind::Stock => ("stock", "stock"),
        Kind::Shipment => ("shipment", "expédition"),
        Kind::Refund => ("refund", "remboursement"),
        Kind::Invoice => ("invoice", "facture"),
    };
    either(language, english, french)
}

fn step(step: Step, language: Language) -> &'static str {
    let (english, french) = match step {
        Step::Create => ("create", "créer"),
        Step::Update => ("update", "modifier"),
        Step::Confirm => ("confirm", "confirmer"),
        Step::Cancel => ("cancel", "annuler"),
    };
    either(language, english, french)
}
