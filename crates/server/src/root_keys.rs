//! `vestry root-key`: what is sealed under which key, and a new key for all of it.

use domain::root_keys::{self, Report};

use crate::{
    cli::RootKeyCommand,
    failure::{Failure, Result},
    keys, logging,
};

/// Does what was asked.
pub(crate) async fn run(command: RootKeyCommand, log: Option<String>) -> Result<()> {
    logging::start_simply(log, "warn")?;
    let (arguments, rotates) = match command {
        RootKeyCommand::Check(arguments) => (arguments, false),
        RootKeyCommand::Rotate(arguments) => (arguments, true),
    };
    let world = keys::attach(arguments.storage).await?;
    let report = if rotates {
        root_keys::rotate(&world, |count| tracing::info!(count, "sealed again")).await
    } else {
        root_keys::check(&world).await
    };
    world.db.close().await;
    let report = report?;
    if arguments.json {
        print_json(&report);
    } else {
        print(&report);
    }
    verdict(&report)
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
fn print_json(report: &Report) {
    let line = serde_json::json!({
        "root_key": report.current,
        "secrets": report.secrets,
        "sealed_again": report.sealed_again,
        "left": report.left(),
        "broken": report.broken,
    });
    println!("{line}");
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
fn print(report: &Report) {
    if report.sealed_again > 0 {
        println!("{} secrets came under root key {}.", report.sealed_again, report.current);
    }
    for (id, count) in &report.secrets {
        let first = if *id == report.current { ", the first one" } else { "" };
        println!("{count} secrets are under root key {id}{first}.");
    }
    if report.left() == 0 {
        println!("No other key is needed, but for codes sent in the last ten minutes.");
    }
}

/// Fails if another key must be kept, or something is lost.
fn verdict(report: &Report) -> Result<()> {
    let mut problems = report.broken.clone();
    if report.left() > 0 {
        problems.push(format!(
            "{} secrets are not under root key {}; keep the other keys, and see that every \
             server has it first: vestry root-key rotate",
            report.left(),
            report.current
        ));
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::Other(problems.join("\nerror: "))) }
}
