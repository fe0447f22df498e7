//! A simulator of a PrestaShop shop (webservice, 8.2), never the real thing. Small: it knows what reading orders and writing states and tracking
//! numbers back needs.
//!
//! Reproduced as measured on live 8.2.1 (see the tapes beside the connector):
//! - the key as Basic user: plain `401 Unauthorized` without one, codes 20 and 21 for an unknown one, 26 and 25 for a missing right, 22 when
//!   the webservice is off;
//! - lists: `{"orders":[…]}` and `[]` for none, ids as numbers and all else as text, `display`, `filter` with `[a|b]` and `>[x]`, `>=[x]`
//!   silently ignored, dates only with `date=1`, `sort`, `limit=offset,count`; unknown filters and fields as **500** (codes 32, 35) with
//!   warnings of PHP behind them;
//! - a single record as JSON without its zeros; the root as JSON an empty 500;
//! - times of the shop's own clock, to the second, without an offset: an hour of autumn comes twice;
//! - states are appended (the same twice too) and move the order's time of change; credit slips and tracking numbers do not;
//! - an unknown state as an empty 500; a mail that fails as 500 although the state was written;
//! - PATCH with the id in the body (code 90 without), unknown to shops before 8.
//!
//! Not reproduced: carts and the making of orders by the API, stock, prices, several shops, the other fifty resources.

mod answer;
mod goods;
mod hands;
mod list;
mod root;
mod rows;
mod sale;
mod shop;
mod stock;
mod write;

pub use answer::error_body;
pub use goods::Goods;
pub use sale::{Line, Sale};
pub use shop::{Shop, ShopOptions, Trouble};
