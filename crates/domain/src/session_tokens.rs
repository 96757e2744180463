//! Session tokens: what they say, and who signs them.
