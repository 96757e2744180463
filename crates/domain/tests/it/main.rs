//! Operations on a database of their own, without HTTP, on SQLite or on the PostgreSQL that
//! `TEST_DATABASE_URL` names; among them what only the Frontend API makes.

mod accounts;
mod invitations;
mod jwt_templates;
mod migrations;
mod plans;
mod sign_in_tokens;
mod stage;
