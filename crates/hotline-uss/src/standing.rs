//! Standing subscriptions: knowing everything that others plan in some airspace, for as long as it is wanted.
//!
//! A rectangle is cut into tiles that the DSS takes (F3548 services allow about 2 500 km2), each with a subscription that
//! is put anew at each look: its answer lists what is there, which repairs any notification that was missed.

use crate::Uss;
use crate::around;
use crate::http::AskError;
use crate::volumes::written;
use crate::wire::{Constraint, ConstraintReference, Intent, IntentReference};
use hotline_airspace::{Area, Degrees, Position};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The most tiles of all rectangles.
pub const MAX_TILES: usize = 200;
/// A tile's height; it is about as wide: at most 2 000 km2.
const TILE_DEGREES: f64 = 0.4;
/// A subscription lasts so long unless it is put anew (24 h are allowed).
const FOR: SignedDuration = SignedDuration::from_hours(12);
const HEIGHTS: (f64, f64) = (-1_000.0, 100_000.0);

/// South, west, north and east, degrees.
pub type Rectangle = [f64; 4];

/// Why a rectangle cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RectangleError {
    /// It is none.
    #[error("{0:?} is no rectangle [south, west, north, east] in degrees, within 85 degrees of the equator")]
    Shape(Rectangle),
    /// It is too large.
    #[error("the airspace has {0} tiles of 0.4 degrees; {MAX_TILES} are allowed")]
    TooLarge(usize),
}

/// A piece of airspace with a subscription of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// Seen from above.
    pub area: Area,
    /// The subscription's identifier.
    pub subscription: String,
}

impl Tile {
    /// Cuts rectangles into tiles. `identifier` names the subscription of each by its place.
    ///
    /// # Errors
    /// When a rectangle is none, or there are too many tiles.
    pub fn cut(
        rectangles: &[Rectangle],
        identifier: impl Fn(&str) -> String,
    ) -> Result<Vec<Self>, RectangleError> {
        let mut tiles = Vec::new();
        for &rectangle in rectangles {
            let [south, west, north, east] = rectangle;
            let fits = -85.0 <= south && south < north && north <= 85.0;
            if !(fits && -180.0 <= west && west < east && east <= 180.0) {
                return Err(RectangleError::Shape(rectangle));
            }
            let rows = ((north - south) / TILE_DEGREES).ceil() as usize;
            let widest = TILE_DEGREES / south.abs().max(north.abs()).min(85.0).to_radians().cos();
            let columns = ((east - west) / widest).ceil() as usize;
            if tiles.len() + rows.saturating_mul(columns) > MAX_TILES {
                return Err(RectangleError::TooLarge(tiles.len() + rows.saturating_mul(columns)));
            }
            let lat = |row: usize| south + (north - south) * row as f64 / rows as f64;
            let lng = |column: usize| west + (east - west) * column as f64 / columns as f64;
            for (row, column) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
                let corner = |lat, lng| {
                    Position::new(Degrees::new(lat), Degrees::new(lng))
                        .map_err(|_| RectangleError::Shape(rectangle))
                };
                let (low, high, left, right) = (lat(row), lat(row + 1), lng(column), lng(column + 1));
                let corners =
                    vec![corner(low, left)?, corner(low, right)?, corner(high, right)?, corner(high, left)?];
                let area = Area::polygon(corners).map_err(|_| RectangleError::Shape(rectangle))?;
                tiles.push(Self { area, subscription: identifier(&format!("{low},{left},{high},{right}")) });
            }
        }
        Ok(tiles)
    }
}

impl Uss {
    /// What others plan in the tiles now. What has changed since the last look is told as a change as well.
    ///
    /// # Errors
    /// When the DSS does not answer. A supplier that does not is left out, and asked again at the next look.
    pub fn look_at(&self, tiles: &[Tile]) -> Result<(), AskError> {
        let (mut intents, mut constraints) = (BTreeMap::new(), BTreeMap::new());
        // What comes in while this looks is newer than what it sees.
        let before = {
            let state = self.state();
            let ids: (Vec<String>, Vec<String>) = (
                state.intents_known.keys().cloned().collect(),
                state.constraints_known.keys().cloned().collect(),
            );
            ids
        };
        for tile in tiles {
            let now = self.time();
            let extents = written(&tile.area, HEIGHTS, (now, now + FOR));
            let body = json!({
                "extents": extents, "uss_base_url": self.settings.base_url,
                "notify_for_operational_intents": true, "notify_for_constraints": true,
            });
            let version = match self.dss.subscription_version(&self.http, &tile.subscription) {
                Ok(version) => Some(version),
                Err(e) if e.status() == Some(404) => None,
                Err(e) => return Err(e),
            };
            let seen =
                self.dss.put_subscription(&self.http, &tile.subscription, version.as_deref(), &body)?;
            let others = |manager: &str| manager != self.settings.name;
            intents.extend(
                seen.operational_intent_references
                    .into_iter()
                    .filter(|r| others(&r.manager))
                    .map(|r| (r.id.clone(), r)),
            );
            constraints.extend(
                seen.constraint_references
                    .into_iter()
                    .filter(|r| others(&r.manager))
                    .map(|r| (r.id.clone(), r)),
            );
        }
        self.take_over(before, &intents, &constraints);
        Ok(())
    }

