//! All output of the command line. Data goes to stdout, talk to stderr; a closed pipe ends the output, not the work.

use serde::Serialize;
use std::io::Write;

/// One line of data. A reader that has gone is no error.
pub fn line(text: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    let _closed = writeln!(out, "{}", text.as_ref());
}

/// A value as indented JSON.
pub fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(text),
        Err(error) => talk(format!("the answer cannot be written as JSON: {error}")),
    }
}

/// One line to the person at the terminal.
pub fn talk(text: impl AsRef<str>) {
    let mut err = std::io::stderr().lock();
    let _closed = writeln!(err, "{}", text.as_ref());
}

/// Progress on the terminal: the same line again and again. Nothing when stderr is no terminal.
pub fn progress(text: impl AsRef<str>) {
    use std::io::IsTerminal;
    let mut err = std::io::stderr().lock();
    if err.is_terminal() {
        let _closed = write!(err, "\r\x1b[2K{}", text.as_ref());
        let _closed = err.flush();
    }
}

/// Ends a line of progress.
pub fn progress_done() {
    use std::io::IsTerminal;
    let mut err = std::io::stderr().lock();
    if err.is_terminal() {
        let _closed = writeln!(err);
    }
}
