//! Measures a release build of the server, side by side with what the machine can do at all.
//!
//! Every figure stands beside a ceiling measured in the same run on the same cores: a bare HTTP
//! server, a bare RSA signature. Ratios and processor time are what counts; absolute rates are of
//! this machine and this minute.

mod browsers;
mod ceilings;
mod load;
mod measure;
mod wrk;

use std::path::PathBuf;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage: bench measure [--only users|invitations|browsers] [--users N] [--invitations N] [--database-url URL] [--data FOLDER] | hello ADDRESS | load FOLDER USERS [URL]";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["hello", address] => ceilings::hello(address).await,
        ["load", folder, users] => {
            load::load(&PathBuf::from(folder), users.parse()?, None).await.map(drop)
        }
        ["load", folder, users, url] => {
            load::load(&PathBuf::from(folder), users.parse()?, Some(url)).await.map(drop)
        }
        ["measure", options @ ..] => measure::measure(&measure::Options::parse(options)?).await,
        _ => Err(USAGE.into()),
    }
}
