//! What the service suppliers of a pool have told a discovery and synchronization service (DSS), as one
//! deterministic machine: ASTM F3548 operational intents, constraints, subscriptions and availability, and ASTM F3411
//! identification service areas and subscriptions.
//!
//! The machine is fed with [`Entry`]s in one order, that of a durable journal, and answers each: the check of an
//! intent's key and its writing are one step, so that of two clients who do not know of each other one is refused.
//! It reads no clock and draws no random number; both come in the entry. Two machines fed alike are alike.
//!
//! The five types to know:
//! - [`Machine`]: the state, [`Machine::apply`] and the searches.
//! - [`Entry`] and [`Command`]: what a client asks to be changed.
//! - [`Answer`] and [`Refusal`]: what it is told.
//! - [`Extent`]: a volume of cells, altitudes and times.
//! - [`Item`]: one thing of the state, for snapshots.
//!
//! ```
//! use hotline_dss::{Answer, Availability, Command, Entry, Machine, Moment, Settings};
//! let mut machine = Machine::new(Settings::default());
//! let command = Command::SetAvailability {
//!     uss: "uss1".into(),
//!     old_version: "".into(),
//!     availability: Availability::Down,
//! };
//! let at = Moment::from_micros(1_000_000);
//! let entry = Entry { at, deadline: at.later(10_000_000), client: "arbiter".into(), nonce: [7; 48], command };
//! assert!(matches!(machine.apply(&entry), Answer::Availability { .. }));
//! assert_eq!(machine.availability("uss1").1, Availability::Down);
//! ```

mod answer;
mod cell_index;
mod codec;
mod command;
mod entity;
mod extent;
mod intents;
mod machine;
mod moment;
mod remote_id;
mod shelf;
mod snapshot;
mod subscriptions;

pub use answer::{Answer, Refusal, SubscriptionView, ToNotify, View};
pub use command::{Command, Entry, NONCE_BYTES, NewSubscription, SubscriptionChoice, Window};
pub use entity::{
    Availability, Constraint, Heartbeat, Id, Instance, Intent, IntentState, NO_SUBSCRIPTION, Report,
    RidSubscription, ServiceArea, Subscription,
};
pub use extent::{Extent, MAX_CELLS};
pub use machine::{MAX_INSTANCES, MAX_REPORT_BYTES, MAX_RID_SUBSCRIPTIONS, Machine, Settings};
pub use moment::{MAX_START_AGE, MAX_SUBSCRIPTION, Moment};
pub use snapshot::Item;
