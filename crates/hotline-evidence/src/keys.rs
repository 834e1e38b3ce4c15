//! Whose signatures count, by the certificates in the file and the statements that certified and revoked them.

use crate::format::{Certified, PartyHead, Placed};
use hotline_ledger::{
    Checkpoint, KeyRing, LineName, Openings, PartyName, RangeProof, Statement, UncheckedStatement,
    VerifyingKey, origin,
};
use hotline_line::Body;

/// A party's keys and head, as far as they check.
pub(crate) struct Known {
    pub(crate) keys: KeyRing,
    /// The head, if a certified key has signed it.
    pub(crate) head: Option<Checkpoint>,
}

/// A statement that is proven to be in the ledger under the head.
fn placed(head: &Checkpoint, party: &PartyName, placed: &Placed) -> Result<Statement, String> {
    let proof = RangeProof { hashes: placed.proof.iter().map(|r| r.0).collect() };
    let leaf = std::iter::once(placed.statement.as_slice());
    if proof.root(placed.number, head.size, leaf).ok() != Some(head.root) {
        return Err(format!("statement {} is not the one under the party's signed head", placed.number));
    }
    let read = UncheckedStatement::read(&placed.statement).map_err(|e| e.to_string())?;
    let statement = read.statement();
    if statement.party != *party || statement.number != placed.number {
        return Err(format!("statement {} is not what it says", placed.number));
    }
    Ok(statement.clone())
}

fn body(statement: &Statement) -> Result<Body, String> {
    Body::decode(&statement.kind, &statement.body, &Openings::default()).map_err(|e| e.to_string())
}

/// The keys of a party. What does not check is told to `problem` and does not count.
pub(crate) fn known(
    line: &LineName,
    party: &PartyHead,
    certified: &[Certified],
    problem: &mut dyn FnMut(String, String),
) -> Option<Known> {
    let Ok(root) = VerifyingKey::from_bytes(&party.root) else {
        problem("root key".into(), "it is not a point of the curve".into());
        return None;
    };
    // Every key that the root key has ever certified: one of them must have signed the head, under which alone it is
    // then seen from where to where each counts.
    let mut all = KeyRing::new(party.party.clone(), root);
    for (i, one) in certified.iter().enumerate() {
        if let Err(e) = all.introduce(&one.certificate) {
            problem(format!("certificate {}", i + 1), e.to_string());
        }
    }
    let name = origin(line, &party.party);
    let head = all.all_node_keys().find_map(|key| Checkpoint::open(&party.head, &name, &key).ok());
    let mut keys = KeyRing::new(party.party.clone(), root);
    for (i, one) in certified.iter().enumerate() {
        let about = || format!("certificate {}", i + 1);
        let taken = match (&one.certified, &head) {
            (None, _) => keys.introduce(&one.certificate).map_err(|e| e.to_string()),
            (Some(_), None) => Err("there is no head to prove where it was certified".into()),
            (Some(at), Some(head)) => placed(head, &party.party, at).and_then(|said| match body(&said)? {
                Body::Certificate(bytes, _) if bytes == one.certificate => {
                    keys.certify(&bytes, at.number).map_err(|e| e.to_string())
                }
                _ => Err(format!("statement {} does not carry it", at.number)),
            }),
        };
        if let Err(why) = taken {
            problem(about(), why);
        }
        let (Some(at), Some(head)) = (&one.revoked, &head) else { continue };
        let revoked = placed(head, &party.party, at).and_then(|said| match body(&said)? {
            Body::Revocation(bytes) => {
                keys.revoke(&bytes, at.number, said.time).map(|_| ()).map_err(|e| e.to_string())
            }
            _ => Err(format!("statement {} does not revoke it", at.number)),
        });
        if let Err(why) = revoked {
            problem(about(), why);
        }
    }
    if head.is_none() && !party.head.is_empty() {
        problem("head".into(), "it is not signed by a certified node key of the party".into());
    }
    let head = head.filter(|head| {
        let counts = keys.head_keys(head.size).any(|key| Checkpoint::open(&party.head, &name, &key).is_ok());
        if !counts {
            problem("head".into(), "the key that signed it does not count there".into());
        }
        counts
    });
    Some(Known { keys, head })
}
