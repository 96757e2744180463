//! What the store promises, on SQLite or on the server that `TEST_DATABASE_URL` names.

mod fixture;
mod opening;
mod outages;
mod queues;
mod search;
mod server;
mod statements;
mod tls;
mod units;
