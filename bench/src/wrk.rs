//! The load: `wrk` from Debian, on the same cores as the server.

use std::{collections::HashMap, process::Command, time::Duration};

use crate::Result;

/// What a run of the load showed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    /// Answers in a second.
    pub(crate) rate: f64,
    /// Milliseconds that half of the requests took at most.
    pub(crate) p50_ms: f64,
    /// Milliseconds that all but one in a hundred took at most.
    pub(crate) p99_ms: f64,
    /// Microseconds of the server's processor time for each request.
    pub(crate) cpu_us: f64,
    /// Answers other than 2xx.
    pub(crate) refused: u64,
}

impl Run {
    /// What went well, by the milliseconds it took, within some time and processor time.
    pub(crate) fn of(mut taken: Vec<f64>, lasted: Duration, cpu_seconds: f64) -> Self {
        taken.sort_by(f64::total_cmp);
        let at = |percent: usize| taken.get(taken.len() * percent / 100).copied();
        let count = f64::from(u32::try_from(taken.len()).unwrap_or(u32::MAX));
        Self {
            rate: count / lasted.as_secs_f64(),
            p50_ms: at(50).unwrap_or_default(),
            p99_ms: at(99).unwrap_or_default(),
            cpu_us: cpu_seconds * 1e6 / count.max(1.0),
            refused: 0,
        }
    }
}

/// One kind of request.
pub(crate) struct Load<'a> {
    pub(crate) url: String,
    pub(crate) script: Option<&'a str>,
    pub(crate) environment: HashMap<&'static str, String>,
    pub(crate) connections: u32,
    pub(crate) seconds: u32,
}

/// Runs a load against the process `pid`.
pub(crate) fn run(load: &Load<'_>, pid: u32) -> Result<Run> {
    let before = cpu_seconds(pid)?;
    let mut command = Command::new("wrk");
    command.args(["-t1", "--latency", "--timeout", "10s"]);
    command.arg(format!("-c{}", load.connections)).arg(format!("-d{}s", load.seconds));
    if let Some(script) = load.script {
        command.arg("-s").arg(format!("bench/wrk/{script}.lua"));
    }
    command.envs(&load.environment).arg(&load.url);
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let cpu = cpu_seconds(pid)? - before;
    let number = |label: &str| -> Option<f64> {
        let line = text.lines().find(|line| line.trim_start().starts_with(label))?;
        line.split_whitespace().find_map(|word| word.parse().ok())
    };
    let latency = |label: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(label));
        line.and_then(|line| milliseconds(line.split_whitespace().nth(1)?)).unwrap_or_default()
    };
    let requests = text
        .lines()
        .find(|line| line.contains("requests in"))
        .and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok())
        .ok_or_else(|| format!("wrk said: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    let refused = text
        .lines()
        .find(|line| line.contains("Non-2xx"))
        .and_then(|line| line.split_whitespace().last()?.parse().ok())
        .unwrap_or_default();
    Ok(Run {
        rate: number("Requests/sec:").unwrap_or_default(),
        p50_ms: latency("50%"),
        p99_ms: latency("99%"),
        cpu_us: cpu * 1e6 / requests.max(1.0),
        refused,
    })
}

/// The middle one of three runs, by rate.
pub(crate) fn middle(load: &Load<'_>, pid: u32) -> Result<Run> {
    let mut runs = [run(load, pid)?, run(load, pid)?, run(load, pid)?];
    runs.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    Ok(runs[1])
}

fn milliseconds(text: &str) -> Option<f64> {
    let (number, factor) = match text {
        _ if text.ends_with("us") => (text.strip_suffix("us")?, 0.001),
        _ if text.ends_with("ms") => (text.strip_suffix("ms")?, 1.0),
        _ => (text.strip_suffix('s')?, 1000.0),
    };
    Some(number.parse::<f64>().ok()? * factor)
}

/// Processor time that a process has used, in seconds.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    /// Linux counts in hundredths of a second.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
    Ok((ticks(11).unwrap_or_default() + ticks(12).unwrap_or_default()) / TICKS)
}

/// Resident memory of a process, in megabytes.
pub(crate) fn memory_mb(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap_or("0").parse()?;
    Ok(kilobytes / 1024.0)
}
