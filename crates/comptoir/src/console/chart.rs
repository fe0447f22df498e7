//! Small drawings: bars over time, and the bar of the money. The number beside them says it; these only show it.

use super::overview::Money;
use maud::{Markup, html};

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 44.0;

/// Bars, the last one stronger. Nothing for nothing.
pub fn bars(values: &[f64]) -> Markup {
    let most = values.iter().copied().fold(0.0, f64::max);
    let step = WIDTH / values.len().max(1) as f64;
    let last = values.len().saturating_sub(1);
    let bar = |index: usize, value: f64| {
        let height = match most > 0.0 {
            true => (value / most * HEIGHT).max(if value > 0.0 { 1.5 } else { 0.0 }),
            false => 0.0,
        };
        let x = index as f64 * step + 1.0;
        let width = (step - 2.0).clamp(1.0, 24.0);
        html! {
            rect.b.now[index == last] x=(rounded(x)) y=(rounded(HEIGHT - height)) width=(rounded(width)) height=(rounded(height)) {}
        }
    };
    html! {
        svg viewBox="0 0 240 44" preserveAspectRatio="none" aria-hidden="true" {
            path.base d="M0 43.5H240" {}
            @for (index, value) in values.iter().enumerate() { (bar(index, *value)) }
        }
    }
}

fn rounded(value: f64) -> String {
    format!("{value:.1}")
}

/// Where the money is, as one bar.
pub fn bar(money: &Money) -> Markup {
    let whole = money.charged.max(1) as f64;
    let parts = [
        ("ok", money.there),
        ("wait", money.open),
        ("held", money.held),
        ("idle", money.skipped),
        ("bad", money.unexplained().abs()),
    ];
    let mut x = 0.0;
    let shown = parts.into_iter().filter(|(_, value)| *value > 0);
    let placed: Vec<(&str, f64, f64)> = shown
        .map(|(class, value)| {
            let (at, width) = (x, (value as f64 / whole * 1000.0).max(2.0));
            x += width;
            (class, at, (width - 2.0).max(1.0))
        })
        .collect();
    html! {
        svg.bar viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true" {
            @for (class, x, width) in placed {
                rect class=(class) x=(rounded(x)) y="0" width=(rounded(width)) height="8" rx="2" {}
            }
        }
    }
}
