//! Tax rates of the simulated shop and the ERP's taxes for them.

use super::{ErpTax, ShopTax, TaxClass};
use rust_decimal::Decimal;
use std::borrow::Cow;

/// Every name tells its rate, so that the code alone says which tax it is.
pub(super) fn taxes() -> Vec<ShopTax> {
    use TaxClass::{Reduced, Standard};
    let tax = |country, name, rate, class: TaxClass, erp| ShopTax {
        id: 0,
        country: Cow::Borrowed(country),
        state: Cow::Borrowed(""),
        rate,
        name: Cow::Borrowed(name),
        priority: 1,
        compound: false,
        class: Cow::Borrowed(class.slug()),
        erp,
        mapped: true,
    };
    let d = Decimal::new;
    let mut taxes = vec![
        tax("FR", "TVA 20", d(20, 0), Standard, "VAT FR 20 %"),
        tax("FR", "TVA 5.5", d(55, 1), Reduced, "VAT FR 5.5 %"),
        tax("DE", "MwSt 19", d(19, 0), Standard, "VAT DE 19 %"),
        tax("DE", "MwSt 7", d(7, 0), Reduced, "VAT DE 7 %"),
        tax("BE", "TVA 21", d(21, 0), Standard, "VAT BE 21 %"),
        tax("BE", "TVA 6", d(6, 0), Reduced, "VAT BE 6 %"),
        tax("ES", "IVA 21", d(21, 0), Standard, "VAT ES 21 %"),
        tax("ES", "IVA 10", d(10, 0), Reduced, "VAT ES 10 %"),
        tax("IT", "IVA 22", d(22, 0), Standard, "VAT IT 22 %"),
        tax("IT", "IVA 10", d(10, 0), Reduced, "VAT IT 10 %"),
        tax("NL", "BTW 21", d(21, 0), Standard, "VAT NL 21 %"),
        tax("NL", "BTW 9", d(9, 0), Reduced, "VAT NL 9 %"),
        tax("RE", "TVA 8.5", d(85, 1), Standard, "VAT RE 8.5 %"),
        tax("RE", "TVA 2.1", d(21, 1), Reduced, "VAT RE 2.1 %"),
        ShopTax {
            mapped: false,
            ..tax("AT", "USt 20", d(20, 0), Standard, "VAT AT 20 %")
        },
        tax("AT", "USt 10", d(10, 0), Reduced, "VAT AT 10 %"),
    ];
    let canada = |state, name, rate, priority, compound, erp| ShopTax {
        state: Cow::Borrowed(state),
        priority,
        compound,
        ..tax("CA", name, rate, Standard, erp)
    };
    taxes.extend([
        canada("QC", "TPS 5", d(5, 0), 1, false, "GST 5 %"),
        canada("QC", "TVQ 9.975", d(9_975, 3), 2, false, "QST 9.975 %"),
        canada("PE", "GST 5", d(5, 0), 1, false, "GST 5 % (base)"),
        canada("PE", "PST 10", d(10, 0), 2, true, "PST 10 % on top"),
    ]);
    for (index, tax) in taxes.iter_mut().enumerate() {
        tax.id = index as u64 + 1;
    }
    taxes
}

/// The ERP's tax of each rate.
pub(super) fn erp_taxes() -> Vec<ErpTax> {
    let shop = taxes();
    let under_a_compound_one = |tax: &ShopTax| {
        shop.iter()
            .any(|other| other.compound && other.country == tax.country && other.state == tax.state)
    };
    shop.iter()
        .map(|tax| ErpTax {
            name: tax.erp,
            rate: tax.rate,
            affects_base: !tax.compound && under_a_compound_one(tax),
        })
        .collect()
}
