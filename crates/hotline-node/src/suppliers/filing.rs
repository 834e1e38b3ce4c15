//! From the suppliers to the line: what they plan and restrict in the coordinated airspace is filed as the party's.

use super::Joined;
use super::mirror::{reaches, same_on_the_line};
use super::putting::{FROM_THE_LINE, is_of_a_peer};
use crate::engine::Command;
use hotline_airspace::{Category, Volume4};
use hotline_line::{FlightId, Purpose, Restriction};
use hotline_picture::FlightPlan;
use std::collections::BTreeMap;

/// What suppliers plan is filed under these names, with their identifiers.
const FLIGHT: &str = "uss-intent-";
const RESTRICTION: &str = "uss-constraint-";

impl Joined {
    /// Files what suppliers plan and restrict, ends what is gone.
    pub(super) fn file_on_the_line(&mut self) {
        let look = self.engine.look(|core| {
            let own = core.picture().own().clone();
            let ours = |party: &hotline_ledger::PartyName, id: &FlightId, prefix: &str| {
                *party == own && id.as_str().starts_with(prefix)
            };
            let flights: BTreeMap<FlightId, Vec<Volume4>> = core
                .picture()
                .intents()
                .filter(|i| ours(&i.subject.party, &i.subject.id, FLIGHT))
                .map(|i| (i.subject.id.clone(), i.notice.volumes.clone()))
                .collect();
            let restrictions: BTreeMap<FlightId, Vec<Volume4>> = core
                .picture()
                .restrictions()
                .filter(|r| ours(&r.subject.party, &r.subject.id, RESTRICTION))
                .map(|r| (r.subject.id.clone(), r.restriction.volumes.clone()))
                .collect();
            (flights, restrictions)
        });
        let Some((mut filed, mut restricted)) = self.runtime.block_on(look) else { return };
        for (intent, volumes) in self.uss.intents(|flight| !flight.starts_with(FROM_THE_LINE)) {
            let Some((id, volumes)) = self.for_the_line(FLIGHT, &intent.reference.id, volumes) else {
                continue;
            };
            if filed.remove(&id).is_some_and(|is| same_on_the_line(&is, &volumes))
                || !self.may_try(id.as_str())
            {
                continue;
            }
            let plan = FlightPlan {
                flight: id.clone(),
                volumes,
                aircraft: 1,
                category: Category::Unmanned,
                purpose: Purpose::Unmanned,
                callsign: String::new(),
                unit: intent.reference.manager.chars().take(32).collect(),
                squawk: None,
            };
            if let Err(why) = self.command(Command::FileFlight(plan)) {
                self.failed(id.as_str(), why);
            }
        }
        for (constraint, volumes) in self.uss.constraints_and(|c| !is_of_a_peer(c)) {
            let found = self.for_the_line(RESTRICTION, &constraint.reference.id, volumes);
            let Some((id, volumes)) = found else { continue };
            if restricted.remove(&id).is_some_and(|is| same_on_the_line(&is, &volumes))
                || !self.may_try(id.as_str())
            {
                continue;
            }
            let kind = constraint.details.kind.unwrap_or_else(|| "constraint".into());
            let reason: String =
                format!("{kind}, {}", constraint.reference.manager).chars().take(100).collect();
            let restriction = Restriction { id: id.clone(), volumes, reason };
            if let Err(why) = self.command(Command::Restrict(restriction)) {
                self.failed(id.as_str(), why);
            }
        }
        let over = |volumes: &[Volume4], now| volumes.iter().all(|v| v.time.end() <= now);
        let now = self.clock.now();
        for (id, volumes) in filed {
            if !over(&volumes, now)
                && self.may_try(id.as_str())
                && let Err(why) = self.command(Command::EndFlight(id.clone()))
            {
                self.failed(id.as_str(), why);
            }
        }
        for (id, volumes) in restricted {
            if !over(&volumes, now)
                && self.may_try(id.as_str())
                && let Err(why) = self.command(Command::Lift(id.clone()))
            {
                self.failed(id.as_str(), why);
            }
        }
    }

    /// What of a supplier's entity is the line's business: the volumes in the coordinated airspace, under a name there.
    fn for_the_line(
        &self,
        prefix: &str,
        id: &str,
        volumes: Vec<Volume4>,
    ) -> Option<(FlightId, Vec<Volume4>)> {
        let now = self.clock.now();
        let concerns = |v: &Volume4| v.time.end() > now && reaches(&self.tiles, &v.area);
        let inside: Vec<Volume4> = volumes.into_iter().filter(concerns).collect();
        let id = FlightId::new(&format!("{prefix}{id}")).ok()?;
        (!inside.is_empty()).then_some((id, inside))
    }
}
