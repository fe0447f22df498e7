//! Named points of the road at which a test may stop the engine for good, as a power cut would.

use std::fmt;
use std::sync::Arc;

/// A point between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// A page was read, and not stored yet.
    PageRead,
    /// A page, the work it makes due and the cursor are stored.
    PageStored,
    /// Answers to questions came back; nothing of it is stored yet.
    Asked,
    /// What was learnt and what is about to be written is stored; nothing was called yet.
    IntentsStored,
    /// The calls came back; nothing of it is stored yet.
    Called,
    /// What was learnt without anything to be written next is stored: what the calls did, and how turns ended.
    OutcomesStored,
}

impl Point {
    /// Every point, in the order of the road.
    pub const ALL: [Point; 6] = [
        Point::PageRead,
        Point::PageStored,
        Point::Asked,
        Point::IntentsStored,
        Point::Called,
        Point::OutcomesStored,
    ];
}

/// Says at which points to stop. Nowhere, outside of tests.
#[derive(Clone, Default)]
pub struct Breakpoints(Option<Arc<dyn Fn(Point) -> bool + Send + Sync>>);

impl Breakpoints {
    /// Stops where `stops` says so.
    pub fn at(stops: impl Fn(Point) -> bool + Send + Sync + 'static) -> Self {
        Breakpoints(Some(Arc::new(stops)))
    }

    /// Passes a point, or never comes back.
    pub async fn pass(&self, point: Point) {
        if self.0.as_ref().is_some_and(|stops| stops(point)) {
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for Breakpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "set" } else { "none" })
    }
}
