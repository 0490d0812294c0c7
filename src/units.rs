//! Quantities, durations, versions and dates as Kubernetes and Istio write them.

mod date;
mod duration;
mod quantity;
mod version;

pub use date::Date;
pub use duration::Duration;
pub use quantity::Quantity;
pub use version::Version;
