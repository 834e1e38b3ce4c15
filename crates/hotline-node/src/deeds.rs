//! What a person does, as JSON: checked, and turned into what is signed.

use hotline_ledger::PartyName;
use hotline_line::{
    Candidate, CaseKind, CaseStep, CertificateBytes, Change, Choice, Deed, FlightId, Line, Links, Parameter,
    Proposal, Reply, Severity, StatementRef, Step, Subject, Words,
};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A text: a phrase of the catalogue with its parameters, or free text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordsInput {
    #[serde(default)]
    phrase: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    language: String,
    /// As its writer saw it.
    text: String,
}

impl WordsInput {
    fn read(self) -> Result<Words, String> {
        let parameters = parameters(self.parameters);
        let words = Words { phrase: self.phrase, parameters, language: self.language, text: self.text };
        words.check().map_err(|e| e.to_string())?;
        Ok(words)
    }
}

fn parameters(given: BTreeMap<String, String>) -> Vec<Parameter> {
    given.into_iter().map(|(name, value)| Parameter { name, value }).collect()
}

/// What a person does. Statements are named like `green#12`, aircraft and flights like `green:F1`.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum DeedInput {
    /// Says something that is to be read.
    Message {
        /// To whom; to all when empty.
        #[serde(default)]
        to: Vec<String>,
        /// What.
        words: WordsInput,
        /// The statement that it is a reply to.
        #[serde(default)]
        reply_to: Option<String>,
    },
    /// Asks for something: to be answered with wilco or unable.
    Request {
        /// To whom; to all when empty.
        to: Vec<String>,
        /// What.
        words: WordsInput,
        /// Whether the essentials are to be read back.
        #[serde(default)]
        read_back: bool,
    },
    /// Has read a statement.
    Read {
        /// Which statement.
        statement: String,
    },
    /// Will do what was asked.
    Wilco {
        /// Which statement.
        statement: String,
    },
    /// Cannot do it, and why.
    Unable {
        /// Which statement.
        statement: String,
        /// What.
        words: WordsInput,
    },
    /// Repeats the essentials of a request.
    ReadBack {
        /// Which statement.
        statement: String,
        /// The essentials, by their names.
        essentials: BTreeMap<String, String>,
    },
    /// Asks whether a person is there.
    Check {
        /// To whom; to all when empty.
        #[serde(default)]
        to: Vec<String>,
    },
    /// Opens a case.
    CaseOpen {
        /// `incident`, `protest` or `question`.
        kind: String,
        /// `minor`, `serious` or `grave`.
        severity: String,
        /// What.
        words: WordsInput,
        /// Who else is involved; all when empty.
        #[serde(default)]
        against: Vec<String>,
        /// Statements that it is about.
        #[serde(default)]
        statements: Vec<String>,
        /// Flights and aircraft that it is about.
        #[serde(default)]
        subjects: Vec<String>,
    },
    /// Says who works on a case until when.
    CaseTriage {
        /// The statement that opened the case.
        case: String,
        /// `minor`, `serious` or `grave`.
        severity: String,
        /// Who works on it.
        owner: String,
        /// Until when.
        due: Timestamp,
    },
    /// The party's position on a case.
    CaseState {
        /// The statement that opened the case.
        case: String,
        /// What.
        words: WordsInput,
    },
    /// Adds links to a case.
    CaseLink {
        /// The statement that opened the case.
        case: String,
        /// Statements that it is about.
        #[serde(default)]
        statements: Vec<String>,
        /// Flights and aircraft that it is about.
        #[serde(default)]
        subjects: Vec<String>,
    },
    /// Holds a case resolved.
    CaseResolve {
        /// The statement that opened the case.
        case: String,
        /// What.
        words: WordsInput,
    },
    /// Puts a case before the leaders.
    CaseRaise {
        /// The statement that opened the case.
        case: String,
        /// What.
        words: WordsInput,
    },
    /// Takes a case up again.
    CaseReopen {
        /// The statement that opened the case.
        case: String,
        /// What.
        words: WordsInput,
    },
    /// Puts the party's position on record.
    Position {
        /// About what.
        about: String,
        /// What.
        words: WordsInput,
        /// The own statement that this one takes the place of.
        #[serde(default)]
        supersedes: Option<u64>,
    },
    /// Proposes something to be voted on.
    Propose {
        /// What.
        words: WordsInput,
        /// The class of its rule in the rulebook.
        class: String,
        /// What changes.
        change: ChangeInput,
        /// Seconds from now until votes no longer count.
        within_s: f64,
        /// The parties to the dispute that it is about.
        #[serde(default)]
        dispute: Vec<String>,
    },
    /// Votes.
    Vote {
        /// The proposal.
        proposal: String,
        /// `yes`, `no` or `abstain`.
        choice: String,
    },
    /// Withdraws the own proposal.
    Withdraw {
        /// Its number in the own ledger.
        proposal: u64,
    },
    /// Suspends the line on the own part.
    Suspend {
        /// What.
        words: WordsInput,
    },
    /// Restores it.
    Restore {
        /// What.
        words: WordsInput,
    },
    /// Leaves the line for good.
    Leave {
        /// What.
        words: WordsInput,
    },
}

