//! What the webservice sends: ids as numbers, everything else as text.

use comptoir_kit::decode;
use comptoir_model::Decimal;
use comptoir_model::key::RemoteId;
use serde::Deserialize;
use serde_json::Value;

/// Fields of an order that are asked for. Not `secure_key`, which opens the order to anyone, and not `note`, which 1.7 does not have.
pub(super) const ORDER: &str = "id,id_address_delivery,id_address_invoice,id_cart,id_currency,id_lang,id_customer,id_carrier,current_state,\
module,payment,invoice_number,delivery_number,valid,date_add,date_upd,shipping_number,id_shop,gift,gift_message,total_discounts_tax_incl,\
total_discounts_tax_excl,total_paid,total_paid_tax_incl,total_paid_tax_excl,total_paid_real,total_shipping_tax_incl,\
total_shipping_tax_excl,carrier_tax_rate,total_wrapping_tax_incl,total_wrapping_tax_excl,round_mode,round_type,conversion_rate,reference";

/// Fields of a customer: neither the hash of the password nor keys nor tokens.
pub(super) const CUSTOMER: &str =
    "id,email,firstname,lastname,company,siret,is_guest,active,id_lang,date_add,date_upd";

/// Fields of an address.
pub(super) const ADDRESS: &str = "id,id_customer,id_country,id_state,alias,company,lastname,firstname,vat_number,dni,address1,address2,\
postcode,city,other,phone,phone_mobile,deleted,date_upd";

/// Fields of a payment: nothing of a card.
pub(super) const PAYMENT: &str =
    "id,order_reference,id_currency,amount,payment_method,conversion_rate,transaction_id,date_add";

/// Fields of a message.
pub(super) const MESSAGE: &str = "id,id_order,id_employee,private,message";

/// Fields of a product.
pub(super) const PRODUCT: &str =
    "id,reference,ean13,upc,name,active,id_tax_rules_group,weight,is_virtual,date_upd";

/// Fields of a combination.
pub(super) const COMBINATION: &str = "id,id_product,reference,ean13,upc,weight";

/// An order.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct OrderWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(deserialize_with = "decode::text")]
    pub(super) id_currency: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_lang: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_carrier: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) current_state: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) module: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) payment: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) invoice_number: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) delivery_number: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_add: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_upd: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) shipping_number: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_shop: String,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) gift: bool,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) gift_message: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_discounts_tax_incl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_discounts_tax_excl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_paid: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_paid_tax_incl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_paid_tax_excl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_paid_real: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_shipping_tax_incl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_shipping_tax_excl: Decimal,
    #[serde(default, deserialize_with = "decode::decimal_option")]
    pub(super) carrier_tax_rate: Option<Decimal>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_wrapping_tax_incl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_wrapping_tax_excl: Decimal,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) round_mode: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) round_type: String,
    #[serde(default, deserialize_with = "decode::decimal_option")]
    pub(super) conversion_rate: Option<Decimal>,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) reference: String,
}

/// A line of an order.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DetailWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) product_id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) product_attribute_id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) product_name: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) product_reference: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) product_ean13: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_customization: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) product_quantity: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) unit_price_tax_excl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_price_tax_excl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_price_tax_incl: Decimal,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) tax_computation_method: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_tax_rules_group: String,
    #[serde(default, deserialize_with = "decode::decimal")]
    pub(super) ecotax: Decimal,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) associations: DetailAssociations,
}

/// What hangs on a line.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct DetailAssociations {
    #[serde(default)]
    pub(super) taxes: Vec<IdWire>,
}

/// Something by its id.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct IdWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
}

/// A voucher that was used for an order.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CartRuleWire {
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) value: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) value_tax_excl: Decimal,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) free_shipping: bool,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) deleted: bool,
}

/// A credit slip.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SlipWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(deserialize_with = "decode::id")]
    pub(super) id_order: RemoteId,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_products_tax_excl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_products_tax_incl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_shipping_tax_excl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_shipping_tax_incl: Decimal,
    #[serde(default, deserialize_with = "decode::decimal")]
    pub(super) amount: Decimal,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) order_slip_type: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_add: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_upd: String,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) associations: SlipAssociations,
}

/// What hangs on a credit slip.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct SlipAssociations {
    #[serde(default)]
    pub(super) order_slip_details: Vec<SlipDetailWire>,
}

/// A line of a credit slip.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SlipDetailWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id_order_detail: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) product_quantity: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) amount_tax_excl: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) amount_tax_incl: Decimal,
}

/// A payment of a basket, which may have become several orders of one reference.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PaymentWire {
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_currency: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) amount: Decimal,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) payment_method: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) transaction_id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_add: String,
}

/// A message about an order.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct MessageWire {
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_employee: String,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) private: bool,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) message: String,
}

/// An order of the same reference.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SiblingWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_paid_tax_incl: Decimal,
}

/// A customer, guests included.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CustomerWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) email: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) firstname: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) lastname: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) company: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) siret: String,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) is_guest: bool,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_lang: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_upd: String,
}

/// An address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct AddressWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id_country: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) id_state: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) company: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) lastname: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) firstname: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) vat_number: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) dni: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) address1: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) address2: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) postcode: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) city: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) other: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) phone: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) phone_mobile: String,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) deleted: bool,
}

/// A product.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ProductWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) reference: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) ean13: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) upc: String,
    #[serde(default)]
    pub(super) name: Value,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) active: bool,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) id_tax_rules_group: String,
    #[serde(default, deserialize_with = "decode::decimal_option")]
    pub(super) weight: Option<Decimal>,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) is_virtual: bool,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) date_upd: String,
}

/// A combination of a product.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CombinationWire {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(deserialize_with = "decode::id")]
    pub(super) id_product: RemoteId,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) reference: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) ean13: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) upc: String,
    #[serde(default, deserialize_with = "decode::decimal_option")]
    pub(super) weight: Option<Decimal>,
}

/// A text that comes as a list per language, or as itself where there is one language: that of the lowest language id, so that it stays the
/// same whatever else changes.
pub(super) fn in_first_language(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Array(texts) => {
            let number = |text: &Value| match &text["id"] {
                Value::String(id) => id.parse().unwrap_or(u64::MAX),
                id => id.as_u64().unwrap_or(u64::MAX),
            };
            let filled = texts.iter().filter(|text| {
                text["value"]
                    .as_str()
                    .is_some_and(|text| !text.trim().is_empty())
            });
            let first = filled.min_by_key(|text| number(text));
            let text = first.and_then(|text| text["value"].as_str());
            text.unwrap_or_default().trim().to_owned()
        }
        _ => String::new(),
    }
}
