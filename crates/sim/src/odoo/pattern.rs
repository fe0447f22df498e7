//! SQL's `LIKE`.

/// The only text that a pattern fits, when it has no wildcards but escaped ones.
pub(super) fn unescaped(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' | '_' => return None,
            '\\' => text.push(chars.next().unwrap_or('\\')),
            c => text.push(c),
        }
    }
    Some(text)
}

/// SQL's `LIKE`, around the pattern unless `whole`.
pub(super) fn like(text: &str, pattern: &str, whole: bool, case: bool) -> bool {
    let (text, pattern) = match case {
        true => (text.to_owned(), pattern.to_owned()),
        false => (text.to_lowercase(), pattern.to_lowercase()),
    };
    if !pattern.contains(['%', '_', '\\']) {
        return match whole {
            true => text == pattern,
            false => text.contains(&pattern),
        };
    }
    let pattern = match whole {
        true => pattern,
        false => format!("%{pattern}%"),
    };
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    wild(&text, &pattern)
}

fn wild(text: &[char], pattern: &[char]) -> bool {
    // The usual greedy walk: remember the last `%` and try again one character further.
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let escaped = pattern.get(p) == Some(&'\\') && p + 1 < pattern.len();
        let literal = if escaped {
            pattern.get(p + 1)
        } else {
            pattern.get(p)
        };
        let step = if escaped { 2 } else { 1 };
        match (text.get(t), literal) {
            (_, Some('%')) if !escaped => {
                retry = Some((t, p + 1));
                p += 1;
                continue;
            }
            (Some(_), Some('_')) if !escaped => (t, p) = (t + 1, p + 1),
            (Some(a), Some(b)) if a == b => (t, p) = (t + 1, p + step),
            (None, None) => return true,
            _ => match retry {
                Some((from, after)) if from < text.len() => {
                    retry = Some((from + 1, after));
                    (t, p) = (from + 1, after);
                }
                _ => return false,
            },
        }
    }
}
