//! Tickets: what this server hands out and alone reads again.
