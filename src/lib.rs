//! plimsoll.
pub mod finding;
pub mod report;
pub mod source;
