//! `init`: a commented workspace to fill in.

use super::Context;
use crate::exit::{self, Failure};
use crate::{config, out, secrets};
use clap::Args;
use std::io::{BufRead, IsTerminal, Write};

#[derive(Debug, Args)]
pub struct InitArguments {
    /// The shop's address, such as https://shop.example.
    #[arg(long)]
    shop_url: Option<String>,
    /// The ERP's address, such as https://erp.example.
    #[arg(long)]
    erp_url: Option<String>,
    /// The ERP's database.
    #[arg(long)]
    erp_database: Option<String>,
    /// The login of the ERP's user (Odoo 16 to 18).
    #[arg(long)]
    erp_login: Option<String>,
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
    let ask = |given: Option<String>, english: &str, french: &str, default: &str| {
        given.map_or_else(|| asked(context.either(english, french), default), Ok)
    };
    let shop = ask(
        arguments.shop_url,
        "Address of the WooCommerce shop",
        "Adresse de la boutique WooCommerce",
        "https://shop.example",
    )?;
    let erp = ask(
        arguments.erp_url,
        "Address of the Odoo",
        "Adresse de l'Odoo",
        "https://erp.example",
    )?;
    let database = ask(
        arguments.erp_database,
        "Its database",
        "Sa base de données",
        "odoo",
    )?;
    let login = ask(
        arguments.erp_login,
        "Login of its user",
        "Identifiant de son utilisateur",
        "hub@example.com",
    )?;
    let files = files(&shop, &erp, &database, &login);
    std::fs::create_dir_all(&context.dir)?;
    config::write(&context.dir, &files)?;
    std::fs::write(context.dir.join(".gitignore"), IGNORED)?;
    for name in files.keys() {
        out::line(name);
    }
    let keys = asked_keys(context)?;
    if keys.is_empty() {
        out::talk(context.either(
            "Next: put the keys into the environment (WOO_KEY, WOO_SECRET, ODOO_KEY) or into comptoir.env, then run `comptoir check`.",
            "Ensuite : mettre les clés dans l'environnement (WOO_KEY, WOO_SECRET, ODOO_KEY) ou dans comptoir.env, puis `comptoir check`.",
        ));
    } else {
        secrets::EnvFile::write(&context.dir, &keys)?;
        out::line(secrets::FILE);
        out::talk(context.either(
            "The keys are in comptoir.env, which only you can read. Next: `comptoir check`.",
            "Les clés sont dans comptoir.env, lisible par vous seul. Ensuite : `comptoir check`.",
        ));
    }
    Ok(exit::OK)
}

/// The keys, asked for at the terminal and not shown while typed; an empty answer leaves one out.
fn asked_keys(context: &Context) -> Result<Vec<(&'static str, String)>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(Vec::new());
    }
    let mut keys = Vec::new();
    for (name, english, french) in [
        (
            "WOO_KEY",
            "Consumer key of WooCommerce (ck_…)",
            "Clé client de WooCommerce (ck_…)",
        ),
        (
            "WOO_SECRET",
            "Consumer secret (cs_…)",
            "Secret client (cs_…)",
        ),
        (
            "ODOO_KEY",
            "API key of the Odoo user",
            "Clé d'API de l'utilisateur Odoo",
        ),
    ] {
        let question = format!("{}: ", context.either(english, french));
        let answer = rpassword::prompt_password(question)?;
        if !answer.trim().is_empty() {
            keys.push((name, answer.trim().to_owned()));
        }
    }
    Ok(keys)
}

/// Asks at the terminal; without one the default stands.
fn asked(question: &str, default: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(default.to_owned());
    }
    let mut err = std::io::stderr();
    write!(err, "{question} [{default}]: ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(match answer.trim() {
        "" => default.to_owned(),
        text => text.to_owned(),
    })
}

/// A TOML string, quoted.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn files(shop: &str, erp: &str, database: &str, login: &str) -> config::Files {
    let connection_shop = format!(
        "connector = \"woocommerce\"\nurl = {}\n# Rights of the key: read/write (WooCommerce → Settings → Advanced → REST API).\nkey = \"${{WOO_KEY}}\"\nsecret = \"${{WOO_SECRET}}\"\n",
        quoted(shop)
    );
    let connection_erp = format!(
        "connector = \"odoo\"\nurl = {}\ndatabase = {}\n# Needed up to Odoo 18; from 19 on the key alone is enough.\nlogin = {}\nkey = \"${{ODOO_KEY}}\"\n# Name or id; always say it when the ERP has several companies.\n# company = \"My Company\"\n",
        quoted(erp),
        quoted(database),
        quoted(login)
    );
    config::Files::from([
        ("comptoir.toml".to_owned(), MAIN.to_owned()),
        ("connections/shop.toml".to_owned(), connection_shop),
        ("connections/erp.toml".to_owned(), connection_erp),
        ("flows/orders.toml".to_owned(), FLOW.to_owned()),
        ("tables/taxes.csv".to_owned(), "from,to,note\n".to_owned()),
        (
            "tables/payment_methods.csv".to_owned(),
            "from,to,note\n".to_owned(),
        ),
        (
            "tables/shipping_methods.csv".to_owned(),
            "from,to,note\n".to_owned(),
        ),
        (
            "tables/price_lists.csv".to_owned(),
            "from,to,note\n".to_owned(),
        ),
    ])
}

const IGNORED: &str = "comptoir.env\n*.db\n*.db-*\n*.serve\n";

const MAIN: &str = "# Where Comptoir keeps what it knows: a SQLite file here, or postgres://user:${PASSWORD}@host/database
store = \"sqlite:comptoir.db\"

# The address webhooks reach this hub at. Without it polling alone does everything.
# public_url = \"https://hub.example\"
";

const FLOW: &str = "# Orders of the shop go to the ERP.
kind = \"order\"
from = \"shop\"
to = \"erp\"

# shadow: everything is decided and shown, nothing is written. Then: live.
mode = \"shadow\"

# Orders placed before this are none of this flow's business; `comptoir adopt` links those the ERP already holds.
# start = \"2026-01-01T00:00:00Z\"

statuses = [\"processing\", \"completed\"]

[policy]
# always: confirm as soon as the totals agree to the cent. never: a person does it.
confirm = \"always\"

# SKUs of products of the ERP for what is no product in the shop.
[policy.products]
# fee = \"FEE\"
# rounding = \"ROUND\"
# without_sku = \"MISC\"
";
