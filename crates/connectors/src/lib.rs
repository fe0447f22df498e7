//! One folder per system, one list.

pub mod dolibarr;
pub mod odoo;
pub mod prestashop;
pub mod woocommerce;

use comptoir_kit::spec::Spec;

macro_rules! list {
    ($($name:ident,)*) => {
        /// Every connector there is.
        pub static ALL: &[&Spec] = &[$(&$name::SPEC),*];

        /// Their READMEs, in the same order.
        pub static READMES: &[&str] = &[$(include_str!(concat!(stringify!($name), "/README.md"))),*];
    };
}

// A new connector is a folder and a line above and here; nothing else in the tree changes.
list! {
    dolibarr,
    odoo,
    prestashop,
    woocommerce,
}
