//! The VAT of a sale against the test vectors of `tests/vectors`, every row of them.

// A test ends at what it does not expect.
#![allow(clippy::unwrap_used)]

mod cases;
mod numbers;

/// Reads a vector file.
fn rows(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}
