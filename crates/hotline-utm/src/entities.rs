//! A DSS' entities as JSON, one a line: to move them from another service, or to another, without anybody's database.
//!
//! Each line has its `kind` and the fields that the standards give the entity, its version token included. Where it is, is said
//! by `extents` (the standard's volumes) or by `cells` (S2 cells of level 13, as numbers or text) with `altitude_lower`,
//! `altitude_upper` (metres above the ellipsoid), `time_start` and `time_end`; lines written here have cells.

use crate::geometry::{Volume4, instant, union, written};
use crate::{Problem, StoreError};
use hotline_airspace::Cell;
use hotline_dss::{
    Availability, Constraint, Extent, Id, Intent, IntentState, Item, MAX_CELLS, RidSubscription, ServiceArea,
    Subscription,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    OperationalIntent {
        id: String,
        manager: Arc<str>,
        version: i32,
        state: String,
        ovn: Arc<str>,
        uss_base_url: Arc<str>,
        subscription_id: Option<String>,
        #[serde(rename = "where")]
        place: Place,
    },
    Constraint {
        id: String,
        manager: Arc<str>,
        version: i32,
        ovn: Arc<str>,
        uss_base_url: Arc<str>,
        #[serde(rename = "where")]
        place: Place,
    },
    Subscription {
        id: String,
        manager: Arc<str>,
        version: Arc<str>,
        notification_index: i32,
        uss_base_url: Arc<str>,
        notify_for_operational_intents: bool,
        notify_for_constraints: bool,
        #[serde(default)]
        implicit_subscription: bool,
        #[serde(rename = "where")]
        place: Place,
    },
    IdentificationServiceArea {
        id: String,
        owner: Arc<str>,
        version: Arc<str>,
        url: Arc<str>,
        #[serde(rename = "where")]
        place: Place,
    },
    RemoteIdSubscription {
        id: String,
        owner: Arc<str>,
        version: Arc<str>,
        notification_index: i32,
        url: Arc<str>,
        #[serde(rename = "where")]
        place: Place,
    },
    UssAvailability {
        uss: Arc<str>,
        version: Arc<str>,
        availability: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    extents: Option<Vec<Volume4>>,
    cells: Option<Vec<CellId>>,
    altitude_lower: Option<f64>,
    altitude_upper: Option<f64>,
    time_start: Option<String>,
    time_end: Option<String>,
}

/// As text, as a number, or as databases keep it: a signed one.
#[derive(Deserialize)]
#[serde(untagged)]
enum CellId {
    Number(u64),
    Signed(i64),
    Text(String),
}

impl CellId {
    fn cell(&self) -> Result<Cell, String> {
        let id = match self {
            Self::Number(n) => Some(*n),
            Self::Signed(n) => Some(n.cast_unsigned()),
            Self::Text(text) => text.parse().ok(),
        };
        let cell = id.and_then(Cell::from_s2_id);
        cell.ok_or_else(|| "cells must be identifiers of S2 cells of level 13".into())
    }
}

fn told(problem: &Problem) -> String {
    problem.message().to_owned()
}

impl Place {
    fn extent(&self) -> Result<Extent, String> {
        if let Some(extents) = &self.extents {
            return union(extents, false).map_err(|p| told(&p));
        }
        let cells = self.cells.as_ref().ok_or("where needs extents, or cells with times")?;
        if cells.is_empty() || cells.len() > MAX_CELLS {
            return Err(format!("{} cells: 1 to {MAX_CELLS} are allowed", cells.len()));
        }
        let mut cells: Vec<Cell> = cells.iter().map(CellId::cell).collect::<Result<_, _>>()?;
        cells.sort_unstable();
        cells.dedup();
        let time = |text: &Option<String>, what: &str| {
            let text = text.as_ref().ok_or_else(|| format!("where needs {what}"))?;
            instant(text).map_err(|p| told(&p))
        };
        let (start, end) = (time(&self.time_start, "time_start")?, time(&self.time_end, "time_end")?);
        let lower = self.altitude_lower.unwrap_or(f64::NEG_INFINITY);
        let upper = self.altitude_upper.unwrap_or(f64::INFINITY);
        if start >= end || lower.is_nan() || upper.is_nan() || lower > upper {
            return Err("time_start must be before time_end, altitude_lower not above altitude_upper".into());
        }
        Ok(Extent { cells: cells.into(), lower, upper, start, end })
    }
}

fn id(text: &str) -> Result<Id, String> {
    crate::dss::identifier(text).map_err(|p| told(&p))
}

fn state(name: &str) -> Result<IntentState, String> {
    crate::f3548::intents::state(name).map_err(|p| told(&p))
}

/// Reads one line.
///
/// # Errors
/// What is wrong with it.
pub fn read_entity(line: &str) -> Result<Item, String> {
    let line: Line = serde_json::from_str(line).map_err(|e| e.to_string())?;
    Ok(match line {
        Line::OperationalIntent {
            id: i,
            manager,
            version,
            state: s,
            ovn,
            uss_base_url,
            subscription_id,
            place,
        } => {
            let subscription = subscription_id.as_deref().map(id).transpose()?;
            let extent = place.extent()?;
            let (id, state, url) = (id(&i)?, state(&s)?, uss_base_url);
            Item::Intent(Arc::new(Intent { id, manager, version, state, ovn, extent, url, subscription }))
        }
        Line::Constraint { id: i, manager, version, ovn, uss_base_url: url, place } => {
            let (id, extent) = (id(&i)?, place.extent()?);
            Item::Constraint(Arc::new(Constraint { id, manager, version, ovn, extent, url }))
        }
        Line::Subscription {
            id: i,
            manager,
            version,
            notification_index: index,
            uss_base_url: url,
            notify_for_operational_intents: for_intents,
            notify_for_constraints: for_constraints,
            implicit_subscription: implicit,
            place,
        } => {
            let (id, extent) = (id(&i)?, place.extent()?);
            Item::Subscription(Arc::new(Subscription {
                id,
                manager,
                version,
                index,
                extent,
                url,
                for_intents,
                for_constraints,
                implicit,
            }))
        }
        Line::IdentificationServiceArea { id: i, owner, version, url, place } => {
            let (id, extent) = (id(&i)?, place.extent()?);
            Item::ServiceArea(Arc::new(ServiceArea { id, owner, version, extent, url }))
        }
        Line::RemoteIdSubscription { id: i, owner, version, notification_index: index, url, place } => {
            let (id, extent) = (id(&i)?, place.extent()?);
            Item::RidSubscription(Arc::new(RidSubscription { id, owner, version, index, extent, url }))
        }
        Line::UssAvailability { uss, version, availability } => {
            let availability = match availability.as_str() {
                "Unknown" => Availability::Unknown,
                "Normal" => Availability::Normal,
                "Down" => Availability::Down,
                other => return Err(format!("{other:?} is no availability: Unknown, Normal and Down are")),
            };
            Item::Availability(uss, version, availability)
        }
    })
}

fn place(extent: &Extent) -> Value {
    let cells: Vec<String> = extent.cells.iter().map(|c| c.s2_id().to_string()).collect();
    let bound = |metres: f64| metres.is_finite().then_some(metres);
    json!({
        "cells": cells, "altitude_lower": bound(extent.lower), "altitude_upper": bound(extent.upper),
        "time_start": written(extent.start), "time_end": written(extent.end),
    })
}

/// Writes a thing as a line; none for what only this service has (reports, instances, its clock).
pub fn write_entity(item: &Item) -> Option<String> {
    let line = match item {
        Item::Intent(i) => json!({
            "kind": "operational_intent", "id": i.id.to_string(), "manager": i.manager, "version": i.version,
            "state": format!("{:?}", i.state), "ovn": i.ovn, "uss_base_url": i.url,
            "subscription_id": i.subscription.map(|s| s.to_string()), "where": place(&i.extent),
        }),
        Item::Constraint(c) => json!({
            "kind": "constraint", "id": c.id.to_string(), "manager": c.manager, "version": c.version, "ovn": c.ovn,
            "uss_base_url": c.url, "where": place(&c.extent),
        }),
        Item::Subscription(s) => json!({
            "kind": "subscription", "id": s.id.to_string(), "manager": s.manager, "version": s.version,
            "notification_index": s.index, "uss_base_url": s.url, "notify_for_operational_intents": s.for_intents,
            "notify_for_constraints": s.for_constraints, "implicit_subscription": s.implicit,
            "where": place(&s.extent),
        }),
        Item::ServiceArea(a) => json!({
            "kind": "identification_service_area", "id": a.id.to_string(), "owner": a.owner, "version": a.version,
            "url": a.url, "where": place(&a.extent),
        }),
        Item::RidSubscription(s) => json!({
            "kind": "remote_id_subscription", "id": s.id.to_string(), "owner": s.owner, "version": s.version,
            "notification_index": s.index, "url": s.url, "where": place(&s.extent),
        }),
        Item::Availability(uss, version, availability) => json!({
            "kind": "uss_availability", "uss": uss, "version": version, "availability": format!("{availability:?}"),
        }),
        Item::Now(_) | Item::Report(_) | Item::Instance(_) => return None,
    };
    Some(line.to_string())
}

/// What names a thing among all, so that two of one name are noticed.
pub(crate) fn name(item: &Item) -> Option<(u8, String)> {
    Some(match item {
        Item::Intent(i) => (0, i.id.to_string()),
        Item::Constraint(c) => (1, c.id.to_string()),
        Item::Subscription(s) => (2, s.id.to_string()),
        Item::ServiceArea(a) => (3, a.id.to_string()),
        Item::RidSubscription(s) => (4, s.id.to_string()),
        Item::Availability(uss, ..) => (5, uss.to_string()),
        Item::Now(_) | Item::Report(_) | Item::Instance(_) => return None,
    })
}

/// Adds things to those of a folder, which no service has open.
///
/// # Errors
/// When one is there already, or an intent's subscription is not, or the folder cannot be read or written.
pub fn import_entities(
    folder: &std::path::Path,
    keeping: crate::Keeping,
    new: Vec<Item>,
) -> Result<usize, StoreError> {
    let refused = |why: String| StoreError::Unreadable(why);
    std::fs::create_dir_all(folder).map_err(|e| refused(format!("{}: {e}", folder.display())))?;
    let clock: crate::Clock =
        Arc::new(|| hotline_dss::Moment::from_micros(jiff::Timestamp::now().as_microsecond()));
    let mut store = crate::Store::open(folder, keeping, clock, Arc::default())?;
    let (position, mut items) = store.everything();
    store.close()?;
    let mut names: std::collections::HashSet<(u8, String)> = items.iter().filter_map(name).collect();
    let count = new.len();
    for item in &new {
        let named = name(item).ok_or_else(|| refused("only entities are taken".into()))?;
        if names.contains(&named) {
            return Err(refused(format!("{} is there already; nothing was taken", named.1)));
        }
        names.insert(named);
    }
    for item in &new {
        if let Item::Intent(intent) = item
            && let Some(subscription) = intent.subscription
            && !names.contains(&(2, subscription.to_string()))
        {
            let why =
                format!("intent {} needs the subscription {subscription}, which is not there", intent.id);
            return Err(refused(format!("{why}; nothing was taken")));
        }
    }
    items.extend(new);
    crate::snapshot_file::save(folder, crate::snapshot_file::OWN, position, items)?;
    Ok(count)
}
