//! Exit codes, documented in `docs/exit-codes.md`.

use crate::config::Problem;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
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
    /// What happened and what to do.
    pub text: String,
}

impl Failure {
    /// A failure of any sort.
    pub fn new(exit: u8, text: impl Into<String>) -> Self {
        Failure {
            exit,
            code: None,
            text: text.into(),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure {
            exit: CONFIGURATION,
            code: Some(problem.code),
            text: problem.to_string(),
        }
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        Failure {
            exit: CONFIGURATION,
            code: problems.first().map(|problem| problem.code),
            text: problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure {
            exit: STORE,
            code: Some(error.code()),
            text: format!("{error} [{}]", error.code()),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure {
            exit: CONNECTION,
            code: Some(fault.code),
            text: fault.to_string(),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(STORE, error.to_string())
    }
}
