//! The Frontend API: what browsers and apps can ask for the person in front of them.

pub mod clients;
pub mod dev_browsers;
pub mod email_addresses;
pub mod environment;
pub mod handshakes;
pub mod health;
pub mod organizations;
pub mod phone_numbers;
pub mod sessions;
pub mod sign_ins;
pub mod sign_ups;
pub mod tickets;
pub mod users;
pub mod verifications;
pub mod waitlist;
