//! The people of the simulated shop, who edit, cancel, put back and trash orders by hand while software works on them.

use crate::basket::recalculate;
use crate::seed::Seed;
use crate::woocommerce::order::Order;
use crate::woocommerce::sales::{set_status, trash};
use crate::woocommerce::{Deed, Shop};
use rust_decimal::Decimal;
use std::time::Duration;

/// One thing somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// The order.
    pub order: u64,
    /// What was done to it.
    pub deed: Deed,
}

/// Somebody who works in the shop. What each did is kept with the order too.
pub struct People {
    shop: Shop,
    seed: Seed,
    acts: Vec<Act>,
}

impl People {
    /// People of a seed.
    pub fn new(shop: Shop, seed: u64) -> Self {
        People {
            shop,
            seed: Seed::of(seed, 0x9E0B),
            acts: Vec::new(),
        }
    }

    /// What has been done so far.
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// Does so many things, with pauses of up to `pause` between them.
    pub async fn work(&mut self, things: usize, pause: Duration) {
        for _ in 0..things {
            let share = self.seed.between(0, 1_000) as f64 / 1_000.0;
            tokio::time::sleep(pause.mul_f64(share)).await;
            self.act();
        }
    }

    /// Does one thing to some order. None when there is nothing that fits.
    pub fn act(&mut self) -> Option<Act> {
        let deeds = [
            Deed::Quantity,
            Deed::Note,
            Deed::Address,
            Deed::Cancelled,
            Deed::PutBack,
            Deed::Trashed,
        ];
        let deed = deeds[self.seed.weighted(&[30, 20, 20, 15, 10, 5])];
        let fitting: Vec<u64> = {
            let state = self.shop.lock();
            state
                .orders()
                .filter(|order| fits(order, deed))
                .map(|order| order.id)
                .collect()
        };
        let order = *self.seed.pick(&fitting)?;
        self.shop.touch(order, deed, &mut self.seed).then(|| {
            let act = Act { order, deed };
            self.acts.push(act);
            act
        })
    }
}

fn fits(order: &Order, deed: Deed) -> bool {
    let open = matches!(order.status.as_str(), "processing" | "on-hold");
    match deed {
        // The shop's own screen changes lines only while the order is not paid.
        Deed::Quantity => order.status == "on-hold" && order.coupons.is_empty(),
        Deed::Note | Deed::Address => open,
        Deed::Cancelled | Deed::Trashed => open,
        Deed::PutBack => {
            order.status == "cancelled" && order.touched.last() == Some(&Deed::Cancelled)
        }
    }
}

impl Shop {
    /// Does one thing to an order by hand. False when it cannot be done to that order now.
    pub fn touch(&self, id: u64, deed: Deed, seed: &mut Seed) -> bool {
        let mut state = self.lock();
        if !state.order(id).is_some_and(|order| fits(order, deed)) {
            return false;
        }
        if deed == Deed::Trashed {
            let done = trash(&mut state, id).is_some();
            state.touch(id, |order| order.touched.push(deed));
            return done;
        }
        let note = state.ids.note();
        let done = state.change(id, |order, shop| {
            let done = match deed {
                Deed::Quantity => {
                    let place = seed.below(order.lines.len());
                    let more = Decimal::from(seed.between(1, 2));
                    let decimals = order.decimals;
                    let line = order.lines.get_mut(place);
                    let changed = line.filter(|line| !line.quantity.is_zero()).map(|line| {
                        let quantity = line.quantity + more;
                        crate::woocommerce::set_quantity(line, quantity, decimals);
                    });
                    recalculate(order, shop);
                    changed.is_some()
                }
                Deed::Note => {
                    order.note = format!("Appelé le client, code porte {}", seed.between(10, 99));
                    true
                }
                Deed::Address => {
                    order.shipping.address_1 = format!("{} avenue de l’Essai", seed.between(1, 99));
                    true
                }
                Deed::Cancelled => {
                    set_status(order, "cancelled", note);
                    true
                }
                Deed::PutBack => {
                    let back = order
                        .before
                        .clone()
                        .unwrap_or_else(|| "processing".to_owned());
                    set_status(order, &back, note);
                    true
                }
                Deed::Trashed => false,
            };
            if done {
                order.touched.push(deed);
            }
            done
        });
        done == Some(true)
    }
}
