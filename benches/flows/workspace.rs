//! The workspace that Comptoir runs on: every default, except what the flows need (written beside each setting).

use crate::orders::{COUNTRIES, SHIPPING_SKU};
use anyhow::Result;
use std::fmt::Write as _;
use std::path::Path;

/// What a run may change.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Milliseconds between two polls of the shop; none leaves the default.
    pub every_ms: Option<u64>,
    /// Calls of the ERP at once; none leaves the default.
    pub at_once: Option<usize>,
    /// First and longest wait after a passing fault, in milliseconds and seconds; none leaves the default.
    pub patience: Option<(u64, u64)>,
    /// Stock goes back to the shop.
    pub stock: bool,
}

impl Tuning {
    /// Every default.
    pub const DEFAULT: Tuning = Tuning {
        every_ms: None,
        at_once: None,
        patience: None,
        stock: false,
    };
}

/// Writes the workspace for a mock at `host:port`.
pub fn write(dir: &Path, mock: &str, tuning: Tuning) -> Result<()> {
    for folder in ["connections", "flows", "tables"] {
        std::fs::create_dir_all(dir.join(folder))?;
    }
    let mut main = String::new();
    if let Some((first, longest)) = tuning.patience {
        write!(
            main,
            "retry_first_ms = {first}\nretry_longest_seconds = {longest}\n"
        )?;
    }
    std::fs::write(dir.join("comptoir.toml"), main)?;
    let shop = format!(
        "connector = \"woocommerce\"\nurl = \"http://{mock}\"\nkey = \"ck_example\"\nsecret = \"cs_example\"\n"
    );
    std::fs::write(dir.join("connections/shop.toml"), shop)?;
    let mut erp = format!(
        "connector = \"odoo\"\nurl = \"http://{mock}\"\ndatabase = \"bench\"\nkey = \"example\"\n"
    );
    if let Some(at_once) = tuning.at_once {
        writeln!(erp, "at_once = {at_once}")?;
    }
    std::fs::write(dir.join("connections/erp.toml"), erp)?;
    let mut flow = String::from("from = \"shop\"\nto = \"erp\"\nmode = \"live\"\n");
    if let Some(every) = tuning.every_ms {
        writeln!(flow, "every_ms = {every}")?;
    }
    // The default cap of 5,000 creates per hour would stop ten thousand orders half-way.
    flow.push_str("[caps]\ncreates_per_hour = 0\n[policy]\nconfirm = \"never\"\n");
    std::fs::write(dir.join("flows/orders.toml"), flow)?;
    if tuning.stock {
        // A poll comes often, so that a run need not wait for it.
        let flow =
            "kind = \"stock\"\nfrom = \"erp\"\nto = \"shop\"\nmode = \"live\"\nevery_ms = 2000\n";
        std::fs::write(dir.join("flows/stock.toml"), flow)?;
    }
    let mut taxes = String::from("from,to\n");
    for country in &COUNTRIES {
        writeln!(taxes, "{},{}", country.tax_code(), country.tax_title())?;
    }
    std::fs::write(dir.join("tables/taxes.csv"), taxes)?;
    std::fs::write(
        dir.join("tables/payment_methods.csv"),
        "from,to\nstripe,Carte\n",
    )?;
    std::fs::write(
        dir.join("tables/shipping_methods.csv"),
        format!("from,to\nflat_rate,{SHIPPING_SKU}\n"),
    )?;
    Ok(())
}