    fn take_over(
        &self,
        (intents_before, constraints_before): (Vec<String>, Vec<String>),
        intents: &BTreeMap<String, IntentReference>,
        constraints: &BTreeMap<String, ConstraintReference>,
    ) {
        // One that does not answer is waited for once, not for each of its entities.
        let mut silent: BTreeSet<&str> = BTreeSet::new();
        let of_intents = intents.values().map(|r| (r.uss_base_url.as_str(), Ok(r)));
        let of_constraints = constraints.values().map(|r| (r.uss_base_url.as_str(), Err(r)));
        for (base, reference) in of_intents.chain(of_constraints) {
            if silent.contains(base) {
                continue;
            }
            let asked = match reference {
                Ok(intent) => self.intent_details(intent).map(|_| ()),
                Err(constraint) => self.constraint_of(constraint).map(|_| ()),
            };
            if let Err(why) = asked {
                tracing::warn!("{why}");
                if matches!(why, AskError::Silent { .. }) {
                    silent.insert(base);
                }
            }
        }
        let mut state = self.state();
        let (mut gone_intents, mut gone_constraints) = (intents_before, constraints_before);
        gone_intents.retain(|id| !intents.contains_key(id));
        gone_constraints.retain(|id| !constraints.contains_key(id));
        gone_intents.iter().for_each(|id| _ = state.intents_known.remove(id));
        gone_constraints.iter().for_each(|id| _ = state.constraints_known.remove(id));
        drop(state);
        self.told();
    }

    /// The intents that are known, of others and of flights here whose names are wanted, with their exact volumes.
    pub fn intents(&self, wanted: impl Fn(&str) -> bool) -> Vec<(Intent, Vec<hotline_airspace::Volume4>)> {
        let known: Vec<Intent> = {
            let state = self.state();
            let own = state.flights.values().filter(|f| wanted(&f.id)).filter_map(|f| f.intent.clone());
            state.intents_known.values().cloned().chain(own).collect()
        };
        known.into_iter().filter_map(|i| around::check_intent(&i).ok().map(|volumes| (i, volumes))).collect()
    }

    /// The constraints that are known, of others and of those here that are wanted, with their exact volumes.
    pub fn constraints_and(
        &self,
        wanted: impl Fn(&Constraint) -> bool,
    ) -> Vec<(Constraint, Vec<hotline_airspace::Volume4>)> {
        let known: Vec<Constraint> = {
            let state = self.state();
            let own = state.constraints.values().filter_map(|c| c.constraint.clone()).filter(wanted);
            state.constraints_known.values().cloned().chain(own).collect()
        };
        let exact = |c: Constraint| {
            let volumes = crate::volumes::exact_all(&c.details.volumes).ok()?;
            Some((c, volumes))
        };
        known.into_iter().filter_map(exact).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_and_are_small_enough() {
        let tiles = Tile::cut(&[[46.0, 6.0, 48.0, 10.0]], str::to_owned).unwrap();
        assert_eq!(tiles.len(), 5 * 7);
        for tile in &tiles {
            let Area::Polygon(polygon) = &tile.area else { panic!("a polygon") };
            assert!(hotline_airspace::cover_polygon(polygon.vertices()).is_ok());
        }
        for wrong in [[48.0, 6.0, 46.0, 10.0], [46.0, 6.0, f64::NAN, 10.0], [80.0, 6.0, 86.0, 10.0]] {
            assert!(matches!(Tile::cut(&[wrong], str::to_owned), Err(RectangleError::Shape(_))));
        }
        assert_eq!(
            Tile::cut(&[[-40.0, -100.0, 40.0, 100.0]], str::to_owned).unwrap_err(),
            RectangleError::TooLarge(200 * 384)
        );
    }
}
