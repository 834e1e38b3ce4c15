//! Simulated traffic and parties: the source of the demo, and the test bed.
//!
//! - [`Valley`]: a river valley that two air forces, a rescue service and drones share; deterministic from its seed.
//! - [`World`]: the cores of several parties on a simulated network, with disks that fail, clocks that are wrong, and parties that cheat, from one
//!   seed.
//! - [`Watch`]: what must hold, checked while a world runs.
//! - [`Soak`] and [`run_seed`]: what a seed means, and what came of it.

mod adversary;
mod disk;
mod motion;
mod network;
mod node;
mod random;
mod soak;
mod valley;
mod valley_map;
mod watch;
mod workload;
mod world;

pub use adversary::{Adversary, Trick};
pub use motion::Motion;
pub use network::{Carried, Weather};
pub use node::Keys;
pub use random::Random;
pub use soak::{Report, Soak, run_seed};
pub use valley::{Aircraft, Happening, Valley};
pub use valley_map::overlay;
pub use watch::Watch;
pub use workload::{Pace, Workload};
pub use world::{Faults, Injected, World};
