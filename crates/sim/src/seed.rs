//! The random numbers of a simulation.
//!
//! Why own: a seed printed by a failing test must mean the same orders and the same faults after every update of a
//! library, and `rand` does not promise that for its standard generators. This is SplitMix64.

/// A stream of numbers that depends on nothing but its seed.
#[derive(Debug, Clone)]
pub struct Seed(u64);

impl Seed {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Seed(seed)
    }

    /// A stream of its own for one thing (an order, a request) of the same seed.
    pub fn of(seed: u64, thing: u64) -> Self {
        let mut stream = Seed(seed ^ thing.wrapping_mul(0xA24B_AED4_963E_E407));
        stream.bits();
        stream
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            return 0;
        }
        // The bias of a remainder of 64 bits is far below anything a simulation could notice.
        (self.bits() % end as u64) as usize
    }

    /// A number from `from` to `to`, both included.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = to.saturating_sub(from).max(0) as usize;
        from + self.below(span + 1) as i64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        let fraction = (self.bits() >> 11) as f64 / (1u64 << 53) as f64;
        fraction < probability
    }

    /// One of several; none of nothing.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }

    /// The index of one of several weights.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u32 = weights.iter().sum();
        let mut left = self.below(total as usize) as u32;
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// Another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let other = self.below(last + 1);
            things.swap(last, other);
        }
    }

    /// Letters and digits, as long as asked.
    pub fn word(&mut self, length: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
        (0..length)
            .map(|_| char::from(ALPHABET[self.below(ALPHABET.len())]))
            .collect()
    }

    /// Lower-case hexadecimal digits, as long as asked.
    pub fn hex(&mut self, length: usize) -> String {
        const DIGITS: &[u8] = b"0123456789abcdef";
        (0..length)
            .map(|_| char::from(DIGITS[self.below(DIGITS.len())]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_the_same_numbers_for_ever() {
        // The published first outputs of SplitMix64 for seed 0.
        let mut stream = Seed::new(0);
        assert_eq!(stream.bits(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(stream.bits(), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn chances_come_about_as_often_as_they_say() {
        let mut stream = Seed::new(7);
        let hits = (0..10_000).filter(|_| stream.chance(0.2)).count();
        assert!((1_800..2_200).contains(&hits), "{hits}");
    }
}
