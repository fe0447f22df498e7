//! Not a benchmark: a floor under which the simulator would slow every other test down.

use crate::served::{erp, of};
use comptoir_sim::odoo::{HandOrder, Version};
use rust_decimal::Decimal;
use std::time::Instant;

#[test]
fn thousands_of_orders_are_no_burden() {
    let erp = erp(of(Version::V19));
    let partner = erp.partners()[0].id;
    let began = Instant::now();
    for n in 0..2000 {
        let order = HandOrder {
            partner,
            reference: format!("R{n}"),
            lines: vec![
                ("MUG".to_owned(), Decimal::ONE),
                ("BOOK".to_owned(), Decimal::TWO),
            ],
        };
        let id = erp.add_order_by_hand(&order).unwrap();
        erp.confirm_by_hand(id).unwrap();
    }
    let took = began.elapsed();
    assert!(took.as_secs() < 30, "{took:?}");
}
