//! Notes as the shop keeps them: cleaned like a comment. `&` becomes `&amp;`, what looks like a tag goes, and so do backslashes.

/// Entities that WordPress writes for single signs.
const ENTITIES: &[(&str, &str)] = &[
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#034;", "\""),
    ("&#039;", "'"),
    ("&#8217;", "’"),
    ("&nbsp;", " "),
    // Last, so that nothing is decoded twice.
    ("&amp;", "&"),
];

/// What of a text neither the shop nor a mail changes, for telling whether two notes say the same.
pub(super) fn plain(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        kept.push_str(before);
        let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!');
        let end = tag.find('>').filter(|_| tag[1..].starts_with(begins));
        // A tag leaves nothing behind; a lone sign stays.
        match end {
            Some(end) => rest = &tag[end + 1..],
            None => {
                kept.push('<');
                rest = &tag[1..];
            }
        }
    }
    kept.push_str(rest);
    for (entity, sign) in ENTITIES {
        kept = kept.replace(entity, sign);
    }
    kept.retain(|c| c != '\\');
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a plain text holds a word, and not only as part of a longer one (`OUT/0001` in `OUT/00012`).
pub(super) fn mentions(text: &str, word: &str) -> bool {
    let word = plain(word);
    if word.is_empty() {
        return true;
    }
    text.match_indices(&word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        ![before, after]
            .into_iter()
            .flatten()
            .any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_known_again_after_the_shop_cleaned_it() {
        let sent = "Shipment WH/OUT/0007\nExample & Co 6A1 <https://t.example/?a=1&b=2> \"q\" \\x";
        let kept = "Shipment WH/OUT/0007\nExample &amp; Co 6A1  \"q\" x";
        assert_eq!(plain(sent), plain(kept));
        assert!(mentions(&plain(kept), "Example & Co"));
        assert_eq!(plain("3 < 5 and 7 > 5"), plain("3 &lt; 5 and 7 &gt; 5"));
    }

    #[test]
    fn a_longer_word_is_another_word() {
        let text = plain("Shipment WH/OUT/00012 (6A1)");
        assert!(mentions(&text, "WH/OUT/00012") && mentions(&text, "6A1"));
        assert!(!mentions(&text, "WH/OUT/0001") && !mentions(&text, "A1"));
    }
}
