//! The mock process: one fast thread that is shop and ERP, with latency, faults and counters on demand. It is no simulator of either: it
//! knows the calls of the two contenders and nothing else.

use crate::call::Call;
use crate::orders::Dice;
use crate::wire::{self, Reply, Service};
use crate::{erp, shelf, shop};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::rc::Rc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;

/// What the driver sets, whole at each time.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Knobs {
    /// Orders that the shop has.
    pub published: u64,
    /// When the first of them was last changed (unix seconds).
    pub since: i64,
    /// How many were changed in each second from then on.
    pub per_second: u64,
    /// How long the ERP takes for a call, in microseconds.
    pub call_us: u64,
    /// How long it takes for each row of an order on top, in microseconds.
    pub row_us: u64,
    /// Percent of calls for each sort of fault: refused before it is done, 502 after, reset before, reset after.
    pub faults: u64,
    /// How long it takes for a thousand rows of stock that it brings, in microseconds: one call after the other, as one worker would.
    pub thousand_us: u64,
    /// Items of flow C that both sides have.
    pub items: u64,
    /// How often one in a hundred of them was changed in the ERP.
    pub generation: u64,
    /// When the last of these changes was, by the ERP's dates (unix seconds).
    pub changed_at: i64,
}

/// What the driver reads.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Orders in the ERP.
    pub orders: u64,
    /// Partners in the ERP.
    pub partners: u64,
    /// Calls of the shop, by name.
    pub shop: BTreeMap<String, u64>,
    /// Calls of the ERP, by name.
    pub erp: BTreeMap<String, u64>,
    /// Faults injected.
    pub faults: u64,
    /// What happened to stock.
    pub moved: shelf::Moved,
}

/// An order as the ERP has it, for the comparison of both sides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Booked {
    /// The shop's number.
    pub reference: String,
    /// When it was made (unix microseconds).
    pub at: u64,
    /// Total in cents.
    pub total: i64,
    /// E-mail of its partner.
    pub email: String,
}

/// Everything the ERP has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Books {
    /// Orders.
    pub orders: Vec<Booked>,
    /// E-mails of the partners, one each.
    pub emails: Vec<String>,
}

/// Microseconds since 1970, the clock that all processes share.
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}

struct Mock {
    knobs: RefCell<Knobs>,
    counts: RefCell<Counts>,
    erp: RefCell<erp::Erp>,
    shelf: RefCell<shelf::Shelf>,
    /// The ERP's one worker, where rows take their time.
    worker: tokio::sync::Mutex<()>,
    dice: RefCell<Dice>,
}

/// What happens to a call beside being answered.
#[derive(Clone, Copy, PartialEq)]
enum Accident {
    None,
    RefusedBefore,
    BadGatewayAfter,
    ResetBefore,
    ResetAfter,
}

impl Mock {
    fn accident(&self) -> Accident {
        let percent = self.knobs.borrow().faults;
        if percent == 0 {
            return Accident::None;
        }
        let at = self.dice.borrow_mut().below(100) / percent;
        let accident = match at {
            0 => Accident::RefusedBefore,
            1 => Accident::BadGatewayAfter,
            2 => Accident::ResetBefore,
            3 => Accident::ResetAfter,
            _ => return Accident::None,
        };
        self.counts.borrow_mut().faults += 1;
        accident
    }

    fn control(&self, what: &str, body: &[u8]) -> Result<Vec<u8>> {
        match what {
            "knobs" => {
                *self.knobs.borrow_mut() = serde_json::from_slice(body)?;
                Ok(b"{}".to_vec())
            }
            "books" => Ok(serde_json::to_vec(&self.erp.borrow().books())?),
            "shelf" => {
                let compared = self.shelf.borrow().compared(&self.knobs.borrow());
                Ok(serde_json::to_vec(&compared)?)
            }
            "forget" => {
                let mut counts = self.counts.borrow_mut();
                counts.shop.clear();
                counts.erp.clear();
                self.shelf.borrow_mut().forget();
                Ok(b"{}".to_vec())
            }
            _ => {
                let mut counts = self.counts.borrow().clone();
                (counts.orders, counts.partners) = self.erp.borrow().sizes();
                counts.moved = self.shelf.borrow().moved();
                Ok(serde_json::to_vec(&counts)?)
            }
        }
    }

