//! plimsoll.
pub mod finding;
pub mod report;
pub mod source;
pub mod yaml;
pub mod resource;
pub mod mesh;
pub mod units;
