//! plimsoll.
pub mod finding;
pub mod fix;
pub mod kinds;
pub mod mesh;
pub mod report;
pub mod resource;
pub mod rule;
pub mod source;
pub mod suppress;
pub mod units;
pub mod yaml;
