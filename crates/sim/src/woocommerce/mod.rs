//! A simulator of a WooCommerce shop (REST v3), never the real thing.
//!
//! Reproduced as measured on live 11.0.1 and 8.5.2 (see the tapes beside the connector):
//! - keys: Basic and query keys only where the shop sees HTTPS, silently ignored otherwise; OAuth 1.0a with nonce and clock
//!   window; the 401s that must be told apart by their message; a read-only key;
//! - errors: codes, texts and `data` of the recorded answers, a refund over the rest as **500 with `data` a number**, 413 over
//!   100 batch items, batches always 200 with an error per item, a duplicate SKU naming its product;
//! - lists: `page`/`per_page` (101 is 400), `X-WP-Total`, `Link`; `modified_after` exclusive, to the second, site-local unless
//!   `dates_are_gmt`, converted twice with both `Z` and the flag; trashed orders only with `status=trash` or by id; `search` finds
//!   e-mails but neither metadata nor order keys; customers ignore `modified_after`;
//! - `date_modified` moves with metadata (even the same value), status, refunds and the trash, not with notes; a sale or a write
//!   moves the product's, and for a variation its product's too;
//! - stock: taken when an order is paid or worked on, given back when it is cancelled, waits for payment again or is refunded by lines;
//!   a quantity written to what is not counted is not kept; a variation is not written under `products`;
//! - batches validate nothing: an unknown status makes the order `pending`, a quantity that is text is 0;
//! - notes are cleaned like comments; `type` picks those to the buyer;
//! - money: decimals follow the shop at reading time unless `dp` asks, line `price` is a number, coupon amounts are bare
//!   ("0.9"), fractional quantities refused on POST; a deleted product is product 0 and SKU null;
//! - a created refund's `Location` holds a literal regular expression; JSON is escaped as PHP does;
//! - webhooks: see [`crate::hooks`].
//!
//! Not reproduced: parallel refunds that exceed the order (this shop works one request at a time), response times, plug-ins'
//! own REST fields except bundles and gift cards, variations that are counted with their product.

pub(crate) mod answer;
pub(crate) mod auth;
mod batch;
pub(crate) mod customers;
mod hands;
mod intake;
mod listing;
pub(crate) mod order;
pub(crate) mod product;
mod products;
mod query;
mod refunds;
pub(crate) mod render;
mod routes;
pub(crate) mod sales;
mod settings;
mod shop;
pub(crate) mod state;
mod tariffs;
pub(crate) mod webhook;

pub(crate) use intake::set_quantity;
pub use order::Deed;
pub use shop::{Shop, ShopOptions, ShopOrder, error_body};
