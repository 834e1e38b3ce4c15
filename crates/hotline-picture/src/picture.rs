//! The air picture: intents, restrictions, tracks, and what this node sees among them.

use crate::{Detection, Detections, Track, TrackTable};
use hotline_airspace::{
    Category, DatumConversions, Feet, Metres, NauticalMiles, Position, Seconds, TimeInterval, Volume4,
    seconds_between, shifted,
};
use hotline_detect::{Dilation, Minima, VolumeIndex, deviation, encounter, track_enters, volumes_conflict};
use hotline_ledger::PartyName;
use hotline_line::{
    ConflictKey, ConflictKind, FlightNotice, Level, LineError, Restriction, Rulebook, Separation,
    SharedTrack, StatementRef, Subject,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How often a track is compared with the volumes around it.
const VOLUME_CHECK: Seconds = Seconds::new(1.0);
/// How far around a track volumes are looked for beyond its own path, metres.
const VOLUME_MARGIN: f64 = 1_000.0;

/// A live flight.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Whose, and which.
    pub subject: Subject,
    /// The newest notice.
    pub notice: FlightNotice,
    /// The statement that said it; nothing for a flight of the own party that is withheld while the line is suspended.
    pub reference: Option<StatementRef>,
}

/// A restriction in force or to come.
#[derive(Debug, Clone, PartialEq)]
pub struct InForce {
    /// Who entered it, and which.
    pub subject: Subject,
    /// What was said.
    pub restriction: Restriction,
    /// The statement that said it.
    pub reference: StatementRef,
}

/// What has volumes and is in the index: an intent or a restriction, by a short handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Handle(u32);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Planned {
    Intent(Subject),
    Restriction(Subject),
}

/// Minima and tolerances of the rulebook, in the units of detection.
#[derive(Debug)]
struct Minimums {
    crewed: Minima,
    unmanned: Minima,
    plans: Dilation,
    conformance: Dilation,
    lookahead: Seconds,
    warning: Seconds,
    clear_after: Seconds,
    track_age: Seconds,
    lead: Seconds,
    conversions: DatumConversions,
}

fn lengths(of: &Separation) -> (Metres, Metres) {
    (NauticalMiles::new(of.horizontal_nm).into(), Feet::new(of.vertical_ft).into())
}

impl Minimums {
    fn new(rulebook: &Rulebook) -> Result<Self, LineError> {
        let minima = |of: &Separation| {
            let (horizontal, vertical) = lengths(of);
            Minima::new(horizontal, vertical).map_err(|e| LineError::Rulebook(e.to_string()))
        };
        let dilation = |of: &Separation, time| {
            let (horizontal, vertical) = lengths(of);
            Dilation { horizontal, vertical, time: Seconds::new(time) }
        };
        Ok(Self {
            crewed: minima(&rulebook.crewed)?,
            unmanned: minima(&rulebook.unmanned)?,
            plans: dilation(&rulebook.plans, 0.0),
            conformance: dilation(&rulebook.conformance, rulebook.conformance_s),
            lookahead: Seconds::new(rulebook.lookahead_s),
            warning: Seconds::new(rulebook.warning_s),
            clear_after: Seconds::new(rulebook.clear_after_s),
            track_age: Seconds::new(rulebook.track_age_s),
            lead: Seconds::new(rulebook.lead_s),
            conversions: rulebook.conversions(),
        })
    }

    fn between(&self, a: Category, b: Category) -> &Minima {
        let unmanned = a == Category::Unmanned || b == Category::Unmanned;
        if unmanned { &self.unmanned } else { &self.crewed }
    }
}

/// The air picture of a node.
#[derive(Debug)]
pub struct Picture {
    own: PartyName,
    rules: Minimums,
    intents: BTreeMap<Subject, Intent>,
    /// Live flights by party.
    flights: BTreeMap<PartyName, usize>,
    restrictions: BTreeMap<Subject, InForce>,
    index: VolumeIndex<Handle>,
    handles: BTreeMap<Planned, Handle>,
    planned: BTreeMap<Handle, Planned>,
    next_handle: u32,
    tracks: TrackTable,
    detections: Detections,
    /// Conflicts that are new or graver since the last look, in the order they were seen.
    pub(crate) fresh: Vec<Detection>,
}

