//! Evidence: one file that shows what was said on a line between two instants, by whom, who has held it since when, and
//! that nothing was left out; and the check of it, which needs nothing but the file and trusts nobody.
//!
//! The file is read from its beginning to its end, statement by statement, so that neither who makes it nor who checks it needs
//! room for it in memory; the signatures are checked in batches on all cores.
//!
//! The five types to know:
//! - [`Writer`]: makes such a file.
//! - [`verify`]: checks one and gives the [`Account`].
//! - [`Account`]: what is proven of each party, and what does not check.
//! - [`Told`]: the statements of a checked file, of all parties in the order of their times.
//! - [`describe`]: a statement in plain words.
//!
//! `hotline-verify FILE` is the checker as a program of its own.

mod account;
mod check;
mod chunks;
mod error;
mod format;
mod keys;
mod print;
mod sealed_file;
mod told;
mod words;
mod writer;

pub use account::{Account, Disputed, MAX_PROBLEMS, PartyAccount, Problem, RecordedAircraft, Sighting};
pub use check::{Progress, verify};
pub use error::EvidenceError;
pub use format::{
    Certified, Header, MAX_FRAME, PartyHead, Placed, ReceiptFrame, RecordedFrame, Section, is_evidence,
};
pub use print::{Style, account_json, account_text, print, said_json, said_text};
pub use sealed_file::{SealedReader, SealedWriter, sealed_payload};
pub use told::{Said, Told};
pub use words::describe;
pub use writer::Writer;
