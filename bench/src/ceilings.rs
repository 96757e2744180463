//! What the machine can do at all.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair},
};
use axum::{Router, http::header, routing::get};

use crate::Result;

/// Bytes that a session token signs.
const SIGNED_BYTES: usize = 700;
const SECONDS: f64 = 2.0;

/// The least that an HTTP server here can do.
pub(crate) async fn hello(address: &str) -> Result<()> {
    let json = [(header::CONTENT_TYPE, "application/json")];
    let router = Router::new().fallback(get(async move || (json, r#"{"hello":"world"}"#)));
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, router).await?)
}

/// RSA-2048 operations in a second of processor time.
#[derive(Clone, Copy)]
pub(crate) struct Rsa {
    pub(crate) signs: f64,
    pub(crate) verifies: f64,
}

impl Rsa {
    /// The mean of what was measured before something and what was measured after it: what else
    /// happens on the host changes it by a tenth within a minute.
    pub(crate) fn and(self, later: Self) -> Self {
        let signs = f64::midpoint(self.signs, later.signs);
        Self { signs, verifies: f64::midpoint(self.verifies, later.verifies) }
    }
}

/// What is reached while all cores are at it: a server under load has no core to itself either.
pub(crate) fn rsa() -> Result<Rsa> {
    let rates = on_all_cores(one_core)?;
    let mean = |pick: fn(&(f64, f64)) -> f64| mean(rates.iter().map(pick));
    Ok(Rsa { signs: mean(|rates| rates.0), verifies: mean(|rates| rates.1) })
}

/// Passwords hashed in a second of processor time, as all of ours are.
pub(crate) fn hashes(password: &str) -> Result<f64> {
    let rates = on_all_cores(|| {
        let mut memory = passwords::Memory::new();
        per_second(|| passwords::hash(password.as_bytes(), [7; 16], &mut memory).is_ok())
    })?;
    Ok(mean(rates.into_iter()))
}

fn mean(rates: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = f64::from(u32::try_from(rates.len()).unwrap_or(u32::MAX));
    rates.sum::<f64>() / count
}

fn on_all_cores<T: Send>(one_core: impl Fn() -> Result<T> + Sync) -> Result<Vec<T>> {
    let cores = std::thread::available_parallelism().map_or(2, Into::into);
    Ok(std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|_| scope.spawn(|| one_core().map_err(|error| error.to_string())))
            .collect();
        let rates = threads.into_iter().map(|thread| thread.join().map_err(|_| "panicked")?);
        rates.collect::<std::result::Result<_, String>>()
    })?)
}

fn one_core() -> Result<(f64, f64)> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| "no key")?;
    let message = vec![b'x'; SIGNED_BYTES];
    let random = SystemRandom::new();
    let mut signature = vec![0; key.public_modulus_len()];
    let signs =
        per_second(|| key.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature).is_ok())?;
    let public = key.public_key().as_ref();
    let parsed = aws_lc_rs::signature::ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
        .map_err(|_| "no public key")?;
    let verifies = per_second(|| parsed.verify_sig(&message, &signature).is_ok())?;
    Ok((signs, verifies))
}

/// How often `work` is done in a second of this thread's processor time.
pub(crate) fn per_second(mut work: impl FnMut() -> bool) -> Result<f64> {
    let (began, mut done) = (thread_seconds()?, 0_u32);
    loop {
        for _ in 0..50 {
            assert!(work(), "what is measured works");
            done += 1;
        }
        let spent = thread_seconds()? - began;
        if spent > SECONDS {
            return Ok(f64::from(done) / spent);
        }
    }
}

/// Processor time of this thread: what else runs on the machine does not count.
fn thread_seconds() -> Result<f64> {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = schedstat.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e9)
}
