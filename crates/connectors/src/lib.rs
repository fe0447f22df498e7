//! One folder per system, one list.

pub mod dolibarr;
pub mod odoo;
pub mod prestashop;
pub mod woocommerce;

use comptoir_kit::spec::Spec;

/// Every connector there is. A new one is a folder and a line here; nothing else in the tree changes.
pub static ALL: &[&Spec] = &[
    &dolibarr::SPEC,
    &odoo::SPEC,
    &prestashop::SPEC,
    &woocommerce::SPEC,
];
