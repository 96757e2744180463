//! `COMPATIBILITY.md`: what of the published API is served.
