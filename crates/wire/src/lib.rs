//! What crosses the network: ids, resources, endpoints, errors, pages, versions.
//!
//! May touch: serde. Must not touch: sockets, the database, the clock.

mod decode;
mod encode;
mod endpoint;
mod id;
mod open;
mod page;
mod param;
mod patch;
mod timestamp;
mod upload;
mod version;

pub mod backend;
pub mod frontend;
pub mod published;
pub mod refusal;

pub use decode::{Decode, Payload, decode, unknown_param};
pub use encode::{Encoded, EncodedBody, encode};
pub use endpoint::{Auth, Body, Endpoint, Meta, Method, Wrapping};
pub use id::{Id, Kind, Object, Tag};
pub use open::Metadata;
pub use page::{Count, Deleted, Html, Limit, Listing, NoContent, Page, Paging};
pub use param::{Field, Param, Shape, field};
pub use patch::{Absent, Patch};
pub use published::{Api, Published};
pub use refusal::{ApiError, Refusal};
pub use timestamp::Timestamp;
pub use upload::Upload;
pub use version::{NEWEST, VERSIONS, Version};