impl Picture {
    /// An empty picture of a party under a rulebook.
    ///
    /// # Errors
    /// When the rulebook's minima are not usable.
    pub fn new(own: PartyName, rulebook: &Rulebook) -> Result<Self, LineError> {
        let rules = Minimums::new(rulebook)?;
        // A path is looked at from the report's time on, and a report may be as old as allowed.
        let reach = rules.lookahead + rules.track_age;
        Ok(Self {
            own,
            intents: BTreeMap::new(),
            flights: BTreeMap::new(),
            restrictions: BTreeMap::new(),
            index: VolumeIndex::default(),
            handles: BTreeMap::new(),
            planned: BTreeMap::new(),
            next_handle: 0,
            tracks: TrackTable::new(reach, rulebook.widest()),
            rules,
            detections: Detections::default(),
            fresh: Vec::new(),
        })
    }

    /// Another rulebook is in force.
    ///
    /// # Errors
    /// When its minima are not usable; then the one before stays.
    pub(crate) fn set_rulebook(&mut self, rulebook: &Rulebook, now: Timestamp) -> Result<(), LineError> {
        self.rules = Minimums::new(rulebook)?;
        let reach = self.rules.lookahead + self.rules.track_age;
        self.tracks.set_reach(reach, rulebook.widest());
        // All plans are compared anew.
        let planned: Vec<Planned> = self.planned.values().cloned().collect();
        planned.iter().for_each(|p| self.check_planned(p, now));
        Ok(())
    }

