//! Statements in plain English, for people who read evidence.

use hotline_ledger::{PartyAccount, Role, Statement};
use hotline_line::{Acknowledgement, Body, ConflictKey, ConflictKind, StatementRef};

fn conflict(key: &ConflictKey) -> String {
    match key.kind {
        ConflictKind::Plans => format!("the plans of {} and {}", key.first, key.second),
        ConflictKind::PlanRestriction => format!("the plan of {} and restriction {}", key.first, key.second),
        ConflictKind::Tracks => format!("aircraft {} and {}", key.first, key.second),
        ConflictKind::TrackPlan => format!("aircraft {} and the plan of {}", key.first, key.second),
        ConflictKind::TrackRestriction => format!("aircraft {} and restriction {}", key.first, key.second),
        ConflictKind::Nonconforming => format!("aircraft {} outside its plan {}", key.first, key.second),
    }
}

fn refs(alerts: &[StatementRef]) -> String {
    alerts.iter().map(|r| format!("{} #{}", r.party, r.number)).collect::<Vec<_>>().join(", ")
}

/// What a statement says. An officer's signature on an acknowledgement is checked with the certificates that the
/// account has proven.
pub(crate) fn describe(statement: &Statement, parties: &[PartyAccount]) -> String {
    let body = match Body::from_cbor(&statement.kind, &statement.body) {
        Ok(body) => body,
        Err(e) => return format!("said something that cannot be read ({}): {e}", statement.kind),
    };
    match body {
        Body::Certificate(_) => "certified a key (listed above)".into(),
        Body::FlightNotice(n) => format!(
            "gave notice of flight {} version {}: {} {:?} for {}, call sign {:?}, {} volumes from {} to {}{}",
            n.flight,
            n.version,
            n.aircraft,
            n.category,
            n.purpose.as_str(),
            n.callsign,
            n.volumes.len(),
            n.volumes.iter().map(|v| v.time.start()).min().unwrap_or_default(),
            n.volumes.iter().map(|v| v.time.end()).max().unwrap_or_default(),
            if n.late { " (late notice)" } else { "" },
        ),
        Body::FlightEnd(end) => format!("ended flight {} (version {})", end.flight, end.version),
        Body::Restriction(r) => format!(
            "entered restriction {} ({}) until {}",
            r.id,
            r.reason,
            r.volumes.iter().map(|v| v.time.end()).max().unwrap_or_default()
        ),
        Body::RestrictionLift(lift) => format!("lifted restriction {}", lift.id),
        Body::ConflictAlert(a) => {
            let closest = a.closest.map_or(String::new(), |(time, h, v)| {
                format!(", closest {h:.0} m and {v:.0} m in height after {:.0} s", time.get())
            });
            format!(
                "alerted ({}): {} from {} to {}{closest}",
                a.level.as_str(),
                conflict(&a.conflict),
                a.begins,
                a.ends
            )
        }
        Body::ConflictClear(c) => {
            format!("no longer sees the conflict of {} since {}", conflict(&c.conflict), c.since)
        }
        Body::Acknowledgement(signed) => acknowledgement(statement, &signed, parties),
        Body::MissedDeadline(m) => format!(
            "recorded that {} did not acknowledge ({}) {} by {}",
            m.party,
            m.level.as_str(),
            conflict(&m.conflict),
            m.due
        ),
        Body::Unknown(kind) => format!("said something of kind {kind}, which this version does not know"),
    }
}

fn acknowledgement(statement: &Statement, signed: &[u8], parties: &[PartyAccount]) -> String {
    let mut holder = String::new();
    let opened = Acknowledgement::open(signed, &statement.line, &statement.party, |id, at| {
        let party = parties.iter().find(|p| p.party == statement.party)?;
        let fits = |c: &&hotline_ledger::Certificate| {
            c.role == Role::Officer && hotline_ledger::KeyId::of(&c.key) == id && c.valid_at(at)
        };
        let certificate = party.certificates.iter().find(fits)?;
        holder.clone_from(&certificate.holder);
        Some(certificate.key)
    });
    match opened {
        Ok(a) => format!(
            "officer {holder} acknowledged ({}) {}, seen as {}, signed at {}",
            a.level.as_str(),
            conflict(&a.conflict),
            refs(&a.alerts),
            a.time
        ),
        Err(e) => format!("passed on an acknowledgement that does NOT check: {e}"),
    }
}
