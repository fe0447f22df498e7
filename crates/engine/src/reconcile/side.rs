//! Reading one side of a comparison, page by page and by ids.

use super::{Run, Stopped};
use crate::connection::Connection;
use crate::retry;
use comptoir_model::fault::Next;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Cursor, Record, Seen};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// How long a patient comparison waits before it looks again whether the hub still has work.
const GIVES_WAY: Duration = Duration::from_millis(500);
/// How often it gives way before one page: the hub may never be idle.
const WAITS: usize = 20;

impl Run<'_> {
    /// Where reading a side begins.
    pub(super) fn begin(&self, side: &Connection, kind: Kind) -> Cursor {
        let start = self.flow.start.filter(|_| kind != Kind::Stock);
        match self.scope.since.max(start) {
            Some(since) => side.connector.cursor_since(kind, since),
            None => Cursor::start(),
        }
    }

    /// One page of a side; items that cannot be read are held by the flow itself and are left out. When the reading began (unix ms)
    /// comes with it.
    pub(super) async fn page(
        &self,
        side: &Connection,
        kind: Kind,
        cursor: &Cursor,
    ) -> Result<(Vec<Record>, Option<Cursor>, i64), Stopped> {
        self.give_way(side).await?;
        let began = self.hub.store.now().await?;
        let read = || side.connector.changes(kind, cursor);
        let page = retry::read(&self.hub.patience, read)
            .await
            .map_err(Stopped::Fault)?;
        let records = page.items.into_iter().filter_map(Result::ok).collect();
        Ok((records, page.more.then_some(page.next), began))
    }

    /// Records of a side by their ids, as they are now; none where a record is gone. What cannot be read is left out.
    pub(super) async fn by_ids(
        &self,
        side: &Connection,
        kind: Kind,
        ids: BTreeSet<RemoteId>,
    ) -> Result<HashMap<RemoteId, Option<Record>>, Stopped> {
        let ids: Vec<RemoteId> = ids.into_iter().collect();
        let reads = side.connector.capabilities().reads(kind);
        let mut found = HashMap::new();
        for chunk in ids.chunks(reads.map_or(100, |reads| reads.ids.max(1))) {
            self.give_way(side).await?;
            let read = || side.connector.read(kind, chunk);
            let seen = retry::read(&self.hub.patience, read).await;
            for seen in seen.map_err(Stopped::Fault)? {
                match seen {
                    Seen::Record(record) => drop(found.insert(record.id.clone(), Some(*record))),
                    Seen::Gone(id) => drop(found.insert(id, None)),
                    Seen::Unreadable(item) => {
                        if let (Some(id), Next::Gone) = (item.id, item.fault.next) {
                            found.insert(id, None);
                        }
                    }
                }
            }
        }
        Ok(found)
    }

    /// Waits while the account asks for rest; a patient comparison also while documents are due for either side.
    async fn give_way(&self, side: &Connection) -> Result<(), Stopped> {
        if let Some(rest) = side.connector.rests() {
            tokio::time::sleep(rest).await;
        }
        if !self.scope.patient {
            return Ok(());
        }
        for _ in 0..WAITS {
            let store = &self.hub.store;
            let now = store.now().await?;
            let mut due = 0;
            for connection in [&self.source.name, &self.target.name] {
                due += store.due_count(connection, Kind::Order, now).await?;
                due += store.due_count(connection, Kind::Shipment, now).await?;
            }
            if due == 0 {
                break;
            }
            tokio::time::sleep(GIVES_WAY).await;
        }
        Ok(())
    }
}
