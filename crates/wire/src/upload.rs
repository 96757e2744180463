//! Files that travel with a request.

/// A file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Upload {
    /// What its sender says it is; never believed.
    pub content_type: Option<String>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Upload({} bytes)", self.bytes.len())
    }
}