/// What a proposal changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "matter", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ChangeInput {
    /// Other parameters.
    Rulebook {
        /// The whole new rulebook.
        toml: String,
    },
    /// A new member.
    Accession {
        /// The candidate's introduction, as TOML.
        introduction: String,
    },
    /// A member is removed.
    Expulsion {
        /// Which.
        party: String,
    },
    /// A decision only.
    Resolution,
}

fn text(e: impl std::fmt::Display) -> String {
    e.to_string()
}

fn parties(names: &[String]) -> Result<Vec<PartyName>, String> {
    names.iter().map(|n| PartyName::new(n).map_err(text)).collect()
}

fn statement(name: &str) -> Result<StatementRef, String> {
    name.parse().map_err(text)
}

fn subject(name: &str) -> Result<Subject, String> {
    let (party, id) = name.split_once(':').ok_or_else(|| format!("{name:?}: like green:F1"))?;
    Ok(Subject { party: PartyName::new(party).map_err(text)?, id: FlightId::new(id).map_err(text)? })
}

fn links(statements: &[String], subjects: &[String]) -> Result<Links, String> {
    Ok(Links {
        statements: statements.iter().map(|s| statement(s)).collect::<Result<_, _>>()?,
        subjects: subjects.iter().map(|s| subject(s)).collect::<Result<_, _>>()?,
    })
}

/// One of some names.
fn one_of<T: Copy>(what: &str, name: &str, all: &[T], text: impl Fn(T) -> &'static str) -> Result<T, String> {
    all.iter().copied().find(|t| text(*t) == name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|t| text(*t)).collect();
        format!("{what} {name:?} is none of {}", names.join(", "))
    })
}

fn severity(name: &str) -> Result<Severity, String> {
    one_of("severity", name, Severity::ALL, Severity::as_str)
}

fn on_case(case: &str, step: Step) -> Result<Deed, String> {
    Ok(Deed::Case(CaseStep { case: Some(statement(case)?), step }))
}

impl ChangeInput {
    fn read(self) -> Result<Change, String> {
        Ok(match self {
            Self::Rulebook { toml } => Change::Rulebook(toml),
            Self::Expulsion { party } => Change::Expulsion(PartyName::new(&party).map_err(text)?),
            Self::Resolution => Change::Resolution,
            Self::Accession { introduction } => {
                let (introduction, keys) =
                    crate::Introduction::read(&introduction, "the introduction".as_ref()).map_err(text)?;
                let certificates = keys.certificates().map(|(c, _)| CertificateBytes(c.bytes().to_vec()));
                Change::Accession(Candidate {
                    party: keys.party().clone(),
                    root: *keys.root().as_bytes(),
                    certificates: certificates.collect(),
                    address: introduction.address.to_string(),
                })
            }
        })
    }
}

