//! Simulators of shops and ERPs with measured quirks and seeded faults. Always labelled as simulators.

pub mod odoo;
