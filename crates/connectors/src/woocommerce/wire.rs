//! The shop's own JSON, as tolerant as the shop is loose: money as text or number, ids as 0 or text, `[]` for an empty object.

use comptoir_kit::decode;
use comptoir_model::Decimal;
use comptoir_model::key::RemoteId;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What every record of a list has; also what lists cut by `_fields` hold.
#[derive(Debug, Deserialize)]
pub(super) struct Mark {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) number: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) sku: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) email: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) currency: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_modified_gmt: String,
}

/// A row of meta data.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Meta {
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: Value,
}

/// An order. What makes it an order is required, so that a body cut by `_fields` is never taken for an empty order.
#[derive(Debug, Deserialize)]
pub(super) struct OrderWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) number: String,
    pub(super) status: String,
    pub(super) currency: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_tax: Decimal,
    pub(super) line_items: Vec<ItemWire>,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) prices_include_tax: bool,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_created_gmt: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_modified_gmt: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_completed_gmt: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_paid_gmt: String,
    #[serde(default, deserialize_with = "decode::id_option")]
    pub(super) customer_id: Option<RemoteId>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) billing: AddressWire,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) shipping: AddressWire,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) payment_method: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) payment_method_title: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) transaction_id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) created_via: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) customer_note: String,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) meta_data: Vec<Meta>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) tax_lines: Vec<TaxLineWire>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) shipping_lines: Vec<ShippingWire>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) fee_lines: Vec<FeeWire>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) coupon_lines: Vec<CouponWire>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) refunds: Vec<MentionWire>,
    /// Of the plug-in WooCommerce Gift Cards.
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) gift_cards: Vec<GiftCardWire>,
}

/// An order as far as a shipment cares.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DispatchWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    pub(super) status: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_modified_gmt: String,
    #[serde(deserialize_with = "decode::or_default")]
    pub(super) meta_data: Vec<Meta>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AddressWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) first_name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) last_name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) company: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) address_1: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) address_2: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) city: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) state: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) postcode: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) country: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) email: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) phone: String,
}

/// A line. `sku` is null and `product_id` 0 when the product is gone.
#[derive(Debug, Deserialize)]
pub(super) struct ItemWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "decode::id_option")]
    pub(super) product_id: Option<RemoteId>,
    #[serde(default, deserialize_with = "decode::id_option")]
    pub(super) variation_id: Option<RemoteId>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) quantity: Decimal,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) tax_class: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) subtotal: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total: Decimal,
    #[serde(default, deserialize_with = "decode::decimal")]
    pub(super) total_tax: Decimal,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) taxes: Vec<TaxWire>,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) sku: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) global_unique_id: String,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) meta_data: Vec<Meta>,
    /// Of the plug-in Product Bundles: the line of the bundle.
    #[serde(default, deserialize_with = "decode::id_option")]
    pub(super) bundled_by: Option<RemoteId>,
    /// Of the plug-in Composite Products: the line of the composite.
    #[serde(default, deserialize_with = "decode::id_option")]
    pub(super) composite_parent: Option<RemoteId>,
}

/// A tax on a line; `id` is that of the rate. An empty total says that the rate was not applied.
#[derive(Debug, Deserialize)]
pub(super) struct TaxWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::decimal_option")]
    pub(super) total: Option<Decimal>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TaxLineWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) rate_id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) rate_code: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) label: String,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) compound: bool,
    #[serde(default, deserialize_with = "decode::decimal")]
    pub(super) tax_total: Decimal,
    #[serde(default, deserialize_with = "decode::decimal")]
    pub(super) shipping_tax_total: Decimal,
    #[serde(default, deserialize_with = "decode::decimal_option")]
    pub(super) rate_percent: Option<Decimal>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ShippingWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) method_title: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) method_id: String,
    #[serde(default, deserialize_with = "decode::id_option")]
    pub(super) instance_id: Option<RemoteId>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total: Decimal,
    #[serde(default, deserialize_with = "decode::decimal")]
    pub(super) total_tax: Decimal,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) taxes: Vec<TaxWire>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) meta_data: Vec<Meta>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FeeWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total: Decimal,
    #[serde(default, deserialize_with = "decode::decimal")]
    pub(super) total_tax: Decimal,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) taxes: Vec<TaxWire>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) meta_data: Vec<Meta>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CouponWire {
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) code: String,
    #[serde(default, deserialize_with = "decode::decimal")]
    pub(super) discount: Decimal,
    #[serde(default, deserialize_with = "decode::decimal")]
    pub(super) discount_tax: Decimal,
    /// Newer shops tell it here, older ones in meta data only.
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) discount_type: String,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) free_shipping: bool,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) meta_data: Vec<Meta>,
}

