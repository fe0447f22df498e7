//! Back-off: how long to wait after a passing fault.

use comptoir_model::fault::{Fault, Next};
use std::time::Duration;

/// How patient the engine is. The defaults suit real systems; a demonstration on simulators is less patient.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The first wait, in milliseconds. Each further one doubles.
    pub first_ms: i64,
    /// The longest wait, in milliseconds.
    pub longest_ms: i64,
    /// How long a connection rests that only a person can put right, before it is tried again, in milliseconds.
    pub locked_ms: i64,
    /// Tries of one record while others pass, before it is held.
    pub tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            first_ms: 2_000,
            longest_ms: 300_000,
            locked_ms: 300_000,
            tries: 8,
        }
    }
}

impl Patience {
    /// The wait after the `tries`-th failure (from 1), with up to a quarter of jitter so that nothing comes back in step; never
    /// shorter than what the vendor asked for.
    pub fn wait_ms(&self, tries: u32, fault: &Fault) -> i64 {
        let doubled = self
            .first_ms
            .saturating_mul(1i64 << tries.saturating_sub(1).min(20))
            .min(self.longest_ms);
        let jitter = rand::random_range(0..=doubled.max(4) / 4);
        let asked = match fault.next {
            Next::Later { after: Some(after) } => {
                i64::try_from(after.as_millis()).unwrap_or(self.longest_ms)
            }
            _ => 0,
        };
        (doubled + jitter).max(asked)
    }
}

/// Tries of one read before its pass gives up.
const READS: u32 = 4;
/// A read is not waited for longer than this within a pass, in milliseconds; the connection pauses instead.
const SHORT_MS: i64 = 5_000;

/// Reads, and reads again after a passing fault: a read changes nothing, and a pass should not lose what it has learnt to one lost
/// answer.
///
/// # Errors
/// The last fault.
pub async fn read<T, F: Future<Output = Result<T, Fault>>>(
    patience: &Patience,
    once: impl Fn() -> F,
) -> Result<T, Fault> {
    let mut tries = 1;
    loop {
        let fault = match once().await {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        let wait = patience.wait_ms(tries, &fault);
        let passing = matches!(fault.next, Next::Later { .. } | Next::Unknown);
        if !passing || tries >= READS || wait > SHORT_MS {
            return Err(fault);
        }
        tries += 1;
        tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
    }
}

/// A duration as milliseconds that fit the store.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use comptoir_model::code::Code;

    #[test]
    fn waits_double_up_to_the_longest_and_respect_the_vendor() {
        let patience = Patience::default();
        let fault = Fault::later(Code::ServerError, "x");
        for (tries, low, high) in [
            (1, 2_000, 2_500),
            (3, 8_000, 10_000),
            (30, 300_000, 375_000),
        ] {
            let wait = patience.wait_ms(tries, &fault);
            assert!((low..=high).contains(&wait), "{tries}: {wait}");
        }
        let asked = fault.after(Duration::from_secs(900));
        assert_eq!(patience.wait_ms(1, &asked), 900_000);
    }
}
