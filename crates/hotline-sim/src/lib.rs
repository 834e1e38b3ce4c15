//! Simulated traffic and parties: the source of the demo, and the test bed.
//!
//! - [`Valley`]: a river valley that two air forces, a rescue service and drones share; deterministic from its seed.
//! - [`World`]: the cores of several parties on a simulated network with simulated crashes, from one seed.

mod motion;
mod random;
mod valley;
mod valley_map;
mod world;

pub use motion::Motion;
pub use random::Random;
pub use valley::{Aircraft, Happening, Valley};
pub use valley_map::overlay;
pub use world::{Faults, World};
