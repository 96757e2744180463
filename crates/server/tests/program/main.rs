//! The program as its users have it: started, asked, and told to stop.

mod clock;
mod commands;
mod configure;
mod connections;
#[cfg(target_os = "linux")]
mod faults;
mod hosts;
mod lifecycle;
mod load;
mod pages;
mod process;
mod races;
mod readme;
mod root_keys;
mod settings;
mod tls;
mod visitors;
