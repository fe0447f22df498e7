//! Exit codes, documented in `docs/exit-codes.md`.

use crate::config::Problem;
use comptoir_model::code::{Code, Language};
use comptoir_model::fault::Fault;
use comptoir_model::key::FlowName;
use comptoir_store::StoreError;

/// All is well.
pub const OK: u8 = 0;
/// The command did its work and what it found is not well (`check` with findings, `demo` that does not agree).
pub const FINDINGS: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// The configuration is wrong.
pub const CONFIGURATION: u8 = 3;
/// The store cannot be used.
pub const STORE: u8 = 4;
/// A connected system cannot be used.
pub const CONNECTION: u8 = 5;

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    /// Exit code.
    pub exit: u8,
    /// Page of the error docs.
    pub code: Option<Code>,
    /// What happened and what to do, in English.
    pub text: String,
    /// The same in French, where the command does not know the language itself.
    pub french: Option<String>,
}

impl Failure {
    /// A failure of any sort.
    pub fn new(exit: u8, text: impl Into<String>) -> Self {
        Failure {
            exit,
            code: None,
            text: text.into(),
            french: None,
        }
    }

    /// A flow that the head revision does not have.
    pub fn no_flow(name: &FlowName) -> Self {
        Failure {
            exit: CONFIGURATION,
            code: Some(Code::UnknownName),
            text: format!("there is no flow `{name}` [{}]", Code::UnknownName),
            french: Some(format!(
                "il n'y a pas de flux `{name}` [{}]",
                Code::UnknownName
            )),
        }
    }

    /// What happened and what to do.
    pub fn text(&self, language: Language) -> &str {
        match (language, &self.french) {
            (Language::French, Some(french)) => french,
            _ => &self.text,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        vec![problem].into()
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        let text = |language| {
            let texts = problems.iter().map(|problem| problem.text(language));
            texts.collect::<Vec<_>>().join("\n")
        };
        Failure {
            exit: CONFIGURATION,
            code: problems.first().map(|problem| problem.code),
            text: text(Language::English),
            french: Some(text(Language::French)),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = error.code();
        Failure {
            exit: STORE,
            code: Some(code),
            text: format!("{error} [{code}]"),
            french: Some(format!("{} [{code}]", store_in_french(&error))),
        }
    }
}

fn store_in_french(error: &StoreError) -> String {
    match error {
        StoreError::Busy { name, pid } => format!(
            "{name} (processus {pid}) utilise déjà cette base ; l'arrêter, ou prendre PostgreSQL pour en avoir plusieurs"
        ),
        StoreError::Full => "le disque ou la base est plein ; rien de cette étape n'a été enregistré. Faire de la place, ensuite tout reprend de soi-même".to_owned(),
        StoreError::Newer { found, known } => format!(
            "la base a le schéma {found}, ce Comptoir connaît le {known} ; utiliser le programme plus récent"
        ),
        StoreError::WrongMasterKey => {
            "la clé maîtresse n'ouvre pas les secrets de cette base".to_owned()
        }
        StoreError::OwnershipLost => "un autre processus a repris la connexion".to_owned(),
        StoreError::HeadMoved { head } => format!(
            "la révision courante est maintenant la {head} ; la récupérer (comptoir config pull), puis publier de nouveau"
        ),
        StoreError::Address(text) => format!(
            "`{text}` n'est pas l'adresse d'une base : sqlite:FICHIER ou postgres://UTILISATEUR@HÔTE/BASE"
        ),
        StoreError::Damaged(what) => {
            format!("des données enregistrées sont illisibles : {what}")
        }
        StoreError::Database(error) => format!("la base a échoué : {error}"),
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure {
            exit: CONNECTION,
            code: Some(fault.code),
            text: fault.to_string(),
            french: Some(crate::words::fault(Language::French, &fault)),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(STORE, error.to_string())
    }
}
