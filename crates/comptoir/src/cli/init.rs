//! `init`: a commented workspace to fill in, for a shop and an ERP.

mod draft;

use super::Context;
use super::connector::setting::{self, Setting};
use crate::config::Problem;
use crate::exit::{self, Failure};
use crate::{config, out, secrets, workspace};
use clap::Args;
use comptoir_connectors::ALL;
use comptoir_kit::spec::Spec;
use comptoir_model::code::Code;
use comptoir_model::key::Kind;
use comptoir_model::port::Step;
use draft::Side;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};

#[derive(Debug, Args)]
pub struct InitArguments {
    /// The shop's connector, such as woocommerce or prestashop.
    #[arg(long, value_name = "CONNECTOR")]
    shop: Option<String>,
    /// The ERP's connector, such as odoo or dolibarr.
    #[arg(long, value_name = "CONNECTOR")]
    erp: Option<String>,
    /// The shop's address, such as https://shop.example.
    #[arg(long)]
    shop_url: Option<String>,
    /// The ERP's address, such as https://erp.example.
    #[arg(long)]
    erp_url: Option<String>,
    /// The ERP's database (Odoo).
    #[arg(long)]
    erp_database: Option<String>,
    /// The login of the ERP's user (Odoo 16 to 18).
    #[arg(long)]
    erp_login: Option<String>,
    /// Another setting of the shop, such as time_zone=Europe/Paris; several times for several settings.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    shop_setting: Vec<(String, String)>,
    /// Another setting of the ERP, such as currency=EUR; several times for several settings.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    erp_setting: Vec<(String, String)>,
}

/// What a question offers, where an answer is likely.
const LIKELY: &[(&str, &str)] = &[
    ("currency", "EUR"),
    ("login", "hub@example.com"),
    ("database", "odoo"),
];

/// Settings that are asked for although a connection can do without.
const ASKED_TOO: &[&str] = &["login"];

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Runs the command.
pub fn run(context: &Context, arguments: InitArguments) -> Result<u8, Failure> {
    if context.dir.join("comptoir.toml").exists() {
        let text = context.either(
            "There is a workspace here already; nothing was changed.",
            "Il y a déjà un espace de travail ici ; rien n'a été modifié.",
        );
        return Err(Failure::new(exit::CONFIGURATION, text));
    }
    let shop_spec = chosen(context, arguments.shop, "shop", "woocommerce")?;
    let erp_spec = chosen(context, arguments.erp, "erp", "odoo")?;
    let mut shop = given(
        shop_spec,
        "shop",
        arguments.shop_setting,
        [("url", arguments.shop_url)],
    )?;
    let mut erp = given(
        erp_spec,
        "erp",
        arguments.erp_setting,
        [
            ("url", arguments.erp_url),
            ("database", arguments.erp_database),
            ("login", arguments.erp_login),
        ],
    )?;
    ask_rest(&mut shop)?;
    ask_rest(&mut erp)?;
    let files = draft::files(&shop, &erp);
    std::fs::create_dir_all(&context.dir)?;
    config::write(&context.dir, &files)?;
    std::fs::write(context.dir.join(".gitignore"), IGNORED)?;
    for name in files.keys() {
        out::line(name);
    }
    let keys = asked_keys(context, &[&shop, &erp])?;
    next_steps(context, &shop, &erp, !keys.is_empty());
    if !keys.is_empty() {
        let keys: Vec<(&str, String)> = keys
            .iter()
            .map(|(name, key)| (name.as_str(), key.clone()))
            .collect();
        secrets::EnvFile::write(&context.dir, &keys)?;
        out::line(secrets::FILE);
    }
    Ok(exit::OK)
}

/// Whether a connector is of this side: an ERP takes new orders, a shop tells of them.
fn is_of(spec: &Spec, side: &str) -> bool {
    let takes = spec
        .capabilities
        .operation(Kind::Order, Step::Create)
        .is_some();
    let tells = spec
        .capabilities
        .reads(Kind::Order)
        .is_some_and(|reads| reads.changes);
    if side == "erp" {
        takes
    } else {
        tells && !takes
    }
}

/// The connector of a side: given, asked for, or the usual one where nobody can be asked.
fn chosen(
    context: &Context,
    given: Option<String>,
    side: &str,
    usual: &str,
) -> Result<&'static Spec, Failure> {
    let fitting: Vec<&str> = ALL
        .iter()
        .filter(|spec| is_of(spec, side))
        .map(|spec| spec.name)
        .collect();
    let name = match given {
        Some(name) => name,
        None => {
            let what = match side {
                "erp" => context.either("The ERP", "L'ERP"),
                _ => context.either("The shop", "La boutique"),
            };
            asked(&format!("{what} ({})", fitting.join(", ")), usual)?
        }
    };
    let spec = workspace::spec(&name).ok().filter(|spec| is_of(spec, side));
    spec.ok_or_else(|| {
        let problem = Problem::new(
            Code::UnknownName,
            format!("`--{side} {name}` names no connector of this side"),
            format!("`--{side} {name}` ne nomme aucun connecteur de ce côté"),
        );
        problem.suggest(&name, fitting).into()
    })
}

