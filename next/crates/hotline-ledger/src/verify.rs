//! The verifier: what a bundle proves, without trusting anyone.

use crate::{
    Bundle, BundleParty, Certificate, Checkpoint, Fingerprint, KeyId, LedgerError, LineName, PartyName,
    Receipt, Role, SignedCertificate, SignedStatement, Statement, VerifyingKey, origin,
};
use jiff::Timestamp;

/// Something in a bundle that does not check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whose part it is in.
    pub party: PartyName,
    /// What it is about.
    pub about: String,
    /// What is wrong.
    pub what: String,
}

/// A statement whose signature and place in its party's ledger are proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedStatement {
    /// The statement.
    pub statement: Statement,
    /// Whose node key signed it.
    pub signer: String,
    /// Who has proven to hold it, and since when at the latest, by the earliest receipt in the bundle.
    pub receipted: Vec<(PartyName, Timestamp)>,
}

/// What is proven of one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyAccount {
    /// The party.
    pub party: PartyName,
    /// The words of its root key, to be compared with those known.
    pub fingerprint: String,
    /// Its certified keys.
    pub certificates: Vec<Certificate>,
    /// Its statements in the range, in order.
    pub statements: Vec<VerifiedStatement>,
    /// How many statements its ledger had when the bundle's head was signed.
    pub ledger_size: u64,
    /// Whether the head shows that no statement of the asked time is missing before and after the range. Never for
    /// a party of which there is nothing in the bundle.
    pub complete: bool,
}

/// What a bundle proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The line.
    pub line: LineName,
    /// Who exported the bundle, and when.
    pub exporter: PartyName,
    /// When it was exported, by the exporter's clock.
    pub exported: Timestamp,
    /// What was asked for.
    pub asked: (Timestamp, Timestamp),
    /// What is proven of each party.
    pub parties: Vec<PartyAccount>,
    /// What does not check; empty when all does.
    pub problems: Vec<Problem>,
}

/// The certified key of a party by role, identifier and time.
fn certified(
    certificates: &[SignedCertificate],
    role: Role,
    id: KeyId,
    at: Timestamp,
) -> Option<&Certificate> {
    let fits = |c: &&SignedCertificate| {
        c.certificate().role == role && c.key_id() == id && c.certificate().valid_at(at)
    };
    certificates.iter().find(fits).map(SignedCertificate::certificate)
}

fn certificates(part: &BundleParty) -> Vec<Result<SignedCertificate, LedgerError>> {
    part.certificates.iter().map(|bytes| SignedCertificate::open(bytes, &part.party, &part.root)).collect()
}

/// Checks a bundle with nothing but the file itself.
///
/// # Errors
/// When the file is not a bundle, or the exporter's signature over it does not check: then nothing in it can be
/// relied on. Anything else that does not check is listed in the account's problems.
pub fn verify_bundle(bytes: &[u8]) -> Result<Account, LedgerError> {
    let bundle = Bundle::open(bytes, |id, bundle| {
        let part = bundle.parties.iter().find(|p| p.party == bundle.exporter)?;
        let valid: Vec<SignedCertificate> = certificates(part).into_iter().flatten().collect();
        certified(&valid, Role::Node, id, bundle.exported).map(|c| c.key)
    })?;
    let mut problems = Vec::new();
    let keys: Vec<(PartyName, Vec<SignedCertificate>)> = bundle
        .parties
        .iter()
        .map(|part| {
            let mut valid = Vec::new();
            for (i, certificate) in certificates(part).into_iter().enumerate() {
                match certificate {
                    Ok(c) => valid.push(c),
                    Err(e) => problems.push(Problem {
                        party: part.party.clone(),
                        about: format!("certificate {}", i + 1),
                        what: e.to_string(),
                    }),
                }
            }
            (part.party.clone(), valid)
        })
        .collect();
    for (i, part) in bundle.parties.iter().enumerate() {
        if bundle.parties[..i].iter().any(|p| p.party == part.party) {
            problems.push(Problem {
                party: part.party.clone(),
                about: "the party".into(),
                what: "it has more than one part in the bundle".into(),
            });
        }
    }
    let parties = bundle
        .parties
        .iter()
        .zip(&keys)
        .map(|(part, own)| check_part(&bundle, part, &own.1, &keys, &mut problems));
    let parties = parties.collect();
    Ok(Account {
        line: bundle.line,
        exporter: bundle.exporter,
        exported: bundle.exported,
        asked: (bundle.from, bundle.to),
        parties,
        problems,
    })
}

