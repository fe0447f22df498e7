//! Odoo 19.0 on `/jsonrpc`.

use super::Is::*;
use super::{Code, Life, Next, Row};

const REFUSED: super::Is = Fault(Next::Refused, Code::Refused);
const UNKNOWN_FIELD: super::Is = Fault(Next::Refused, Code::UnknownField);
const NO_RIGHT: super::Is = Fault(Next::Refused, Code::MissingRight);
const NO_METHOD: super::Is = Fault(Next::Refused, Code::UnsupportedVersion);
const WRONG_KEY: super::Is = Fault(Next::Locked, Code::WrongKey);

pub(super) const ROWS: &[Row] = &[
    ("001-version", &[Version("19.0")]),
    ("002-version-info", &[Version("19.0")]),
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
    ("005-companies", &[Companies(4, 4)]),
    (
        "006-fields-get-sale-order-line",
        &[Fields(&["tax_ids", "price_unit"], &["tax_id"])],
    ),
    ("007-load-create", &[Made(&[2624, 2625])]),
    ("008-load-update", &[Made(&[2624, 2625])]),
    ("009-load-bad-row", &[Bad(1, "country_id")]),
    ("010-load-bad-vat", &[Bad(0, "")]),
    ("011-load-unknown-column", &[UNKNOWN_FIELD]),
    ("012-external-ids", &[Keys(&[2624, 2625])]),
    ("013-load-serialization-failure", &[Busy]),
    ("014-load-products", &[Made(&[61, 62, 63])]),
    ("015-product-read", &[Products(2)]),
    ("016-product-duplicate-barcode", &[REFUSED]),
    ("017-quant-create", &[Created(42)]),
    ("018-quant-apply", &[Nothing]),
    ("019-order-create", &[Created(515)]),
    ("020-order-amounts", &[Order("021-order-lines")]),
    ("021-order-lines", &[Lines(3, "USD")]),
    ("022-order-confirm", &[Yes]),
    ("023-order-confirm-again", &[REFUSED]),
    ("024-order-after-confirm", &[State(515, Life::Open)]),
    ("025-invoice-private", &[NO_RIGHT]),
    ("026-invoice-wizard", &[Created(5)]),
    ("027-invoice-wizard-run", &[Window("account.move")]),
    ("028-invoice-draft", &[Briefs(&[96])]),
    ("029-invoice-post", &[No]),
    ("030-invoice-post-again", &[REFUSED]),
    ("031-invoice-posted", &[Briefs(&[96])]),
    (
        "032-errors",
        &[
            REFUSED,       // unknown model: a user error on this face
            NO_METHOD,     // unknown method
            UNKNOWN_FIELD, // unknown field in create
            UNKNOWN_FIELD, // unknown field in search_read
            REFUSED,       // missing required
            REFUSED,       // unknown many2one id
            Fault(Next::Gone, Code::RecordGone),
            Briefs(&[]),   // read of a missing id
            REFUSED,       // a language that is not installed
            REFUSED,       // bad VAT number
            UNKNOWN_FIELD, // bad selection
            REFUSED,       // unlink of a confirmed order
            REFUSED,       // create of two, the second bad
            Count(0),
            Fault(Next::Bug, Code::NotUnderstood), // bad JSON
            Fault(Next::Locked, Code::ExpiredKey),
        ],
    ),
    ("033-access-errors", &[NO_RIGHT, NO_RIGHT, NO_RIGHT]),
    (
        "034-report-pdf-without-session",
        &[Fault(Next::Locked, Code::Redirected)],
    ),
    ("035-session-auth-bad", &[WRONG_KEY]),
];