/// A side with the settings that the command line gives. One that the connector does not have is refused.
fn given(
    spec: &'static Spec,
    name: &'static str,
    pairs: Vec<(String, String)>,
    own: impl IntoIterator<Item = (&'static str, Option<String>)>,
) -> Result<Side, Failure> {
    let own = own
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let given: BTreeMap<String, String> = pairs.into_iter().chain(own).collect();
    let known = setting::all(spec);
    for name in given.keys() {
        let setting = known.iter().find(|setting| setting.name == *name);
        let refused = match setting {
            None => Problem::new(
                Code::UnknownSetting,
                format!("connector `{}` has no setting `{name}`", spec.name),
                format!("le connecteur `{}` n'a pas de réglage `{name}`", spec.name),
            )
            .suggest(name, known.iter().map(|setting| setting.name.as_str())),
            Some(setting) if setting.secret => Problem::new(
                Code::BadValue,
                format!(
                    "`{name}` is a secret: it belongs into the environment, not onto the command line"
                ),
                format!(
                    "`{name}` est un secret : il va dans l'environnement, pas sur la ligne de commande"
                ),
            ),
            Some(_) => continue,
        };
        return Err(refused.into());
    }
    Ok(Side { name, spec, given })
}

/// Asks for what a connection needs and was not given, secrets aside. Without a terminal the address is an example, and the rest stays
/// to be filled in.
fn ask_rest(side: &mut Side) -> Result<(), Failure> {
    let open = |setting: &Setting| {
        (setting.needed || ASKED_TOO.contains(&setting.name.as_str())) && !setting.secret
    };
    for setting in setting::all(side.spec).into_iter().filter(open) {
        if side.given.contains_key(&setting.name) {
            continue;
        }
        let example = match setting.name.as_str() {
            "url" => format!("https://{}.example", side.name),
            "time_zone" => zone_here(),
            name => LIKELY
                .iter()
                .find(|(likely, _)| *likely == name)
                .map_or(String::new(), |(_, value)| (*value).to_owned()),
        };
        let answer = if std::io::stdin().is_terminal() {
            asked(&format!("{}: {}", side.spec.title, setting.title), &example)?
        } else if setting.name == "url" {
            example
        } else {
            continue;
        };
        if !answer.is_empty() {
            side.given.insert(setting.name, answer);
        }
    }
    Ok(())
}

/// The time zone of this machine, if it has a name and is that of a place: a server's UTC is no merchant's.
fn zone_here() -> String {
    let zone = jiff::tz::TimeZone::system();
    let name = zone
        .iana_name()
        .filter(|name| name.contains('/') && !name.starts_with("Etc/"));
    name.unwrap_or_default().to_owned()
}

/// The keys, asked for at the terminal and not shown while typed; an empty answer leaves one out.
fn asked_keys(context: &Context, sides: &[&Side]) -> Result<Vec<(String, String)>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(Vec::new());
    }
    let hidden = context.either("not shown", "non affiché");
    let mut keys = Vec::new();
    for side in sides {
        for setting in setting::all(side.spec)
            .iter()
            .filter(|setting| setting.secret && setting.needed)
        {
            let question = format!("{}: {} ({hidden}): ", side.spec.title, setting.title);
            let answer = rpassword::prompt_password(question)?;
            if !answer.trim().is_empty() {
                keys.push((side.variable(setting), answer.trim().to_owned()));
            }
        }
    }
    Ok(keys)
}

fn next_steps(context: &Context, shop: &Side, erp: &Side, has_keys: bool) {
    for side in [shop, erp] {
        let (title, name) = (side.spec.title, side.spec.name);
        out::talk(match context.either("en", "fr") {
            "en" => {
                format!("Set-up and the rights to grant in {title}: comptoir connector show {name}")
            }
            _ => format!(
                "Mise en place et droits à donner dans {title} : comptoir connector show {name}"
            ),
        });
        let missing = |setting: &&Setting| {
            setting.needed && !setting.secret && !side.given.contains_key(&setting.name)
        };
        for setting in setting::all(side.spec).iter().filter(missing) {
            let fill = context.either("To fill in", "À remplir");
            out::talk(format!(
                "  {fill}: {} (connections/{}.toml)",
                setting.name, side.name
            ));
        }
    }
    if has_keys {
        return out::talk(context.either(
            "The keys are in comptoir.env, which only you can read. Next: `comptoir check`.",
            "Les clés sont dans comptoir.env, lisible par vous seul. Ensuite : `comptoir check`.",
        ));
    }
    let secret = |side: &Side| {
        let all = setting::all(side.spec).into_iter();
        let secrets = all.filter(|setting| setting.secret && setting.needed);
        secrets
            .map(|setting| side.variable(&setting))
            .collect::<Vec<_>>()
    };
    let names = [secret(shop), secret(erp)].concat().join(", ");
    out::talk(match context.either("en", "fr") {
        "en" => format!(
            "Next: put the keys into the environment ({names}) or into comptoir.env, then run `comptoir check`."
        ),
        _ => format!(
            "Ensuite : mettre les clés dans l'environnement ({names}) ou dans comptoir.env, puis `comptoir check`."
        ),
    });
}

/// Asks at the terminal; without one the default stands.
fn asked(question: &str, default: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(default.to_owned());
    }
    let mut err = std::io::stderr();
    match default {
        "" => write!(err, "{question}: ")?,
        default => write!(err, "{question} [{default}]: ")?,
    }
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(match answer.trim() {
        "" => default.to_owned(),
        text => text.to_owned(),
    })
}

const IGNORED: &str = "comptoir.env\n*.db\n*.db-*\n*.serve\n";
