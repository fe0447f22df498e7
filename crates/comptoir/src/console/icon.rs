//! Icons: drawn once per page as symbols, used by name.

use maud::{Markup, PreEscaped, html};

/// Name and drawing in a box of 16 by 16.
const ALL: &[(&str, &str)] = &[
    (
        "ok",
        r#"<circle cx="8" cy="8" r="6.2"/><path d="m5.3 8.2 1.9 1.9 3.6-4"/>"#,
    ),
    (
        "wait",
        r#"<circle cx="8" cy="8" r="6.2"/><path d="M8 4.6V8l2.3 1.6"/>"#,
    ),
    (
        "held",
        r#"<rect x="2" y="2" width="12" height="12" rx="2.5"/><path d="M6.3 5.6v4.8M9.7 5.6v4.8"/>"#,
    ),
    (
        "bad",
        r#"<path d="M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4z"/><path d="m6 6 4 4m0-4-4 4"/>"#,
    ),
    (
        "skip",
        r#"<circle cx="8" cy="8" r="6.2"/><path d="M5.4 8h5.2"/>"#,
    ),
    (
        "unk",
        r#"<path d="M8 1.4 14.6 8 8 14.6 1.4 8z"/><path d="M8 5v3.4M8 10.7v.1"/>"#,
    ),
    (
        "shadow",
        r#"<circle cx="8" cy="8" r="6.2" stroke-dasharray="2.2 2.6"/>"#,
    ),
    (
        "alarm",
        r#"<path d="M8 2 14.6 13.6H1.4z"/><path d="M8 6.4v3.4M8 11.7v.1"/>"#,
    ),
    (
        "home",
        r#"<rect x="2" y="2" width="5" height="5" rx="1"/><rect x="9" y="2" width="5" height="5" rx="1"/><rect x="2" y="9" width="5" height="5" rx="1"/><rect x="9" y="9" width="5" height="5" rx="1"/>"#,
    ),
    (
        "inbox",
        r#"<path d="M2 9.2 4 3h8l2 6.2V13H2z"/><path d="M2 9.2h3.6c.2 1.4 1.1 2 2.4 2s2.2-.6 2.4-2H14"/>"#,
    ),
    ("agree", r#"<path d="M3 6h10M3 10h10"/>"#),
    (
        "plug",
        r#"<path d="M6 2v3M10 2v3M4 5h8v2.5a4 4 0 0 1-8 0zM8 11.5V14"/>"#,
    ),
    (
        "table",
        r#"<rect x="2" y="3" width="12" height="10" rx="1.5"/><path d="M2 6.5h12M7 6.5V13"/>"#,
    ),
    ("log", r#"<path d="M3 4h10M3 8h10M3 12h6"/>"#),
    ("more", r#"<path d="M3 4.5h10M3 8h10M3 11.5h10"/>"#),
    (
        "find",
        r#"<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.2 3.2"/>"#,
    ),
    (
        "stop",
        r#"<circle cx="8" cy="8" r="6.2"/><rect x="5.6" y="5.6" width="4.8" height="4.8" rx=".6"/>"#,
    ),
    (
        "play",
        r#"<circle cx="8" cy="8" r="6.2"/><path d="M6.6 5.4v5.2L10.8 8z"/>"#,
    ),
    ("r", r#"<path d="M3 8h10M9.5 4.5 13 8l-3.5 3.5"/>"#),
    ("l", r#"<path d="M13 8H3M6.5 4.5 3 8l3.5 3.5"/>"#),
    (
        "key",
        r#"<circle cx="5.2" cy="10.8" r="2.8"/><path d="m7.2 8.8 6-6M11 5l1.8 1.8"/>"#,
    ),
    (
        "person",
        r#"<circle cx="8" cy="5.4" r="2.9"/><path d="M2.6 14c.5-3 2.6-4.4 5.4-4.4s4.9 1.4 5.4 4.4"/>"#,
    ),
    ("dot", r#"<circle cx="8" cy="8" r="5.5"/>"#),
];

/// The drawings, once per page.
pub fn sprite() -> Markup {
    html! {
        svg width="0" height="0" aria-hidden="true" hidden {
            @for (name, drawing) in ALL {
                symbol id={ "i-" (name) } viewBox="0 0 16 16" { (PreEscaped(drawing)) }
            }
        }
    }
}

/// An icon. It says nothing that its text does not say.
pub fn icon(name: &str) -> Markup {
    html! { svg.i aria-hidden="true" { use href={ "#i-" (name) } {} } }
}

/// A state: word, shape and colour.
pub fn chip(class: &str, name: &str, word: &str) -> Markup {
    html! { span class={ "chip " (class) } { (icon(name)) (word) } }
}