impl DeedInput {
    /// What is to be signed, at `now` on this line.
    ///
    /// # Errors
    /// With the field that is wrong and what would be right.
    pub fn read(self, line: &Line, now: Timestamp) -> Result<Deed, String> {
        let answer = |to: &str, reply| Ok(Deed::Answer { to: statement(to)?, reply });
        match self {
            Self::Message { to, words, reply_to } => Ok(Deed::Message {
                to: parties(&to)?,
                words: words.read()?,
                reply_to: reply_to.as_deref().map(statement).transpose()?,
            }),
            Self::Request { to, words, read_back } => {
                if to.is_empty() {
                    return Err("to: name at least one party that is asked".into());
                }
                Ok(Deed::Request { to: parties(&to)?, words: words.read()?, read_back })
            }
            Self::Read { statement } => answer(&statement, Reply::Read),
            Self::Wilco { statement } => answer(&statement, Reply::Wilco),
            Self::Unable { statement, words } => answer(&statement, Reply::Unable(words.read()?)),
            Self::ReadBack { statement, essentials } => {
                answer(&statement, Reply::ReadBack(parameters(essentials)))
            }
            Self::Check { to } => Ok(Deed::Check { to: parties(&to)? }),
            Self::CaseOpen { kind, severity: grave, words, against, statements, subjects } => {
                let step = Step::Open {
                    kind: one_of("kind", &kind, CaseKind::ALL, CaseKind::as_str)?,
                    severity: severity(&grave)?,
                    title: words.read()?,
                    against: parties(&against)?,
                    links: links(&statements, &subjects)?,
                };
                Ok(Deed::Case(CaseStep { case: None, step }))
            }
            Self::CaseTriage { case, severity: grave, owner, due } => {
                let owner = PartyName::new(&owner).map_err(text)?;
                on_case(&case, Step::Triage { severity: severity(&grave)?, owner, due })
            }
            Self::CaseState { case, words } => on_case(&case, Step::State(words.read()?)),
            Self::CaseLink { case, statements, subjects } => {
                on_case(&case, Step::Link(links(&statements, &subjects)?))
            }
            Self::CaseResolve { case, words } => on_case(&case, Step::Resolve(words.read()?)),
            Self::CaseRaise { case, words } => on_case(&case, Step::Raise(words.read()?)),
            Self::CaseReopen { case, words } => on_case(&case, Step::Reopen(words.read()?)),
            Self::Position { about, words, supersedes } => {
                Ok(Deed::Position { about, words: words.read()?, supersedes })
            }
            Self::Propose { words, class, change, within_s, dispute } => {
                if !(1.0..=3.2e7).contains(&within_s) {
                    return Err(format!("within_s {within_s}: 1 to 32000000 seconds are allowed"));
                }
                let within = jiff::SignedDuration::try_from_secs_f64(within_s).map_err(text)?;
                Ok(Deed::Propose(Proposal {
                    title: words.read()?,
                    class,
                    change: change.read()?,
                    base: line.books().ballots.in_force().hash,
                    deadline: now.saturating_add(within).map_err(text)?,
                    dispute: parties(&dispute)?,
                }))
            }
            Self::Vote { proposal, choice } => Ok(Deed::Vote {
                proposal: statement(&proposal)?,
                choice: one_of(
                    "choice",
                    &choice,
                    &[Choice::Yes, Choice::No, Choice::Abstain],
                    Choice::as_str,
                )?,
            }),
            Self::Withdraw { proposal } => Ok(Deed::Withdraw { proposal }),
            Self::Suspend { words } => Ok(Deed::Suspend(words.read()?)),
            Self::Restore { words } => Ok(Deed::Restore(words.read()?)),
            Self::Leave { words } => Ok(Deed::Leave(words.read()?)),
        }
    }
}
