//! `${NAME}` in a connection's settings: the environment's variable, else the sealed secret of that name.

use super::Problem;
use comptoir_model::code::Code;
use serde_json::Value;

/// The settings with every `${NAME}` replaced by what `lookup` knows.
pub fn fill_in(
    settings: &Value,
    file: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Value, Problem> {
    Ok(match settings {
        Value::String(text) => Value::String(fill_text(text, file, lookup)?),
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| fill_in(item, file, lookup))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, field)| Ok((name.clone(), fill_in(field, file, lookup)?)))
                .collect::<Result<_, Problem>>()?,
        ),
        other => other.clone(),
    })
}

fn fill_text(
    text: &str,
    file: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Problem> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else {
            break;
        };
        let value = lookup(name).ok_or_else(|| {
            Problem::new(
                Code::MissingSecret,
                format!("the secret `{name}` is not set"),
                format!("le secret `{name}` n'est pas défini"),
            )
            .file(file)
            .fix(
                format!("set the environment variable {name}, or run `comptoir secret set {name}`"),
                format!("définir la variable d'environnement {name}, ou lancer `comptoir secret set {name}`"),
            )
        })?;
        filled.push_str(before);
        filled.push_str(&value);
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_found_and_filled_in_and_a_missing_one_is_named() {
        let settings = json!({"key": "${KEY}", "url": "https://x/${A}-${B}", "n": 1});
        let known = |name: &str| (name != "B").then(|| name.to_lowercase());
        let problem = fill_in(&settings, "connections/shop.toml", &known).unwrap_err();
        assert_eq!(problem.code, Code::MissingSecret);
        assert!(problem.to_string().contains("`B`"));
        let filled = fill_in(&settings, "f", &|name| Some(name.to_lowercase())).unwrap();
        assert_eq!(filled["url"], "https://x/a-b");
    }
}
