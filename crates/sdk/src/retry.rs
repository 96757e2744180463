//! When to ask again, and after how long.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use wire::Method;

/// The first wait, doubled with each further one.
const WAIT_MS_MIN: u64 = 100;
/// No wait is longer, whatever the server asks for.
const WAIT_MS_MAX: u64 = 30_000;

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing reached the server.
    Unsent,
    /// Whether the server did what was asked is unknown.
    Unknown,
    /// The server said that it did not do it.
    Status(u16),
}

/// What may be asked again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries {
    pub(crate) count: u32,
    /// Also requests that do something new each time.
    pub(crate) posts: bool,
}

impl Retries {
    /// The wait before the next attempt; none if this was the last.
    pub(crate) fn wait(
        self,
        method: Method,
        failure: Failure,
        retry_after: Option<u64>,
        attempt: u32,
    ) -> Option<Duration> {
        let may = match method {
            // Asked twice, they do what they do once.
            Method::GET | Method::PUT => {
                !matches!(failure, Failure::Status(status) if !is_passing(status))
            }
            // A second deletion finds nothing, so the first must not have happened.
            Method::DELETE => has_not_happened(failure),
            Method::POST | Method::PATCH => self.posts && has_not_happened(failure),
        };
        (may && attempt < self.count).then(|| pause(retry_after, attempt))
    }
}

fn is_passing(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

fn has_not_happened(failure: Failure) -> bool {
    matches!(failure, Failure::Unsent | Failure::Status(429 | 503))
}

/// At least as long as the server asks for; otherwise longer each time. Never the same for two
/// clients, so that those who were refused together do not come back together.
fn pause(retry_after: Option<u64>, attempt: u32) -> Duration {
    let backoff = WAIT_MS_MIN.saturating_mul(1 << attempt.min(10)).min(WAIT_MS_MAX);
    let jitter = random() % backoff.max(1);
    let wait = match retry_after {
        Some(seconds) => seconds.saturating_mul(1000).saturating_add(jitter / 2),
        None => backoff / 2 + jitter / 2,
    };
    Duration::from_millis(wait.min(WAIT_MS_MAX))
}

/// Good enough to spread waits; the standard library seeds it anew for each call.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use wire::Method;

    use super::{Failure, Retries};

    const TWICE: Retries = Retries { count: 2, posts: false };

    #[test]
    fn a_server_that_names_a_time_is_given_it_within_bounds() {
        let wait = |after| {
            let wait = TWICE.wait(Method::GET, Failure::Status(429), Some(after), 0);
            wait.expect("asked again").as_millis()
        };
        assert!((2000..2100).contains(&wait(2)));
        assert_eq!(wait(86_400), 30_000);
        assert_eq!(wait(u64::MAX), 30_000);
    }

    #[test]
    fn what_may_have_happened_is_not_done_twice() {
        let asks = |method, failure| TWICE.wait(method, failure, None, 0).is_some();
        for method in [Method::POST, Method::PATCH] {
            for failure in [Failure::Unsent, Failure::Unknown, Failure::Status(503)] {
                assert!(!asks(method, failure), "{method:?} {failure:?}");
            }
        }
        assert!(asks(Method::GET, Failure::Unknown) && asks(Method::PUT, Failure::Status(502)));
        assert!(!asks(Method::DELETE, Failure::Unknown));
        assert!(asks(Method::DELETE, Failure::Status(503)));
        assert!(!asks(Method::GET, Failure::Status(422)));
        let posts = Retries { count: 1, posts: true };
        assert!(posts.wait(Method::POST, Failure::Status(429), None, 0).is_some());
        assert!(posts.wait(Method::POST, Failure::Unknown, None, 0).is_none());
    }

    #[test]
    fn it_ends() {
        assert!(TWICE.wait(Method::GET, Failure::Unsent, None, 1).is_some());
        assert!(TWICE.wait(Method::GET, Failure::Unsent, None, 2).is_none());
    }
}
