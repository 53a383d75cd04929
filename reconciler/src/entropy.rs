//! Chance: the one source of it in a process. Passwords come from it too, so it is the system's wherever it is not a test's.

use std::fmt;
use std::time::Duration;

use rand::Rng as _;

/// Where random bytes come from.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `bytes` with what nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Entropy {
    /// From 0 up to, and without, 1.
    pub fn fraction(&self) -> f64 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }

    /// A pause and up to a tenth of it more: what began together does not come back together.
    pub(crate) fn jittered(&self, pause: Duration) -> Duration {
        pause + pause.mul_f64(self.fraction() / 10.0)
    }
}

/// The generator of the `rand` crate for secrets, seeded by the kernel.
#[derive(Clone, Copy, Debug)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[allow(clippy::disallowed_methods, reason = "this is the one who asks")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_pause_grows_by_a_tenth_and_never_shrinks() {
        let pause = Duration::from_secs(100);
        let jittered = |byte| {
            let source: &dyn Entropy = &Fixed(byte);
            source.jittered(pause)
        };
        assert_eq!((jittered(0), jittered(0x80).as_secs()), (pause, 105));
        assert!(jittered(0xff) < pause.mul_f64(1.1));
    }
}
