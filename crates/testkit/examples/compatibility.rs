//! Writes `COMPATIBILITY.md` anew; with `--check`, only says whether it is stale.

use std::{path::Path, process::ExitCode};

#[expect(clippy::print_stderr, reason = "what was asked for")]
fn main() -> std::io::Result<ExitCode> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../COMPATIBILITY.md");
    let text = testkit::compatibility::render();
    if !std::env::args().any(|argument| argument == "--check") {
        std::fs::write(path, text)?;
        return Ok(ExitCode::SUCCESS);
    }
    if std::fs::read_to_string(path)? == text {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("COMPATIBILITY.md is stale: cargo run -p testkit --example compatibility");
    Ok(ExitCode::FAILURE)
}
