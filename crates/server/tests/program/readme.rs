//! The README shows what is compiled, and run, elsewhere.

const README: &str = include_str!("../../../../README.md");
const SDK: &str = include_str!("../../../sdk/src/lib.rs");

#[test]
fn its_rust_is_the_example_of_the_sdk() {
    let (_, rest) = README.split_once("```rust\n").expect("it shows some Rust");
    let (block, _) = rest.split_once("```").expect("it ends");
    for line in block.lines().filter(|line| !line.is_empty()) {
        assert!(SDK.contains(&format!("//! {line}")), "{line} is not in the documentation");
    }
}

#[test]
fn it_names_every_setting() {
    let help = crate::process::run(&["serve", "--help"]).stdout;
    let help = String::from_utf8(help).expect("text");
    let flags = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
    for flag in flags.filter(|flag| *flag != "--help") {
        assert!(README.contains(flag), "{flag}");
    }
}
