//! The domain on its own: operations and what only the Frontend API makes, without HTTP.

mod accounts;
mod world;
