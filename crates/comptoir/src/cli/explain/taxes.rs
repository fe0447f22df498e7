//! Tax by tax: both sides of an order, and what each difference comes from.

use super::super::Context;
use crate::exit::Failure;
use crate::out;
use crate::words::money;
use crate::workspace::Workspace;
use comptoir_model::Decimal;
use comptoir_model::money::Currency;
use comptoir_model::order::Order;
use comptoir_rules::tax::{Amounts, Difference, TaxGroup, by_tax};

/// The taxes of an order on both sides; nothing while the ERP has never been probed.
pub async fn taxes(
    workspace: &Workspace,
    flow: &crate::config::FlowConfig,
    source: Option<&Order>,
    target: Option<&Order>,
) -> Result<Vec<TaxGroup>, Failure> {
    let Some(source) = source else {
        return Ok(Vec::new());
    };
    let row = workspace.store.connection(&flow.to).await?;
    let Some(account) = row.and_then(|row| row.account) else {
        return Ok(Vec::new());
    };
    let rounding = workspace.rounding(&flow.to);
    let groups = by_tax(source, target, &flow.policy, &account, rounding);
    Ok(groups
        .into_iter()
        .map(|mut group| {
            if let Some(choice) = account.choice("taxes", &group.target_name) {
                group.target_name = choice.name.clone();
            }
            group
        })
        .collect())
}

/// What a difference comes from, in words.
fn why(context: &Context, why: Difference) -> &'static str {
    let (english, french) = match why {
        Difference::None => ("equal", "égal"),
        Difference::Split => (
            "the same sum, split otherwise into net and tax",
            "même somme, répartie autrement entre net et taxe",
        ),
        Difference::Rounding => (
            "the ERP rounds otherwise: its way makes exactly this tax",
            "l'ERP arrondit autrement : sa méthode donne exactement cette taxe",
        ),
        Difference::Cents => (
            "at most a cent per line, and by no known way of rounding",
            "au plus un centime par ligne, et par aucune méthode d'arrondi connue",
        ),
        Difference::Unexplained => (
            "more than rounding explains",
            "plus que l'arrondi ne l'explique",
        ),
        Difference::Unknown => ("not in the ERP yet", "pas encore dans l'ERP"),
    };
    context.either(english, french)
}

/// Prints them.
pub fn show(context: &Context, groups: &[TaxGroup], currency: Currency) {
    for group in groups {
        let amounts = |amounts: Amounts| {
            let amount = |value: Decimal| money(context.language, value, currency);
            format!("{} + {}", amount(amounts.net), amount(amounts.tax))
        };
        let name = match (group.source_name.as_str(), group.target_name.as_str()) {
            ("", "") => context.either("without tax", "sans taxe").to_owned(),
            (name, "") | ("", name) => name.to_owned(),
            (source, target) => format!("{source} → {target}"),
        };
        let target = group.target.map_or("?".to_owned(), amounts);
        out::line(format!(
            "  {} {name}: {} ≟ {target}: {}",
            context.either("tax", "taxe"),
            amounts(group.source),
            why(context, group.why),
        ));
    }
}
