//! The interfaces of the standards over HTTP: a discovery and synchronization service (DSS) for ASTM F3548-21 and
//! F3411-19 and -22a, with InterUSS' auxiliary interface, over one durable [`Store`].
//!
//! A request is checked (token, form, geometry), becomes a [`hotline_dss::Entry`], is made durable with whatever else
//! is waiting, and only then applied and answered. So what is answered is never lost, what is read was durable, and reads
//! wait for no disk.
//!
//! The five types to know:
//! - [`Dss`]: everything a request needs; [`service`] makes the router.
//! - [`Store`]: the machine, its journal and snapshots.
//! - [`Gate`]: who may ask, by bearer tokens.
//! - [`Problem`]: what a client is told when something is wrong.
//! - [`TokenServer`]: tokens for development and tests.

mod auxiliary;
mod cluster;
mod dss;
mod embedded;
mod entities;
mod f3411_19;
mod f3411_22a;
mod f3548;
mod forms;
mod geometry;
mod jwks;
mod measures;
mod operations;
mod problem;
mod remote_id;
mod serve;
mod snapshot_file;
mod store;
mod token_server;
mod tokens;

pub use cluster::{ClusterError, ClusterOptions};
/// The volumes and times of F3548 and F3411-22a, as JSON.
pub mod wire {
    pub use crate::geometry::{Altitude, Circle, LatLng, Polygon, Radius, Time, Volume3, Volume4};
}

/// The scopes of F3548.
pub mod scopes {
    pub use crate::f3548::{
        ARBITRATION, CONFORMANCE, CONSTRAINT_MANAGEMENT, CONSTRAINT_PROCESSING, STRATEGIC,
    };
}

pub use dss::{BaseUrls, Dss, Identity, MAX_BODY, body, identifier};
pub use entities::{import_entities, read_entity, write_entity};
pub use forms::forms_of;
pub use jwks::{JWKS_REFRESH, JwksError, keep_fresh};
pub use measures::Measures;
pub use problem::Problem;
pub use serve::{DRAIN, serve, service};
pub use snapshot_file::write_snapshot;
pub use store::{ANSWER_WITHIN, Clock, Keeping, Store, StoreError};
pub use token_server::TokenServer;
pub use tokens::{Client, Gate, KeyError, PublicKey};
