//! Odoo 19.0 on `/json/2`.

use super::Is::*;
use super::{Code, Life, Next, Row};

const REFUSED: super::Is = Fault(Next::Refused, Code::Refused);
const UNKNOWN_FIELD: super::Is = Fault(Next::Refused, Code::UnknownField);
const NO_RIGHT: super::Is = Fault(Next::Refused, Code::MissingRight);
const NO_METHOD: super::Is = Fault(Next::Refused, Code::UnsupportedVersion);
const WRONG_KEY: super::Is = Fault(Next::Locked, Code::WrongKey);
const OUR_FAULT: super::Is = Fault(Next::Bug, Code::NotUnderstood);

pub(super) const ROWS: &[Row] = &[
    ("001-version", &[Version("19.0")]),
    ("002-json-version", &[Version("19.0")]),
    (
        "003-auth",
        &[
            Count(2562),
            WRONG_KEY,
            WRONG_KEY,
            Fault(Next::Locked, Code::WrongDatabase),
        ],
    ),
    ("004-whoami", &[User(2)]),
    ("005-companies", &[Companies(4, 4)]),
    (
        "006-fields-get-res-partner",
        &[Fields(super::wire::PARTNER, &["mobile"])],
    ),
    (
        "007-fields-get-product-product",
        &[Fields(super::wire::PRODUCT, &["detailed_type"])],
    ),
    (
        "008-fields-get-product-template",
        &[Fields(&["is_storable"], &["detailed_type"])],
    ),
    (
        "009-fields-get-sale-order",
        &[Fields(super::wire::ORDER, &["nope"])],
    ),
    (
        "010-fields-get-sale-order-line",
        &[Fields(super::wire::ORDER_LINE, &["tax_id"])],
    ),
    ("011-fields-get-stock-quant", &[Fields(&["quantity"], &[])]),
    (
        "012-fields-get-stock-picking",
        &[Fields(&["carrier_tracking_ref"], &[])],
    ),
    (
        "013-fields-get-stock-move",
        &[Fields(&["picked", "quantity"], &["quantity_done"])],
    ),
    (
        "014-fields-get-account-move",
        &[Fields(&["amount_total"], &[])],
    ),
    (
        "015-fields-get-account-move-line",
        &[Fields(&["price_unit"], &[])],
    ),
    (
        "016-fields-get-account-tax",
        &[Fields(&["price_include", "price_include_override"], &[])],
    ),
    (
        "017-fields-get-delivery-carrier",
        &[Fields(&["fixed_price"], &[])],
    ),
    ("018-taxes", &[Choices(7)]),
    // 19 knows Northern Ireland, 16 does not.
    ("019-countries", &[Codes(9)]),
    ("020-states", &[Codes(7)]),
    ("021-currencies", &[Choices(2)]),
    ("022-carriers", &[Choices(3)]),
    ("023-pricelists", &[Choices(0)]),
    ("024-warehouses", &[Choices(2)]),
    ("025-journals", &[Choices(2)]),
    ("026-decimal-precision", &[Decimals(2)]),
    ("027-load-create", &[Made(&[2607, 2608])]),
    ("028-load-update", &[Made(&[2607, 2608])]),
    ("029-load-bad-row", &[Bad(1, "country_id")]),
    ("030-load-bad-vat", &[Bad(0, "")]),
    ("031-load-unknown-column", &[UNKNOWN_FIELD]),
    ("032-load-duplicate-in-call", &[Made(&[2615, 2615])]),
    ("033-external-ids", &[Keys(&[2607, 2608])]),
    ("034-load-serialization-failure", &[Busy]),
    ("035-load-products", &[Made(&[61, 62, 63])]),
    ("036-product-read", &[Products(2)]),
    ("037-product-duplicate-barcode", &[REFUSED]),
    ("038-quant-create", &[Created(42)]),
    ("039-quant-apply", &[Nothing]),
    ("040-order-create", &[Created(507)]),
    ("041-order-amounts", &[Order("042-order-lines")]),
    ("042-order-lines", &[Lines(3, "USD")]),
    ("043-order-load", &[Made(&[508])]),
    ("044-order-duplicate-client-ref", &[Created(509)]),
    ("045-order-total-ignored", &[Created(510)]),
    ("046-order-confirm", &[Yes]),
    ("047-order-confirm-again", &[REFUSED]),
    ("048-order-after-confirm", &[State(507, Life::Open)]),
    (
        "049-free-qty-after-reserve",
        &[Available(&[(61, "34"), (62, "11")])],
    ),
    ("050-quants", &[Stirred(&[(61, "50"), (62, "20")])]),
    ("051-picking-read", &[Transfers(&[(145, "assigned", &[])])]),
    (
        "052-picking-moves",
        &[Moves(&[(1499, "3", "3"), (1500, "2", "2")])],
    ),
    ("053-picking-tracking", &[Yes]),
    (
        "054-picking-validate-sms-wizard",
        &[Question("confirm.stock.sms")],
    ),
    (
        "055-picking-not-done",
        &[Transfers(&[(145, "assigned", &[])])],
    ),
    ("056-picking-validate-skip-sms", &[Yes]),
    (
        "057-picking-done",
        &[Transfers(&[(145, "done", &["6A12345678901"])])],
    ),
    ("058-picking-validate-again", &[Yes]),
    (
        "059-picking-validate-partial-backorder",
        &[Question("stock.backorder.confirmation")],
    ),
    ("060-picking-validate-partial-no-wizard", &[Yes]),
    (
        "061-pickings-with-backorder",
        &[Transfers(&[(146, "done", &[]), (147, "assigned", &[])])],
    ),
    ("062-invoice-private", &[NO_RIGHT]),
    ("063-invoice-wizard", &[Created(4)]),
    ("064-invoice-wizard-run", &[Window("account.move")]),
    ("065-invoice-draft", &[Briefs(&[93])]),
    ("066-invoice-wizard-again", &[REFUSED]),
    ("067-invoice-post", &[No]),
    ("068-invoice-post-again", &[REFUSED]),
    ("069-invoice-posted", &[Briefs(&[93])]),
    (
        "070-invoice-lines",
        &[Briefs(&[230, 231, 232, 233, 234, 235])],
    ),
    ("071-invoice-write-posted", &[REFUSED]),
    ("072-payment-wizard", &[Created(3)]),
    ("073-payment-create", &[Window("account.payment")]),
    ("074-invoice-paid", &[Briefs(&[93])]),
    ("075-credit-note-wizard", &[Created(3)]),
    ("076-credit-note-create", &[Window("account.move")]),
    ("077-credit-note-draft", &[Briefs(&[95])]),
    ("078-delta-partners", &[Customers(3)]),
    ("079-delta-page-2", &[Customers(3)]),
    (
        "080-delta-quant",
        &[Stirred(&[
            (61, "-50"),
            (62, "-20"),
            (62, "2"),
            (62, "18"),
            (61, "46"),
            (61, "4"),
        ])],
    ),
    ("081-delta-iso-z-refused", &[UNKNOWN_FIELD]),
    ("082-order-cancel", &[Yes]),
    ("083-order-cancelled", &[State(512, Life::Cancelled)]),
    ("084-order-unlink-confirmed", &[REFUSED]),
    (
        "085-errors",
        &[
            NO_METHOD,     // unknown model
            NO_METHOD,     // unknown method
            NO_RIGHT,      // private method
            UNKNOWN_FIELD, // unknown field in create, with status 500
            OUR_FAULT,     // missing argument
            REFUSED,       // missing required name
            REFUSED,       // unknown many2one id
            Fault(Next::Gone, Code::RecordGone),
            Briefs(&[]),   // read of a missing id
            Yes,           // write without ids: yes, and nothing is written
            OUR_FAULT,     // wrong content type
            REFUSED,       // a language that is not installed
            REFUSED,       // bad VAT number
            UNKNOWN_FIELD, // bad selection
            UNKNOWN_FIELD, // text in a float
            UNKNOWN_FIELD, // unknown operator
            OUR_FAULT,     // bad JSON
            NO_METHOD,     // GET instead of POST
        ],
    ),
    ("086-pricelist-create", &[Created(1)]),
    ("087-order-create-eur", &[Created(517)]),
    ("088-order-amounts-eur", &[InCurrency(517, "EUR")]),
    ("089-order-currency-write", &[Yes]),
    ("090-order-currency-read", &[InCurrency(517, "USD")]),
    ("091-write-without-ids", &[Yes, Count(0)]),
    ("092-action-without-ids", &[Yes]),
];