    /// Waits as the real system would, then does it and answers, unless an accident comes between.
    async fn work(&self, method: &str, target: &str, body: &[u8]) -> Reply {
        let accident = self.accident();
        let gateway = |status: u16| Reply::Answer(status, String::new(), b"<html>".to_vec());
        match accident {
            Accident::RefusedBefore => return gateway(503),
            Accident::ResetBefore => return Reply::Reset,
            _ => {}
        }
        let is_shop = target.starts_with("/wp-json");
        let done = if is_shop {
            let (name, reply) = self.shop_call(method, target, body);
            count(&mut self.counts.borrow_mut().shop, &name);
            reply
        } else {
            self.erp_call(target, body).await
        };
        match accident {
            Accident::BadGatewayAfter => gateway(502),
            Accident::ResetAfter => Reply::Reset,
            _ => done,
        }
    }

    fn shop_call(&self, method: &str, target: &str, body: &[u8]) -> (String, Reply) {
        let knobs = self.knobs.borrow();
        let mut shelf = self.shelf.borrow_mut();
        match shelf.shop(&knobs, method, target, body) {
            Ok(Some(answer)) => answer,
            Ok(None) => shop::answer(&knobs, method, target),
            Err(error) => {
                let text = format!("{target}: {error:#}");
                let _ = writeln!(std::io::stderr(), "the mock cannot answer: {text}");
                (
                    target.to_owned(),
                    Reply::Answer(400, String::new(), text.into_bytes()),
                )
            }
        }
    }

    async fn erp_call(&self, target: &str, body: &[u8]) -> Reply {
        let call = match Call::parse(target, body) {
            Ok(call) => call,
            Err(error) => {
                let text = format!("{target}: {error:#}: {}", String::from_utf8_lossy(body));
                let _ = writeln!(
                    std::io::stderr(),
                    "the mock does not know this call: {text}"
                );
                return Reply::Answer(400, String::new(), text.into_bytes());
            }
        };
        let knobs = *self.knobs.borrow();
        let wait = knobs.call_us + knobs.row_us * call.order_rows();
        if wait > 0 {
            tokio::time::sleep(Duration::from_micros(wait)).await;
        }
        count(&mut self.counts.borrow_mut().erp, &call.name());
        let worker = match knobs.thousand_us {
            0 => None,
            _ => Some(self.worker.lock().await),
        };
        let answer = {
            let mut shelf = self.shelf.borrow_mut();
            self.erp.borrow_mut().answer(&knobs, &mut shelf, &call)
        };
        if worker.is_some() {
            let rows = self.shelf.borrow_mut().take_rows();
            tokio::time::sleep(Duration::from_micros(knobs.thousand_us * rows / 1_000)).await;
        }
        match answer {
            Ok(body) => Reply::json(body),
            Err(error) => {
                let text = format!("{}: {error:#}", call.name());
                let _ = writeln!(std::io::stderr(), "the mock cannot answer: {text}");
                Reply::Answer(400, String::new(), text.into_bytes())
            }
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

impl Service for Mock {
    async fn answer(&self, method: &str, target: &str, body: &[u8]) -> Reply {
        match target.strip_prefix("/_bench/") {
            Some(what) => match self.control(what, body) {
                Ok(body) => Reply::json(body),
                Err(error) => Reply::Answer(400, String::new(), error.to_string().into_bytes()),
            },
            None => self.work(method, target, body).await,
        }
    }
}

/// Runs the process: says its address on stdout, then serves until it is ended.
pub fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mock = Rc::new(Mock {
        knobs: RefCell::default(),
        counts: RefCell::default(),
        erp: RefCell::default(),
        shelf: RefCell::default(),
        worker: tokio::sync::Mutex::default(),
        dice: RefCell::new(Dice::new(20_261_122)),
    });
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
        wire::serve(listener, mock).await
    })
}
