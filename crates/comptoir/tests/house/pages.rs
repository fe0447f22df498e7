//! Codes and their pages.

use crate::source::Source;
use comptoir_model::code::{Code, Language};
use std::collections::BTreeMap;

/// Codes without their page, pages without a code, pages with another title or without a section, codes that do not exist.
pub fn wrong_pages(sources: &[Source]) -> Vec<String> {
    let pages: BTreeMap<&str, &str> = sources
        .iter()
        .filter_map(|source| {
            let name = source
                .path
                .strip_prefix("docs/errors/")?
                .strip_suffix(".md")?;
            (name != "README").then_some((name, source.text.as_str()))
        })
        .collect();
    let index = sources
        .iter()
        .find(|source| source.path == "docs/errors/README.md");
    let index = index.map_or("", |source| source.text.as_str());
    let mut wrong: Vec<String> = pages
        .keys()
        .filter(|name| Code::parse(name).is_none_or(|code| code.to_string() != **name))
        .map(|name| format!("docs/errors/{name}.md: no such code"))
        .collect();
    for code in Code::ALL {
        let name = code.to_string();
        let Some(page) = pages.get(name.as_str()) else {
            wrong.push(format!("docs/errors/{name}.md is missing"));
            continue;
        };
        let english = code.title(Language::English).trim_end_matches('.');
        let french = code.title(Language::French).trim_end_matches('.');
        if page.lines().next() != Some(format!("# {name}: {english}").as_str()) {
            wrong.push(format!(
                "docs/errors/{name}.md: the first line is not the code's title"
            ));
        }
        if !page.contains(&format!("## En français\n\n**{french}**\n")) {
            wrong.push(format!(
                "docs/errors/{name}.md: the French part does not begin with its title"
            ));
        }
        let sections = [
            "What happened",
            "Likely causes",
            "What to do",
            "What Comptoir does meanwhile",
        ];
        for section in sections {
            if !page.contains(&format!("\n## {section}\n")) {
                wrong.push(format!("docs/errors/{name}.md: no section `{section}`"));
            }
        }
        let row = format!("[{name}]({name}.md): {english}");
        if !index.contains(&row) {
            wrong.push(format!("docs/errors/README.md does not list `{row}`"));
        }
    }
    for source in sources.iter().filter(|source| source.path.ends_with(".md")) {
        for (at, _) in source.text.match_indices("CMP-") {
            let text: String = source.text[at..].chars().take(8).collect();
            let digits = text.chars().skip(4).filter(char::is_ascii_digit).count();
            if digits == 4 && Code::parse(&text).is_none() {
                wrong.push(format!("{}: {text} is no code", source.path));
            }
        }
    }
    wrong
}
