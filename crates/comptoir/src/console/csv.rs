//! Lists as CSV. What a spreadsheet would run as a formula is written as text.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// A sheet.
pub struct Csv {
    name: &'static str,
    text: String,
}

/// One cell: quoted, and with an apostrophe in front of what begins like a formula.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r'])
        && text.parse::<comptoir_model::Decimal>().is_err();
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

impl Csv {
    /// A sheet with its first line.
    pub fn new(name: &'static str, columns: &[&str]) -> Self {
        let mut sheet = Csv {
            name,
            text: "\u{feff}".to_owned(),
        };
        sheet.row(columns);
        sheet
    }

    /// One more line.
    pub fn row(&mut self, cells: &[&str]) {
        let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
        self.text.push_str(&cells.join(","));
        self.text.push_str("\r\n");
    }
}

impl IntoResponse for Csv {
    fn into_response(self) -> Response {
        let name = format!("attachment; filename=\"{}\"", self.name);
        (
            [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, name),
            ],
            self.text,
        )
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=cmd()"), "\"'=cmd()\"");
        assert_eq!(cell("@SUM(A1)"), "\"'@SUM(A1)\"");
        assert_eq!(cell("-12.50"), "\"-12.50\"");
        assert_eq!(cell("a \"b\""), "\"a \"\"b\"\"\"");
    }
}