fn check_part(
    bundle: &Bundle,
    part: &BundleParty,
    own: &[SignedCertificate],
    keys: &[(PartyName, Vec<SignedCertificate>)],
    problems: &mut Vec<Problem>,
) -> PartyAccount {
    let mut problem = |about: String, what: String| {
        problems.push(Problem { party: part.party.clone(), about, what });
    };
    let name = origin(&bundle.line, &part.party);
    let mut statements = Vec::new();
    for (number, bytes) in (part.first..).zip(&part.entries) {
        match check_entry(bundle, part, own, number, bytes) {
            Ok(statement) => statements.push(statement),
            Err(what) => problem(format!("statement {number}"), what),
        }
    }
    if let Some(pair) = statements.windows(2).find(|w| w[1].statement.time < w[0].statement.time) {
        problem(
            format!("statement {}", pair[1].statement.number),
            "its time is before the previous one's".into(),
        );
    }

    let node_keys = || own.iter().filter(|c| c.certificate().role == Role::Node).map(|c| c.certificate().key);
    let head = node_keys().find_map(|key| Checkpoint::open(&part.checkpoint, &name, &key).ok());
    let mut complete = false;
    let mut ledger_size = 0;
    match head {
        // A party of which the exporter holds nothing: nothing is claimed, and nothing is shown.
        None if part.checkpoint.is_empty() && part.entries.is_empty() && part.receipts.is_empty() => {}
        None => problem("checkpoint".into(), "it is not signed by a certified node key of the party".into()),
        Some(head) => {
            ledger_size = head.size;
            let proven = if part.entries.is_empty() {
                head.size == 0
                    && head.root == crate::Tree::default().root(0).expect("an empty tree has a root")
            } else {
                let leaves = part.entries.iter().map(Vec::as_slice);
                part.proof.root(part.first, head.size, leaves) == Ok(head.root)
            };
            if proven {
                complete = fenced(bundle, part, &statements, head.size);
                if !complete {
                    let what = "statements of the asked time may be missing at its ends";
                    problem("range".into(), what.into());
                }
            } else {
                problem("range".into(), "it is not the one under the party's signed head".into());
            }
        }
    }
    for (cosigner, note, proof) in &part.receipts {
        let theirs = keys.iter().find(|(p, _)| p == cosigner).map_or(&[][..], |(_, k)| k);
        match check_receipt(bundle, part, &name, node_keys().collect(), cosigner, theirs, note, proof) {
            Ok(receipt) => {
                for statement in statements.iter_mut().filter(|s| s.statement.number < receipt.size) {
                    match statement.receipted.iter_mut().find(|(p, _)| p == cosigner) {
                        Some((_, since)) => *since = (*since).min(receipt.time),
                        None => statement.receipted.push((cosigner.clone(), receipt.time)),
                    }
                }
            }
            Err(what) => problem(format!("receipt by {cosigner}"), what),
        }
    }
    PartyAccount {
        party: part.party.clone(),
        fingerprint: Fingerprint::of(&part.root).words(),
        certificates: own.iter().map(|c| c.certificate().clone()).collect(),
        statements,
        ledger_size,
        complete,
    }
}

fn check_entry(
    bundle: &Bundle,
    part: &BundleParty,
    own: &[SignedCertificate],
    number: u64,
    bytes: &[u8],
) -> Result<VerifiedStatement, String> {
    let mut signer = String::new();
    let opened = SignedStatement::open(bytes, |id, statement| {
        let certificate = certified(own, Role::Node, id, statement.time)?;
        signer.clone_from(&certificate.holder);
        Some(certificate.key)
    });
    let statement = opened.map_err(|e| e.to_string())?.statement().clone();
    if statement.line != bundle.line || statement.party != part.party {
        return Err(format!("it was said by {} on line {}", statement.party, statement.line));
    }
    if statement.number != number {
        return Err(format!("it is number {} of the ledger, not {number}", statement.number));
    }
    Ok(VerifiedStatement { statement, signer, receipted: Vec::new() })
}

/// Whether the range reaches, on each side, beyond the asked time or to the end of the ledger.
fn fenced(bundle: &Bundle, part: &BundleParty, statements: &[VerifiedStatement], size: u64) -> bool {
    let before = part.first == 0 || statements.first().is_some_and(|s| s.statement.time < bundle.from);
    let after = part.first + part.entries.len() as u64 == size
        || statements.last().is_some_and(|s| s.statement.time > bundle.to);
    before && after
}

#[allow(clippy::too_many_arguments)]
fn check_receipt(
    bundle: &Bundle,
    part: &BundleParty,
    name: &str,
    node_keys: Vec<VerifyingKey>,
    cosigner: &PartyName,
    theirs: &[SignedCertificate],
    note: &[u8],
    proof: &crate::RangeProof,
) -> Result<Receipt, String> {
    let cosigner_name = origin(&bundle.line, cosigner);
    let their_keys = theirs.iter().filter(|c| c.certificate().role == Role::Node).map(|c| c.certificate());
    let pairs = their_keys.flat_map(|c| node_keys.iter().map(move |k| (c, k)));
    let receipt = pairs
        .filter_map(|(c, key)| {
            let receipt = Receipt::open(note, name, key, &cosigner_name, &c.key).ok()?;
            c.valid_at(receipt.time).then_some(receipt)
        })
        .next()
        .ok_or("its signatures do not check")?;
    let covered = receipt.size.saturating_sub(part.first).min(part.entries.len() as u64) as usize;
    if covered == 0 {
        return Err("it covers no statement of the range".into());
    }
    let leaves = part.entries[..covered].iter().map(Vec::as_slice);
    if proof.root(part.first, receipt.size, leaves) != Ok(receipt.root) {
        return Err("the ledger it was given for is not the one in the bundle".into());
    }
    Ok(receipt)
}
