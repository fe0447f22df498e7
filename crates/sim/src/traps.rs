//! The traps planted in the simulated shop's orders, and what must come of an order that holds one.

use crate::catalogue::{DOUBLE_SKU, UNKNOWN_SKU};
use comptoir_model::cause::Cause;
use comptoir_model::key::Kind;
use std::fmt;

/// What must come of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// It ends in the ERP, equal to the cent.
    Imported,
    /// It is held with this cause, as [`Cause`] writes it.
    Held(String),
    /// It is skipped for this reason.
    Skipped(String),
}

macro_rules! traps {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)*) => {
        /// Something about an order that software gets wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Trap { $($(#[$doc])* $variant,)* }

        impl Trap {
            /// Every trap.
            pub const ALL: &'static [Trap] = &[$(Trap::$variant,)*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self { $(Trap::$variant => $name,)* }
            }
        }
    };
}

traps! {
    /// No account.
    Guest "guest";
    /// No account, but the e-mail address of one.
    GuestWithAccountEmail "guest with an account's e-mail";
    /// A company with a VAT number (kept in the order's metadata).
    Company "company with VAT number";
    /// Placed while catalogue prices included tax; line totals are net all the same.
    TaxInclusive "prices with tax";
    /// Placed while catalogue prices were without tax.
    TaxExclusive "prices without tax";
    /// Two rates in one order.
    SeveralRates "several tax rates";
    /// Two taxes side by side on each line (Quebec).
    TaxesOnOneLine "two taxes on each line";
    /// The second tax is charged on top of the first.
    CompoundTax "compound tax";
    /// A payment fee.
    Fee "fee";
    /// A discount kept as a negative fee.
    NegativeFee "negative fee";
    /// Paid in part with a gift card, as the plug-in WooCommerce Gift Cards does it: the order's total is what was left to pay,
    /// no line says so, and a field `gift_cards` holds the card. The sale is the total and the card.
    GiftCardUsed "gift card used as payment";
    /// Paid in part with a gift card by a plug-in that keeps it as a negative fee without tax.
    GiftCardFee "gift card used as a fee";
    /// A gift card is sold: a line without tax.
    GiftCardSold "gift card sold";
    /// One SKU on two lines.
    SameSkuTwice "same SKU twice";
    /// A line whose product has no SKU.
    EmptySku "empty SKU";
    /// A line whose product was deleted: product 0, SKU null.
    DeletedProduct "deleted product";
    /// A bundle with the price on the parent.
    BundleParent "bundle priced on the parent";
    /// A bundle with the prices on the children.
    BundleChildren "bundle priced on the children";
    /// 1.375 kg.
    FractionalQuantity "fractional quantity";
    /// Nothing to pay.
    ZeroTotal "zero total";
    /// JPY, in a shop that shows two decimals.
    NoDecimals "currency without decimals";
    /// KWD, in a shop that shows two decimals: the third is cut unless `dp` asks for it.
    ThreeDecimals "currency with three decimals";
    /// The buyer saw another currency; the order's metadata says which and how much.
    TwoCurrencies "buyer's currency";
    /// Edited after it was placed: a line of quantity 0, a total that is not the first one.
    Edited "edited after placing";
    /// A percentage off.
    CouponPercent "percent coupon";
    /// An amount off, spread over the units.
    CouponFixed "fixed coupon";
    /// A coupon that makes shipping free.
    FreeShipping "free shipping coupon";
    /// Two shipping lines.
    SeveralShippingLines "several shipping lines";
    /// Tax rounded once per rate, not per line: the ERP's own sum differs by a cent or two.
    Rounding "rounding difference";
    /// Emoji, accents, HTML and line breaks in names and notes.
    Emoji "emoji and markup";
    /// Very long names and address lines.
    LongName "long names";
    /// Addresses without a country.
    NoCountry "address without country";
    /// Nothing to ship: no shipping address, no phone.
    VirtualOnly "virtual goods only";
    /// Réunion written as a country of its own.
    Overseas "overseas department";
    /// Northern Ireland: country GB, postcode BT.
    NorthernIreland "Northern Ireland";
    /// A subdivision that other systems write differently (JP13).
    Subdivision "subdivision code";
    /// A number that is not the id.
    OrderNumber "number that is not the id";
    /// A tax without a row.
    UnmappedTax "unmapped tax";
    /// A payment method without a row.
    UnmappedPayment "unmapped payment method";
    /// A shipping method without a row.
    UnmappedShipping "unmapped shipping method";
    /// A SKU the ERP does not have.
    UnknownSku "unknown SKU";
    /// A SKU that two products of the ERP have.
    DoubleSku "SKU of two ERP products";
    /// Refunded in part before anyone imported it.
    PartlyRefunded "partly refunded";
    /// Payment not made yet.
    Pending "pending";
    /// The checkout was left open.
    Draft "checkout draft";
    /// Payment failed.
    Failed "failed payment";
    /// Called off before anyone imported it.
    Cancelled "cancelled";
    /// Paid with a gateway in test mode.
    Test "test order";
}

impl Trap {
    /// What must come of an order with this trap. `tax`, `payment` and `shipping` are the unmapped values it uses.
    pub fn expected(self, tax: &str, payment: &str, shipping: &str) -> Expected {
        let held = |cause: Cause| Expected::Held(cause.to_string());
        match self {
            Trap::UnmappedTax => held(Cause::row("tax", tax)),
            Trap::UnmappedPayment => held(Cause::row("payment", payment)),
            Trap::UnmappedShipping => held(Cause::row("shipping", shipping)),
            Trap::UnknownSku => held(Cause::Product(UNKNOWN_SKU.to_owned())),
            Trap::DoubleSku => held(Cause::Product(DOUBLE_SKU.to_owned())),
            Trap::PartlyRefunded => held(Cause::Flow(Kind::Refund)),
            Trap::Pending => Expected::Skipped("status:pending".to_owned()),
            Trap::Draft => Expected::Skipped("status:checkout-draft".to_owned()),
            Trap::Failed => Expected::Skipped("status:failed".to_owned()),
            Trap::Cancelled => Expected::Skipped("status:cancelled".to_owned()),
            Trap::Test => Expected::Skipped("test".to_owned()),
            _ => Expected::Imported,
        }
    }

    /// Whether an order with it must be held.
    pub fn holds(self) -> bool {
        matches!(
            self,
            Trap::UnmappedTax
                | Trap::UnmappedPayment
                | Trap::UnmappedShipping
                | Trap::UnknownSku
                | Trap::DoubleSku
                | Trap::PartlyRefunded
        )
    }

    /// Whether an order with it must not be imported at all.
    pub fn skips(self) -> bool {
        matches!(
            self,
            Trap::Pending | Trap::Draft | Trap::Failed | Trap::Cancelled | Trap::Test
        )
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
