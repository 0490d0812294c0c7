//! Quantities, durations and versions as Kubernetes and Istio write them.

mod duration;
mod quantity;
mod version;

pub use duration::Duration;
pub use quantity::Quantity;
pub use version::Version;