/// A refund as its order mentions it; `total` is negative.
#[derive(Debug, Deserialize)]
pub(super) struct MentionWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total: Decimal,
}

#[derive(Debug, Deserialize)]
pub(super) struct GiftCardWire {
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) amount: Decimal,
}

/// A refund. Its lines are negative, `amount` is positive and rules. It does not say its currency.
#[derive(Debug, Deserialize)]
pub(super) struct RefundWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    /// Only in the list across orders.
    #[serde(default, deserialize_with = "decode::id_option")]
    pub(super) parent_id: Option<RemoteId>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) amount: Decimal,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) reason: String,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) refunded_payment: bool,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_created_gmt: String,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) line_items: Vec<ItemWire>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) shipping_lines: Vec<ShippingWire>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) fee_lines: Vec<FeeWire>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) tax_lines: Vec<TaxLineWire>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CustomerWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    pub(super) email: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_modified_gmt: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) first_name: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) last_name: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) role: String,
    #[serde(deserialize_with = "decode::or_default")]
    pub(super) billing: AddressWire,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) shipping: AddressWire,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) meta_data: Vec<Meta>,
}

/// A product or a variation; 8.5 gives variations no `type`.
#[derive(Debug, Deserialize)]
pub(super) struct ProductWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(default, deserialize_with = "decode::id_option")]
    pub(super) parent_id: Option<RemoteId>,
    pub(super) name: String,
    #[serde(default, rename = "type", deserialize_with = "decode::text")]
    pub(super) kind: String,
    pub(super) status: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_modified_gmt: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) sku: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) global_unique_id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) tax_class: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) tax_status: String,
    #[serde(default, deserialize_with = "decode::decimal_option")]
    pub(super) weight: Option<Decimal>,
    /// `true`, `false`, or `"parent"` for a variation counted with its product.
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) manage_stock: String,
    #[serde(default, deserialize_with = "decode::flag", rename = "virtual")]
    pub(super) is_virtual: bool,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) attributes: Vec<OptionWire>,
    /// Ids of the variations of a variable product.
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) variations: Vec<Value>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) meta_data: Vec<Meta>,
}

/// The stock of a product or variation. What tells it is required, so that a list cut otherwise is not taken for "nothing is counted".
#[derive(Debug, Deserialize)]
pub(super) struct StockWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(default, deserialize_with = "decode::id_option")]
    pub(super) parent_id: Option<RemoteId>,
    #[serde(default, rename = "type", deserialize_with = "decode::text")]
    pub(super) kind: String,
    pub(super) status: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) sku: String,
    /// `true`, `false`, or `"parent"` for a variation counted with its product.
    #[serde(deserialize_with = "decode::text")]
    pub(super) manage_stock: String,
    #[serde(deserialize_with = "decode::decimal_option")]
    pub(super) stock_quantity: Option<Decimal>,
    /// `no`, `notify` or `yes`.
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) backorders: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_modified_gmt: String,
}

/// An attribute; only those of a variation have one `option`.
#[derive(Debug, Deserialize)]
pub(super) struct OptionWire {
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) option: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct NoteWire {
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) note: String,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) customer_note: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct HookWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) status: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) topic: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) delivery_url: String,
}

/// The answer to a batch of updates, one entry per item in the order sent.
#[derive(Debug, Deserialize)]
pub(super) struct BatchWire {
    pub(super) update: Vec<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BatchItem {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    pub(super) error: Option<Refusal>,
}

/// The shop's own error. `data` is an object, a number or nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) code: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) message: String,
    #[serde(default)]
    pub(super) data: Value,
}

impl Refusal {
    /// The status in `data`, which may differ from that of the answer.
    pub(super) fn status(&self) -> Option<u16> {
        let status = self.data.get("status").or(Some(&self.data))?.as_u64()?;
        u16::try_from(status).ok()
    }

    /// The first field of `data.params`.
    pub(super) fn field(&self) -> Option<String> {
        match self.data.get("params")? {
            Value::Object(params) => params.keys().next().cloned(),
            Value::Array(params) => params.first()?.as_str().map(str::to_owned),
            _ => None,
        }
    }
}
