//! What never changes in the mock ERP: the user, the company, the taxes, the fields.

use crate::orders::COUNTRIES;
use anyhow::{Result, bail};

/// The answer of a call that always answers alike.
pub fn answer(model: &str, method: &str) -> Result<String> {
    let text = match (model, method) {
        ("res.users", "context_get") => r#"{"lang":"en_US","tz":"Europe/Paris","uid":2}"#.to_owned(),
        ("res.users", "read") => {
            r#"[{"id":2,"company_id":[1,"Example Company"],"company_ids":[1]}]"#.to_owned()
        }
        ("res.company", _) => r#"[{"id":1,"name":"Example Company","country_id":[75,"France"],"currency_id":[126,"EUR"],"tax_calculation_rounding_method":"round_per_line"}]"#.to_owned(),
        ("res.lang", _) => {
            r#"[{"id":1,"name":"English (US)","code":"en_US"},{"id":2,"name":"French / Français","code":"fr_FR"}]"#.to_owned()
        }
        ("res.country", _) => listed(|at, country| {
            format!(r#"{{"id":{},"code":"{}"}}"#, 70 + at, country.code)
        }),
        ("account.tax", _) => listed(|at, country| {
            format!(
                r#"{{"id":{},"name":"{}","amount":{}.0,"amount_type":"percent","price_include":true,"company_id":[1,"Example Company"]}}"#,
                at + 1,
                country.tax_title(),
                country.rate
            )
        }),
        ("stock.warehouse", _) => {
            r#"[{"id":1,"name":"Example","company_id":[1,"Example Company"]}]"#.to_owned()
        }
        ("ir.config_parameter", _) => {
            r#"[{"id":1,"value":"00000000-0000-4000-8000-000000000000"}]"#.to_owned()
        }
        (
            "product.pricelist" | "account.fiscal.position" | "crm.team" | "delivery.carrier"
            | "account.payment.term" | "res.country.state",
            _,
        ) => "[]".to_owned(),
        ("decimal.precision", _) => {
            r#"[{"id":1,"name":"Product Price","digits":2},{"id":2,"name":"Product Unit","digits":2}]"#.to_owned()
        }
        (_, "has_access") => "true".to_owned(),
        (model, "fields_get") => fields(model)?,
        _ => bail!("no such call"),
    };
    Ok(text)
}

fn listed(row: impl Fn(usize, &crate::orders::Country) -> String) -> String {
    let rows: Vec<String> = COUNTRIES
        .iter()
        .enumerate()
        .map(|(at, country)| row(at, country))
        .collect();
    format!("[{}]", rows.join(","))
}

fn fields(model: &str) -> Result<String> {
    let names = match model {
        "sale.order" => {
            "name:char state:selection client_order_ref:char origin:char note:html date_order:datetime write_date:datetime amount_tax:monetary amount_total:monetary currency_id:many2one partner_id:many2one partner_invoice_id:many2one partner_shipping_id:many2one company_id:many2one warehouse_id:many2one pricelist_id:many2one fiscal_position_id:many2one team_id:many2one payment_term_id:many2one order_line:one2many"
        }
        "sale.order.line" => {
            "order_id:many2one name:text display_type:selection product_id:many2one product_uom_qty:float price_unit:float discount:float price_subtotal:monetary price_tax:float write_date:datetime tax_ids:many2many"
        }
        "res.partner" => {
            "name:char is_company:boolean email:char phone:char vat:char street:char street2:char zip:char city:char country_code:char country_id:many2one state_id:many2one lang:selection ref:char parent_id:many2one type:selection company_name:char write_date:datetime"
        }
        "product.product" => {
            "default_code:char barcode:char name:char active:boolean type:selection is_storable:boolean product_tmpl_id:many2one uom_id:many2one weight:float write_date:datetime qty_available:float free_qty:float outgoing_qty:float incoming_qty:float"
        }
        _ => bail!("no fields of {model}"),
    };
    let fields: Vec<String> = names
        .split(' ')
        .filter_map(|field| {
            let (name, kind) = field.split_once(':')?;
            Some(format!(r#""{name}":{{"type":"{kind}","readonly":false}}"#))
        })
        .collect();
    Ok(format!("{{{}}}", fields.join(",")))
}
