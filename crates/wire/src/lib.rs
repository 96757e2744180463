//! What crosses the network: ids, resources, endpoints, errors, pages.
//!
//! May touch: serde. Must not touch: sockets, the database, the clock.

mod endpoint;
mod id;
mod page;
mod patch;
mod timestamp;

pub mod backend;
pub mod refusal;

pub use endpoint::{
    Auth, Decode, Encoded, Endpoint, InBody, InQuery, Meta, Method, Travel, decode, encode,
};
pub use id::{Id, Kind, Tag};
pub use page::{Count, Deleted, Page, Paging};
pub use patch::{Absent, Patch};
pub use refusal::{ApiError, Refusal};
pub use timestamp::Timestamp;
