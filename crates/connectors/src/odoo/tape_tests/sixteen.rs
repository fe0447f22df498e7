//! Odoo 16.0 on `/jsonrpc`.

use super::Is::*;
use super::{Code, Life, Next, Row};

const REFUSED: super::Is = Fault(Next::Refused, Code::Refused);
const UNKNOWN_FIELD: super::Is = Fault(Next::Refused, Code::UnknownField);
const NO_RIGHT: super::Is = Fault(Next::Refused, Code::MissingRight);
const NO_METHOD: super::Is = Fault(Next::Refused, Code::UnsupportedVersion);
const WRONG_KEY: super::Is = Fault(Next::Locked, Code::WrongKey);

pub(super) const ROWS: &[Row] = &[
    ("001-version", &[Version("16.0")]),
    ("002-version-info", &[Version("16.0")]),
    (
        "003-auth",
        &[
            Uid(2),
            WRONG_KEY,
            Fault(Next::Locked, Code::WrongDatabase),
            WRONG_KEY,
        ],
    ),
    ("004-whoami", &[User(2)]),
    ("005-companies", &[Companies(3, 0)]),
    (
        "006-fields-get-res-partner",
        &[Fields(super::wire::PARTNER, &["nope"])],
    ),
    (
        "007-fields-get-product-product",
        &[Fields(
            &["default_code", "detailed_type", "hs_code"],
            &["is_storable"],
        )],
    ),
    (
        "008-fields-get-product-template",
        &[Fields(&["detailed_type"], &["is_storable"])],
    ),
    (
        "009-fields-get-sale-order",
        &[Fields(super::wire::ORDER, &["locked"])],
    ),
    (
        "010-fields-get-sale-order-line",
        &[Fields(&["tax_id", "price_unit"], &["tax_ids"])],
    ),
    ("011-fields-get-stock-quant", &[Fields(&["quantity"], &[])]),
    (
        "012-fields-get-stock-picking",
        &[Fields(&["carrier_tracking_ref"], &[])],
    ),
    (
        "013-fields-get-stock-move",
        &[Fields(&["quantity_done"], &["picked"])],
    ),
    (
        "014-fields-get-stock-move-line",
        &[Fields(&["product_id"], &[])],
    ),
    (
        "015-fields-get-account-move",
        &[Fields(&["amount_total"], &[])],
    ),
    (
        "016-fields-get-account-move-line",
        &[Fields(&["price_unit"], &[])],
    ),
    (
        "017-fields-get-account-tax",
        &[Fields(&["price_include"], &["price_include_override"])],
    ),
    (
        "018-fields-get-delivery-carrier",
        &[Fields(&["fixed_price"], &[])],
    ),
    ("019-taxes", &[Choices(13)]),
    // XI is asked for and does not exist.
    ("020-countries", &[Codes(8)]),
    ("021-states", &[Codes(6)]),
    ("022-currencies", &[Choices(2)]),
    ("023-carriers", &[Choices(3)]),
    ("024-pricelists", &[Choices(2)]),
    ("025-warehouses", &[Choices(3)]),
    ("026-journals", &[Choices(2)]),
    ("027-decimal-precision", &[Decimals(2)]),
    ("028-load-create", &[Made(&[95, 96])]),
    ("029-load-update", &[Made(&[95, 96])]),
    ("030-load-bad-row", &[Bad(1, "country_id")]),
    ("031-load-bad-vat", &[Bad(0, "")]),
    ("032-load-unknown-column", &[UNKNOWN_FIELD]),
    ("033-external-ids", &[Keys(&[95, 96])]),
    ("034-load-serialization-failure", &[Busy]),
    ("035-load-products", &[Made(&[47, 48, 49])]),
    ("036-product-read", &[Products(2)]),
    ("037-product-duplicate-barcode", &[REFUSED]),
    ("038-quant-create", &[Created(47)]),
    ("039-quant-apply", &[Nothing]),
    ("040-order-create", &[Created(46)]),
    ("041-order-amounts", &[Order("042-order-lines")]),
    ("042-order-lines", &[Lines(3, "EUR")]),
    ("043-order-load", &[Made(&[47])]),
    ("044-order-tax-ids-unknown", &[UNKNOWN_FIELD]),
    ("045-order-confirm", &[Yes]),
    ("046-order-confirm-again", &[Yes]),
    ("047-order-after-confirm", &[State(46, Life::Open)]),
    ("048-picking-read", &[Transfers(&[(38, "assigned", &[])])]),
    ("049-picking-assign", &[Yes]),
    (
        "050-picking-moves",
        &[Moves(&[(124, "3", "0"), (125, "2", "0")])],
    ),
    ("051-free-qty", &[Available(&[(47, "34"), (48, "11")])]),
    ("052-quants", &[Stirred(&[(47, "50"), (48, "20")])]),
    ("053-picking-tracking", &[Yes]),
    (
        "054-picking-validate-wizard",
        &[Question("stock.immediate.transfer")],
    ),
    (
        "055-picking-not-done",
        &[Transfers(&[(38, "assigned", &[])])],
    ),
    ("056-picking-wizard-create", &[Created(3)]),
    (
        "057-picking-wizard-process-sms",
        &[Question("confirm.stock.sms")],
    ),
    (
        "058-picking-still-not-done",
        &[Transfers(&[(38, "assigned", &[])])],
    ),
    ("059-picking-validate-skip-sms", &[Yes]),
    (
        "060-picking-done",
        &[Transfers(&[(38, "done", &["6A12345678901"])])],
    ),
    ("061-picking-validate-quantities-set", &[Yes]),
    (
        "062-picking-validate-partial-backorder",
        &[Question("stock.backorder.confirmation")],
    ),
    ("063-order-cancel-wizard", &[Question("sale.order.cancel")]),
    ("064-order-cancel-state", &[State(49, Life::Open)]),
    ("065-order-cancel-no-warning", &[Yes]),
    ("066-order-cancelled", &[State(49, Life::Cancelled)]),
    ("067-invoice-private", &[NO_RIGHT]),
    ("068-invoice-wizard", &[Created(3)]),
    ("069-invoice-wizard-run", &[Window("")]),
    ("070-invoice-draft", &[Briefs(&[37])]),
    ("071-invoice-post", &[No]),
    ("072-invoice-post-again", &[REFUSED]),
    ("073-invoice-posted", &[Briefs(&[37])]),
    ("074-invoice-write-posted", &[REFUSED]),
    ("075-payment-wizard", &[Created(3)]),
    ("076-payment-create", &[Window("account.payment")]),
    ("077-invoice-paid", &[Briefs(&[37])]),
    ("078-credit-note-wizard", &[Created(3)]),
    ("079-credit-note-refund-moves-absent", &[NO_METHOD]),
    ("080-credit-note-create", &[Window("account.move")]),
    ("081-credit-note", &[Briefs(&[39])]),
    ("082-delta-partners", &[Customers(3)]),
    ("083-delta-iso-z", &[Count(59)]),
    (
        "084-errors",
        &[
            REFUSED,       // unknown model: a user error here
            NO_METHOD,     // unknown method
            UNKNOWN_FIELD, // unknown field in create
            UNKNOWN_FIELD, // unknown field in search_read
            REFUSED,       // missing required
            REFUSED,       // unknown many2one id
            Fault(Next::Gone, Code::RecordGone),
            Briefs(&[]),   // read of a missing id
            Customers(1),  // a language that is not installed changes nothing here
            REFUSED,       // bad VAT number
            UNKNOWN_FIELD, // bad selection
            REFUSED,       // unlink of a confirmed order
            REFUSED,       // create of two, the second bad
            Count(0),
            Fault(Next::Bug, Code::NotUnderstood), // bad JSON
            Fault(Next::Locked, Code::ExpiredKey),
        ],
    ),
    ("085-access-errors", &[NO_RIGHT, NO_RIGHT, NO_RIGHT]),
    (
        "086-report-pdf-without-session",
        &[Fault(Next::Locked, Code::Redirected)],
    ),
    ("087-session-auth-bad", &[WRONG_KEY]),
];
