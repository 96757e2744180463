//! How often one may ask, counted per node in windows of fixed length.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{Rate, Result};
use wire::{Timestamp, refusal};

/// Windows remembered at once; beyond it those that ended go, or all.
const WINDOWS_MAX: usize = 100_000;

/// Requests counted so far.
#[derive(Default)]
pub(crate) struct RateLimiter(Mutex<HashMap<String, Window>>);

struct Window {
    began: i64,
    length: i64,
    count: u32,
}

impl RateLimiter {
    /// Counts one request of `who`; refuses it if there were too many.
    pub(crate) fn count(&self, who: String, rate: &Rate, now: Timestamp) -> Result<()> {
        if rate.requests == 0 {
            return Ok(());
        }
        let length = i64::from(rate.seconds.max(1)) * 1000;
        let began = now.0 - now.0.rem_euclid(length);
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= WINDOWS_MAX {
            windows.retain(|_, window| window.began + window.length > now.0);
            if windows.len() >= WINDOWS_MAX {
                // Too many to be told apart: all begin anew.
                windows.clear();
            }
        }
        let window = windows.entry(who).or_insert(Window { began, length, count: 0 });
        if (window.began, window.length) != (began, length) {
            *window = Window { began, length, count: 0 };
        }
        window.count = window.count.saturating_add(1);
        if window.count <= rate.requests {
            return Ok(());
        }
        let seconds = (began + length - now.0).max(0).unsigned_abs().div_ceil(1000).max(1);
        Err(refusal::too_many_requests().retry_after(seconds).into())
    }
}

#[cfg(test)]
mod tests {
    use domain::{Error, Rate};
    use wire::Timestamp;

    use super::RateLimiter;

    #[test]
    fn one_request_too_many_waits_for_the_next_window() {
        let limiter = RateLimiter::default();
        let rate = Rate { requests: 2, seconds: 10 };
        let ask = |now| limiter.count("one".to_owned(), &rate, Timestamp(now));

        assert!(ask(20_000).is_ok() && ask(20_500).is_ok());
        let refused = ask(21_500).expect_err("too many");

        assert!(matches!(refused, Error::Refused(refusal) if refusal.retry_after == Some(9)));
        assert!(limiter.count("two".to_owned(), &rate, Timestamp(21_500)).is_ok());
        assert!(ask(30_000).is_ok());
    }

    #[test]
    fn a_rate_of_nothing_is_no_limit() {
        let limiter = RateLimiter::default();
        let rate = Rate { requests: 0, seconds: 10 };
        assert!(limiter.count("one".to_owned(), &rate, Timestamp(20_000)).is_ok());
    }
}
