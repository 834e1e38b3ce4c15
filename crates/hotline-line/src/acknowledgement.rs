//! An officer's own signature on having read an alert.

use crate::codec::{In, encoded, put_instant};
use crate::subject::MAX_ID;
use crate::{ConflictKey, Level, LineError, StatementRef};
use hotline_ledger::{KeyId, LineName, PartyName, SigningKey, VerifyingKey, open_signed, sign_payload};
use jiff::Timestamp;

/// The most alert statements that one acknowledgement names.
const MAX_REFS: usize = 64;
pub(crate) const ACKNOWLEDGEMENT: &str = "a hotline acknowledgement v1";

/// An officer has read an alert: signed with the officer's own key, so that the node cannot make it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Which conflict.
    pub conflict: ConflictKey,
    /// The level that the officer saw.
    pub level: Level,
    /// The alert statements that the officer saw.
    pub alerts: Vec<StatementRef>,
    /// When, by the node's clock.
    pub time: Timestamp,
    /// The officer's key.
    pub officer: KeyId,
    /// The signed original: a COSE_Sign1 over line, party and all of the above but the key.
    pub signed: Vec<u8>,
}

impl Acknowledgement {
    /// Signs with an officer's key.
    pub fn sign(
        line: &LineName,
        party: &PartyName,
        conflict: ConflictKey,
        level: Level,
        alerts: Vec<StatementRef>,
        time: Timestamp,
        officer: &SigningKey,
    ) -> Self {
        let payload = encoded(|e| {
            e.array(6)?.str(line.as_str())?.str(party.as_str())?;
            conflict.put(e)?;
            e.u8(level.number())?.array(alerts.len() as u64)?;
            for alert in &alerts {
                e.array(2)?.str(alert.party.as_str())?.u64(alert.number)?;
            }
            put_instant(e, time)
        });
        let signed = sign_payload(officer, ACKNOWLEDGEMENT, payload);
        Self { conflict, level, alerts, time, officer: KeyId::of(&officer.verifying_key()), signed }
    }

    /// Reads and checks a signed acknowledgement.
    ///
    /// # Errors
    /// When malformed, said on another line or for another party, or not signed by an officer's key of that party
    /// that is valid at its time (`find_key`).
    pub fn open(
        signed: &[u8],
        line: &LineName,
        party: &PartyName,
        find_key: impl FnOnce(KeyId, Timestamp) -> Option<VerifyingKey>,
    ) -> Result<Self, LineError> {
        let mut read = Err(LineError::malformed(ACKNOWLEDGEMENT, "it has no payload"));
        let opened = open_signed(signed, ACKNOWLEDGEMENT, |id, payload| {
            read = Self::read(payload, signed, id, line, party);
            read.as_ref().ok().and_then(|a| find_key(id, a.time))
        });
        match (read, opened) {
            (Ok(acknowledgement), Ok(_)) => Ok(acknowledgement),
            (Err(content), _) => Err(content),
            (_, Err(e)) => Err(e.into()),
        }
    }

    fn read(
        payload: &[u8],
        signed: &[u8],
        officer: KeyId,
        line: &LineName,
        party: &PartyName,
    ) -> Result<Self, LineError> {
        let mut d = In::new(payload, ACKNOWLEDGEMENT);
        d.fields(6)?;
        let (said_on, said_for) = (d.text(MAX_ID)?, d.party()?);
        if said_on != line.as_str() || said_for != *party {
            return Err(d.bad(format!("it was signed for {said_for} on line {said_on}")));
        }
        let (conflict, level) = (ConflictKey::read(&mut d)?, Level::read(&mut d)?);
        let mut alerts = Vec::new();
        for _ in 0..d.list(MAX_REFS)? {
            d.fields(2)?;
            alerts.push(StatementRef { party: d.party()?, number: d.u64()? });
        }
        let time = d.instant()?;
        d.end()?;
        Ok(Self { conflict, level, alerts, time, officer, signed: signed.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConflictKind, FlightId, Subject};

    #[test]
    fn an_acknowledgement_is_the_officers_own() {
        let officer = SigningKey::from_bytes(&[5; 32]);
        let (line, party) = (LineName::new("valley").unwrap(), PartyName::new("blue").unwrap());
        let subject =
            |p: &str| Subject { party: PartyName::new(p).unwrap(), id: FlightId::new("A1").unwrap() };
        let key = ConflictKey::new(ConflictKind::Tracks, subject("green"), subject("blue"));
        assert_eq!(key.first.party.as_str(), "blue", "sorted");
        let alerts = vec![StatementRef { party: party.clone(), number: 3 }];
        let time = Timestamp::from_second(5).unwrap();
        let said = Acknowledgement::sign(&line, &party, key, Level::Warning, alerts, time, &officer);
        let find = |id, _| (id == KeyId::of(&officer.verifying_key())).then(|| officer.verifying_key());
        assert_eq!(Acknowledgement::open(&said.signed, &line, &party, find), Ok(said.clone()));
        let other = PartyName::new("green").unwrap();
        assert!(Acknowledgement::open(&said.signed, &line, &other, find).is_err());
        assert!(Acknowledgement::open(&said.signed, &line, &party, |_, _| None).is_err());
    }
}