    /// Live flights.
    pub fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.intents.values()
    }

    /// How many live flights a party has.
    pub fn flights_of(&self, party: &PartyName) -> usize {
        self.flights.get(party).copied().unwrap_or(0)
    }

    /// A live flight.
    pub fn intent(&self, subject: &Subject) -> Option<&Intent> {
        self.intents.get(subject)
    }

    /// Restrictions in force or to come.
    pub fn restrictions(&self) -> impl Iterator<Item = &InForce> {
        self.restrictions.values()
    }

    /// A restriction.
    pub fn restriction(&self, subject: &Subject) -> Option<&InForce> {
        self.restrictions.get(subject)
    }

    /// All tracks.
    pub fn tracks(&self) -> &TrackTable {
        &self.tracks
    }

    /// The conflicts that this node sees.
    pub fn detections(&self) -> &Detections {
        &self.detections
    }

    pub(crate) fn detections_mut(&mut self) -> &mut Detections {
        &mut self.detections
    }

    fn seen(&mut self, detection: Detection) {
        let key = detection.key.clone();
        if self.detections.seen(detection) {
            self.fresh.push(self.detections.get(&key).expect("just put in").clone());
        }
    }

    // ---- plans ----

    fn file(&mut self, planned: Planned, volumes: &[Volume4]) {
        let handle = *self.handles.entry(planned.clone()).or_insert_with(|| {
            self.next_handle += 1;
            Handle(self.next_handle)
        });
        self.planned.insert(handle, planned);
        self.index.insert(handle, volumes);
    }

    fn unfile(&mut self, planned: &Planned) {
        if let Some(handle) = self.handles.remove(planned) {
            self.planned.remove(&handle);
            self.index.remove(handle);
        }
    }

    fn volumes(&self, planned: &Planned) -> &[Volume4] {
        match planned {
            Planned::Intent(subject) => self.intents.get(subject).map_or(&[], |i| &i.notice.volumes),
            Planned::Restriction(subject) => {
                self.restrictions.get(subject).map_or(&[], |r| &r.restriction.volumes)
            }
        }
    }

    /// A flight notice was heard: a newer version replaces an older one, anything else is stale.
    pub(crate) fn hear_notice(
        &mut self,
        party: &PartyName,
        reference: Option<StatementRef>,
        notice: FlightNotice,
        now: Timestamp,
    ) -> Subject {
        let subject = Subject { party: party.clone(), id: notice.flight.clone() };
        let newer = |known: &Intent| match known.notice.version.cmp(&notice.version) {
            std::cmp::Ordering::Less => true,
            // What was withheld is said.
            std::cmp::Ordering::Equal => known.reference.is_none() && reference.is_some(),
            std::cmp::Ordering::Greater => false,
        };
        if !self.intents.get(&subject).is_none_or(newer) {
            return subject;
        }
        self.file(Planned::Intent(subject.clone()), &notice.volumes);
        let intent = Intent { subject: subject.clone(), notice, reference };
        if self.intents.insert(subject.clone(), intent).is_none() {
            *self.flights.entry(subject.party.clone()).or_default() += 1;
        }
        self.check_planned(&Planned::Intent(subject.clone()), now);
        subject
    }

    /// A flight is over.
    pub(crate) fn hear_end(&mut self, subject: &Subject) {
        if self.intents.remove(subject).is_some() {
            *self.flights.entry(subject.party.clone()).or_default() -= 1;
        }
        self.unfile(&Planned::Intent(subject.clone()));
        let kinds = [
            ConflictKind::Plans,
            ConflictKind::PlanRestriction,
            ConflictKind::TrackPlan,
            ConflictKind::Nonconforming,
        ];
        self.detections.over_for(subject, &kinds, &BTreeSet::new());
    }

    /// A restriction was entered.
    pub(crate) fn hear_restriction(
        &mut self,
        reference: &StatementRef,
        restriction: Restriction,
        now: Timestamp,
    ) -> Subject {
        let subject = Subject { party: reference.party.clone(), id: restriction.id.clone() };
        self.file(Planned::Restriction(subject.clone()), &restriction.volumes);
        let entered = InForce { subject: subject.clone(), restriction, reference: reference.clone() };
        self.restrictions.insert(subject.clone(), entered);
        self.check_planned(&Planned::Restriction(subject.clone()), now);
        subject
    }

    /// A restriction was lifted.
    pub(crate) fn hear_lift(&mut self, subject: &Subject) {
        self.restrictions.remove(subject);
        self.unfile(&Planned::Restriction(subject.clone()));
        let kinds = [ConflictKind::PlanRestriction, ConflictKind::TrackRestriction];
        self.detections.over_for(subject, &kinds, &BTreeSet::new());
    }

    /// Compares an intent or restriction with all others of other parties.
    fn check_planned(&mut self, new: &Planned, now: Timestamp) {
        let mut found: BTreeMap<ConflictKey, Detection> = BTreeMap::new();
        for volume in self.volumes(new) {
            for (handle, number) in self.index.near(volume, &self.rules.plans) {
                let other = &self.planned[&handle];
                let Some(key) = planned_key(new, other) else { continue };
                let Some(theirs) = self.volumes(other).get(number as usize) else { continue };
                let Some((begins, ends)) =
                    volumes_conflict(volume, theirs, &self.rules.plans, &self.rules.conversions)
                else {
                    continue;
                };
                if ends < now {
                    continue;
                }
                let known = found.get(&key);
                let begins = known.map_or(begins, |k| k.begins.min(begins));
                let ends = known.map_or(ends, |k| k.ends.max(ends));
                let soon = seconds_between(now, begins) < self.rules.lead;
                let place = smaller_middle(volume, theirs);
                found.insert(
                    key.clone(),
                    Detection {
                        key,
                        level: if soon { Level::Caution } else { Level::Advisory },
                        first_seen: now,
                        last_seen: now,
                        begins,
                        ends,
                        closest: None,
                        place,
                    },
                );
            }
        }
        let (Planned::Intent(subject) | Planned::Restriction(subject)) = new;
        let still = found.keys().cloned().collect();
        self.detections.over_for(subject, &[ConflictKind::Plans, ConflictKind::PlanRestriction], &still);
        found.into_values().for_each(|detection| self.seen(detection));
    }

    // ---- tracks ----

    /// A report of an aircraft. Whether it was taken in.
    pub(crate) fn hear_track(
        &mut self,
        party: &PartyName,
        report: SharedTrack,
        now: Timestamp,
    ) -> Option<u32> {
        // A report from the future by more than its age may be old is a wrong clock: it cannot be compared.
        if seconds_between(now, report.state.time()) > self.rules.track_age {
            return None;
        }
        let slot = self.tracks.update(party, report, now)?;
        self.check_pairs(slot, now);
        self.check_volumes(slot, now);
        Some(slot)
    }

    fn check_pairs(&mut self, slot: u32, now: Timestamp) {
        let Some(own) = self.tracks.get(slot) else { return };
        let here = own.at(now);
        let mut found = Vec::new();
        self.tracks.near(slot, |other| {
            if other.subject.party == own.subject.party
                || seconds_between(other.report.state.time(), now) > self.rules.track_age
            {
                return;
            }
            let minima = self.rules.between(own.report.category, other.report.category);
            let met = encounter(&here, &other.at(now), minima, self.rules.lookahead, &self.rules.conversions);
            if let Some(met) = met {
                found.push((other.subject.clone(), met));
            }
        });
        let (subject, state) = (own.subject.clone(), own.report.state);
        for (other, met) in found {
            let soon = met.violation.enters <= self.rules.warning;
            let place = state.dead_reckoned(shifted(now, met.closest.time)).position();
            self.seen(Detection {
                key: ConflictKey::new(ConflictKind::Tracks, subject.clone(), other),
                level: if soon { Level::Warning } else { Level::Caution },
                first_seen: now,
                last_seen: now,
                begins: shifted(now, met.violation.enters),
                ends: shifted(now, met.violation.leaves),
                closest: Some((met.closest.time, met.closest.horizontal.get(), met.closest.vertical.get())),
                place,
            });
        }
    }

    fn check_volumes(&mut self, slot: u32, now: Timestamp) {
        let Some(track) = self.tracks.get(slot) else { return };
        let recently = |at: Timestamp| {
            let since = seconds_between(at, now);
            since < VOLUME_CHECK && since.get() >= 0.0
        };
        if self.planned.is_empty() || track.volumes_checked.is_some_and(recently) {
            return;
        }
        let track = track.clone();
        let subject = &track.subject;
        let flight = track.report.flight.as_ref();
        let plan = flight.map(|id| Subject { party: subject.party.clone(), id: id.clone() });
        let intent = plan.as_ref().and_then(|plan| self.intents.get(plan));
        let state = track.report.state.dead_reckoned(now);
        let rules = &self.rules;
        let away =
            intent.and_then(|i| deviation(&state, &i.notice.volumes, &rules.conformance, &rules.conversions));
        let mut found = Vec::new();
        if let (Some(plan), Some(away)) = (&plan, away) {
            found.push(Detection {
                key: ConflictKey::new(ConflictKind::Nonconforming, subject.clone(), plan.clone()),
                level: Level::Advisory,
                first_seen: now,
                last_seen: now,
                begins: now,
                ends: shifted(now, rules.lookahead),
                closest: Some((Seconds::new(0.0), away.horizontal.get(), away.vertical.get())),
                place: state.position(),
            });
        }
        let conforming = intent.is_some() && away.is_none();
        found.extend(self.entries(&track, &state, conforming, now));
        if let Some(track) = self.tracks.get_mut(slot) {
            track.volumes_checked = Some(now);
            track.outside_plan = away.is_some();
        }
        found.into_iter().for_each(|detection| self.seen(detection));
    }

    /// Volumes that a track will enter: restrictions of other parties, and, unless it conforms to a plan of its own
    /// (which has been compared with theirs), other parties' plans.
    fn entries(
        &self,
        track: &Track,
        state: &hotline_airspace::TrackState,
        conforming: bool,
        now: Timestamp,
    ) -> Vec<Detection> {
        let rules = &self.rules;
        let reach = state.ground_speed() * rules.lookahead + Metres::new(VOLUME_MARGIN);
        let Ok(window) = TimeInterval::new(now, shifted(now, rules.lookahead)) else { return Vec::new() };
        let mut found: BTreeMap<ConflictKey, Detection> = BTreeMap::new();
        for (handle, number) in self.index.around(state.position(), reach, window) {
            let (other, kind) = match &self.planned[&handle] {
                Planned::Restriction(other) => (other, ConflictKind::TrackRestriction),
                Planned::Intent(other) if !conforming => (other, ConflictKind::TrackPlan),
                Planned::Intent(_) => continue,
            };
            if other.party == track.subject.party {
                continue;
            }
            let Some(volume) = self.volumes(&self.planned[&handle]).get(number as usize) else { continue };
            let entry =
                track_enters(state, volume, &Dilation::default(), rules.lookahead, &rules.conversions);
            let Some(entry) = entry else { continue };
            let key = ConflictKey::new(kind, track.subject.clone(), other.clone());
            let begins = shifted(now, entry.enters);
            if found.get(&key).is_some_and(|known| known.begins <= begins) {
                continue;
            }
            let soon = entry.enters <= rules.warning && kind == ConflictKind::TrackRestriction;
            found.insert(
                key.clone(),
                Detection {
                    key,
                    level: if soon { Level::Warning } else { Level::Caution },
                    first_seen: now,
                    last_seen: now,
                    begins,
                    ends: shifted(now, entry.leaves),
                    closest: None,
                    place: state.dead_reckoned(begins).position(),
                },
            );
        }
        found.into_values().collect()
    }

    // ---- time ----

    /// Time has passed: what is too old is gone.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        self.tracks.expire(now, self.rules.track_age);
        self.detections.expire(now, self.rules.clear_after);
        let past =
            |volumes: &[Volume4], slack: Seconds| volumes.iter().all(|v| shifted(v.time.end(), slack) < now);
        let slack = self.rules.conformance.time;
        let over =
            self.intents.values().filter(|i| past(&i.notice.volumes, slack)).map(|i| i.subject.clone());
        for subject in over.collect::<Vec<_>>() {
            self.hear_end(&subject);
        }
        let expired = self.restrictions.values().filter(|r| past(&r.restriction.volumes, Seconds::new(0.0)));
        for subject in expired.map(|r| r.subject.clone()).collect::<Vec<_>>() {
            self.hear_lift(&subject);
        }
    }

    /// Whether a track of the own party is to be shown to a peer under the rule.
    pub(crate) fn disclosed(&self, slot: u32, peer: &PartyName, rule: hotline_line::Disclosure) -> bool {
        use hotline_line::Disclosure;
        match rule {
            Disclosure::All => true,
            Disclosure::None => false,
            Disclosure::WithinNm(distance) => {
                self.tracks.party_within(slot, NauticalMiles::new(distance).into(), peer)
            }
            Disclosure::InConflict => self.tracks.get(slot).is_some_and(|track| {
                let about = |s: &Subject| *s == track.subject;
                self.detections.iter().any(|d| {
                    (about(&d.key.first) || about(&d.key.second)) && d.key.parties().any(|p| p == peer)
                })
            }),
        }
    }

    /// Takes over the tracks and detections of another picture.
    pub(crate) fn take_over(&mut self, old: Self) {
        self.tracks = old.tracks;
        old.detections.iter().for_each(|d| self.detections.resume(d.clone()));
    }

    /// The own party.
    pub fn own(&self) -> &PartyName {
        &self.own
    }
}

/// What names the conflict of two planned things, if they can have one: of different parties, not two
/// restrictions. The plan comes first, the restriction second.
fn planned_key(a: &Planned, b: &Planned) -> Option<ConflictKey> {
    let (Planned::Intent(one) | Planned::Restriction(one)) = a;
    let (Planned::Intent(other) | Planned::Restriction(other)) = b;
    if one.party == other.party {
        return None;
    }
    match (a, b) {
        (Planned::Intent(a), Planned::Intent(b)) => {
            Some(ConflictKey::new(ConflictKind::Plans, a.clone(), b.clone()))
        }
        (Planned::Intent(plan), Planned::Restriction(kept))
        | (Planned::Restriction(kept), Planned::Intent(plan)) => {
            Some(ConflictKey::new(ConflictKind::PlanRestriction, plan.clone(), kept.clone()))
        }
        (Planned::Restriction(_), Planned::Restriction(_)) => None,
    }
}

fn smaller_middle(a: &Volume4, b: &Volume4) -> Position {
    let ((middle_a, reach_a), (middle_b, reach_b)) = (a.area.bounding_circle(), b.area.bounding_circle());
    if reach_a <= reach_b { middle_a } else { middle_b }
}
