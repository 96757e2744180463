//! Host names of development instances.

pub(crate) use domain::names::development_host;
