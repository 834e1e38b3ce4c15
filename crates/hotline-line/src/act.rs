//! What a person does on the line: signed with the person's own key, so that the node cannot make it up.

use crate::case::CaseStep;
use crate::proposal::Proposal;
use crate::voting::Choice;
use crate::{ConflictKey, Level, LineError, Parameter, StatementRef, Words};
use hotline_ledger::{
    Certificate, KeyId, LineName, PartyName, Role, SigningKey, Unchecked, VerifyingKey, sign_payload,
};
use jiff::Timestamp;
use minicbor::{Decode, Encode};

/// The most statements that one act names.
pub const MAX_REFS: usize = 64;
/// The largest act, bytes.
pub const MAX_ACT: usize = 96 * 1024;
/// The longest topic of a position, bytes.
const MAX_TOPIC: usize = 80;
const WHAT: &str = "a hotline act v1";

/// How a person answers a statement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Reply {
    /// It has been read.
    #[n(0)]
    Read,
    /// It will be done.
    #[n(1)]
    Wilco,
    /// It cannot be done, and why.
    #[n(2)]
    Unable(#[n(0)] Words),
    /// Its essentials, repeated as on the radio; whoever said it compares.
    #[n(3)]
    ReadBack(#[n(0)] Vec<Parameter>),
}

/// What a person does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Deed {
    /// Has read an alert.
    #[n(0)]
    Acknowledge {
        /// Which conflict.
        #[n(0)]
        conflict: ConflictKey,
        /// The level that was seen.
        #[n(1)]
        level: Level,
        /// The alert statements that were seen.
        #[n(2)]
        alerts: Vec<StatementRef>,
    },
    /// Says something that is to be read.
    #[n(1)]
    Message {
        /// To whom; to all when empty.
        #[n(0)]
        to: Vec<PartyName>,
        /// What.
        #[n(1)]
        words: Words,
        /// The statement that it is a reply to.
        #[n(2)]
        reply_to: Option<StatementRef>,
    },
    /// Asks for something: to be answered with wilco or unable.
    #[n(2)]
    Request {
        /// Whom.
        #[n(0)]
        to: Vec<PartyName>,
        /// What.
        #[n(1)]
        words: Words,
        /// Whether the essentials are to be read back.
        #[n(2)]
        read_back: bool,
    },
    /// Answers a statement.
    #[n(3)]
    Answer {
        /// Which.
        #[n(0)]
        to: StatementRef,
        /// How.
        #[n(1)]
        reply: Reply,
    },
    /// Asks whether a person is there.
    #[n(4)]
    Check {
        /// Whom; all when empty.
        #[n(0)]
        to: Vec<PartyName>,
    },
    /// Opens a case, or takes it further.
    #[n(5)]
    Case(#[n(0)] CaseStep),
    /// Puts the party's position on record.
    #[n(6)]
    Position {
        /// About what.
        #[n(0)]
        about: String,
        /// What.
        #[n(1)]
        words: Words,
        /// The own statement that this one takes the place of.
        #[n(2)]
        supersedes: Option<u64>,
    },
    /// Proposes something to be voted on.
    #[n(7)]
    Propose(#[n(0)] Proposal),
    /// Votes.
    #[n(8)]
    Vote {
        /// The proposal.
        #[n(0)]
        proposal: StatementRef,
        /// How.
        #[n(1)]
        choice: Choice,
    },
    /// Withdraws the own proposal.
    #[n(9)]
    Withdraw {
        /// Its number in the own ledger.
        #[n(0)]
        proposal: u64,
    },
    /// Suspends the line on the own part.
    #[n(10)]
    Suspend(#[n(0)] Words),
    /// Restores it.
    #[n(11)]
    Restore(#[n(0)] Words),
    /// Leaves the line for good.
    #[n(12)]
    Leave(#[n(0)] Words),
}

impl Deed {
    /// The name of its kind in the statement.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "acknowledgement",
            Self::Message { .. } => "message",
            Self::Request { .. } => "request",
            Self::Answer { .. } => "answer",
            Self::Check { .. } => "communication-check",
            Self::Case(_) => "case",
            Self::Position { .. } => "position",
            Self::Propose(_) => "proposal",
            Self::Vote { .. } => "vote",
            Self::Withdraw { .. } => "withdrawal",
            Self::Suspend(_) => "suspension",
            Self::Restore(_) => "restoration",
            Self::Leave(_) => "leave",
        }
    }

    /// All kinds of acts.
    pub const KINDS: [&'static str; 13] = [
        "acknowledgement",
        "message",
        "request",
        "answer",
        "communication-check",
        "case",
        "position",
        "proposal",
        "vote",
        "withdrawal",
        "suspension",
        "restoration",
        "leave",
    ];

    /// The least role that may do it.
    pub fn role(&self) -> Role {
        match self {
            Self::Propose(_)
            | Self::Vote { .. }
            | Self::Withdraw { .. }
            | Self::Suspend(_)
            | Self::Restore(_)
            | Self::Leave(_) => Role::Supervisor,
            Self::Case(step) if step.is_final() => Role::Supervisor,
            _ => Role::Officer,
        }
    }

    /// What it is about, in a few words for a list.
    pub fn about(&self) -> String {
        let cut = |text: &str| text.chars().take(80).collect::<String>();
        match self {
            Self::Acknowledge { conflict, .. } => conflict.to_string(),
            Self::Message { words, .. }
            | Self::Request { words, .. }
            | Self::Suspend(words)
            | Self::Restore(words)
            | Self::Leave(words) => cut(&words.text),
            Self::Answer { to, .. } => format!("{to}"),
            Self::Check { to } => to.iter().map(PartyName::as_str).collect::<Vec<_>>().join(" "),
            Self::Case(step) => step.about(),
            Self::Position { about, .. } => cut(about),
            Self::Propose(proposal) => cut(&proposal.title.text),
            Self::Vote { proposal, .. } => proposal.to_string(),
            Self::Withdraw { proposal } => format!("#{proposal}"),
        }
    }

    fn check(&self) -> Result<(), LineError> {
        let few = |count: usize, what: &'static str| {
            if count <= MAX_REFS {
                return Ok(());
            }
            Err(LineError::OutOfRange { what, value: count.to_string(), allowed: "at most 64 are allowed" })
        };
        match self {
            Self::Acknowledge { alerts, .. } => few(alerts.len(), "alerts of an acknowledgement"),
            Self::Message { to, words, .. } | Self::Request { to, words, .. } => {
                few(to.len(), "parties spoken to")?;
                words.check()
            }
            Self::Check { to } => few(to.len(), "parties spoken to"),
            Self::Answer { reply: Reply::Unable(words), .. }
            | Self::Suspend(words)
            | Self::Restore(words)
            | Self::Leave(words) => words.check(),
            Self::Answer { reply: Reply::ReadBack(essentials), .. } => few(essentials.len(), "essentials"),
            Self::Answer { .. } | Self::Vote { .. } | Self::Withdraw { .. } => Ok(()),
            Self::Case(step) => step.check(),
            Self::Position { about, words, .. } => {
                if about.is_empty() || about.len() > MAX_TOPIC || about.contains(char::is_control) {
                    let value = format!("{about:?}");
                    let allowed = "1 to 80 bytes on one line are allowed";
                    return Err(LineError::OutOfRange { what: "the topic of a position", value, allowed });
                }
                words.check()
            }
            Self::Propose(proposal) => proposal.check(),
        }
    }
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Content {
    #[n(0)]
    line: LineName,
    #[n(1)]
    party: PartyName,
    #[cbor(n(2), with = "crate::cbor::instant")]
    time: Timestamp,
    #[n(3)]
    deed: Deed,
}

/// An act with its signature, which is still to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    content: Content,
    signed: Unchecked,
    bytes: Vec<u8>,
}

impl Act {
    /// Signs with a person's key.
    ///
    /// # Errors
    /// When the deed is over a limit.
    pub fn sign(
        line: &LineName,
        party: &PartyName,
        deed: Deed,
        time: Timestamp,
        key: &SigningKey,
    ) -> Result<Self, LineError> {
        // To the millisecond, as it is written.
        let time = Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time);
        let content = Content { line: line.clone(), party: party.clone(), time, deed };
        Self::read(&sign_payload(key, WHAT, minicbor::to_vec(&content).expect("writing to memory")))
    }

    /// Reads an act; its signature is not yet checked.
    ///
    /// # Errors
    /// When malformed, over a limit, or not in its one encoding.
    pub fn read(bytes: &[u8]) -> Result<Self, LineError> {
        if bytes.len() > MAX_ACT {
            return Err(LineError::malformed(WHAT, format!("{} bytes, at most {MAX_ACT}", bytes.len())));
        }
        let signed = Unchecked::read(bytes, WHAT)?;
        let content: Content =
            minicbor::decode(&signed.payload).map_err(|e| LineError::malformed(WHAT, e))?;
        if minicbor::to_vec(&content).expect("writing to memory") != signed.payload {
            return Err(LineError::NotCanonical(WHAT));
        }
        content.deed.check()?;
        Ok(Self { content, signed, bytes: bytes.to_vec() })
    }

    /// Checks that it was done on `line` for `party` by the person whose certificate `find_key` names, and that the
    /// person may.
    ///
    /// # Errors
    /// With what does not hold.
    pub fn check<'k>(
        &self,
        line: &LineName,
        party: &PartyName,
        find_key: impl FnOnce(KeyId, Timestamp) -> Option<&'k Certificate>,
    ) -> Result<Person, LineError> {
        let (person, key) = self.named(line, party, find_key)?;
        self.signed.check(&key)?;
        Ok(person)
    }

    /// The person that it names, who may do it; the signature is not checked. For what this node has checked before.
    ///
    /// # Errors
    /// With what does not hold.
    pub(crate) fn person<'k>(
        &self,
        line: &LineName,
        party: &PartyName,
        find_key: impl FnOnce(KeyId, Timestamp) -> Option<&'k Certificate>,
    ) -> Result<Person, LineError> {
        self.named(line, party, find_key).map(|(person, _)| person)
    }

    fn named<'k>(
        &self,
        line: &LineName,
        party: &PartyName,
        find_key: impl FnOnce(KeyId, Timestamp) -> Option<&'k Certificate>,
    ) -> Result<(Person, VerifyingKey), LineError> {
        let content = &self.content;
        if content.line != *line || content.party != *party {
            let why = format!("it was signed for {} on line {}", content.party, content.line);
            return Err(LineError::malformed(WHAT, why));
        }
        let unknown =
            || hotline_ledger::LedgerError::UnknownKey { what: WHAT, key: self.signed.key.to_string() };
        let certificate = find_key(self.signed.key, content.time).ok_or_else(unknown)?;
        if content.deed.role() == Role::Supervisor && certificate.role != Role::Supervisor {
            return Err(LineError::NotAllowed {
                what: content.deed.kind(),
                holder: certificate.holder.clone(),
            });
        }
        let person =
            Person { key: self.signed.key, holder: certificate.holder.clone(), role: certificate.role };
        Ok((person, certificate.key))
    }

    /// What is done.
    pub fn deed(&self) -> &Deed {
        &self.content.deed
    }

    /// When, by the clock of the person's node.
    pub fn time(&self) -> Timestamp {
        self.content.time
    }

    /// The person's key.
    pub fn key(&self) -> KeyId {
        self.signed.key
    }

    /// Its encoding.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Who has done something.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Person {
    /// The key.
    #[n(0)]
    pub key: KeyId,
    /// The designation in the certificate, such as `officer-2`.
    #[n(1)]
    pub holder: String,
    /// The role.
    #[cbor(n(2), with = "role")]
    pub role: Role,
}

mod role {
    use hotline_ledger::Role;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub(super) fn encode<C, W: Write>(
        role: &Role,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.bool(*role == Role::Supervisor)?.ok()
    }

    pub(super) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Role, DecodeError> {
        Ok(if d.bool()? { Role::Supervisor } else { Role::Officer })
    }
}
