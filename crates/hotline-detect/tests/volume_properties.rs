//! Volumes against dense sampling in time, symmetry and monotony. A longer run:
//! `PROPTEST_CASES=1000000 cargo test --release -p hotline-detect --test volume_properties`.

use hotline_airspace::{Metres, Seconds};
use hotline_detect::{Minima, OwnVertical, Relative, TcasTable, TimeVariable, Volume, WellClear};
use proptest::prelude::*;

const VARIABLES: [TimeVariable; 3] = [TimeVariable::TauMod, TimeVariable::Tcpa, TimeVariable::Tep];

/// The definition, at one instant: the state moved there. `slack` metres (and a thousandth of it in seconds) to either
/// side.
#[derive(Debug, Clone, Copy)]
struct Family {
    variable: Option<TimeVariable>,
    dthr: f64,
    zthr: f64,
    tthr: f64,
    tcoa: f64,
}

impl Family {
    fn volume(&self) -> Volume {
        let (dthr, zthr) = (Metres::new(self.dthr), Metres::new(self.zthr));
        match self.variable {
            None => Minima::new(dthr, zthr).unwrap().into(),
            Some(variable) => {
                let times = (Seconds::new(self.tthr), Seconds::new(self.tcoa));
                WellClear::new(variable, dthr, zthr, times.0, times.1).unwrap().into()
            }
        }
    }

    fn violated(&self, s: [f64; 3], v: [f64; 3], slack: f64) -> bool {
        let (dthr, zthr, short) = (self.dthr + slack, self.zthr + slack, slack * 1e-3);
        let (tthr, tcoa) = (self.tthr + short, self.tcoa + short);
        let (distance, speed2) = (s[0].hypot(s[1]), v[0] * v[0] + v[1] * v[1]);
        let closing = s[0] * v[0] + s[1] * v[1];
        let Some(variable) = self.variable else {
            return distance < dthr && s[2].abs() < zthr;
        };
        let coaltitude = if s[2] * v[2] < 0.0 { -s[2] / v[2] } else { f64::INFINITY };
        if !(s[2].abs() <= zthr || coaltitude <= tcoa) {
            return false;
        }
        if distance <= dthr {
            return true;
        }
        if closing >= 0.0 || speed2 == 0.0 {
            return false;
        }
        let tcpa = -closing / speed2;
        let miss = (s[0] + tcpa * v[0]).hypot(s[1] + tcpa * v[1]);
        if miss > dthr {
            return false;
        }
        let time = match variable {
            TimeVariable::TauMod => (dthr * dthr - distance * distance) / closing,
            TimeVariable::Tcpa => tcpa,
            TimeVariable::Tep => tcpa - ((dthr * dthr - miss * miss) / speed2).sqrt(),
        };
        time <= tthr
    }
}

prop_compose! {
    fn family()(variable in prop_oneof![Just(None), (0..3usize).prop_map(|i| Some(VARIABLES[i]))],
                dthr in 100.0..10_000.0, zthr in 30.0..600.0, tthr in prop_oneof![Just(0.0), 0.0..60.0],
                tcoa in prop_oneof![Just(0.0), 0.0..40.0]) -> Family {
        Family { variable, dthr, zthr, tthr, tcoa }
    }
}

prop_compose! {
    fn state()(s in (-60e3..60e3, -60e3..60e3, prop_oneof![Just(0.0), -2e3..2e3]),
               v in (prop_oneof![Just(0.0), -500.0..500.0], prop_oneof![Just(0.0), -500.0..500.0], prop_oneof![Just(0.0), -40.0..40.0]))
               -> ([f64; 3], [f64; 3]) {
        ([s.0, s.1, s.2], [v.0, v.1, v.2])
    }
}

fn found(family: &Family, s: [f64; 3], v: [f64; 3], begin: f64, end: f64) -> Option<(f64, f64)> {
    let pair = Relative::new(s, v).unwrap();
    let own = OwnVertical::default();
    let found = family.volume().violation(&pair, own, Seconds::new(begin), Seconds::new(end)).unwrap();
    found.map(|f| (f.enters.get(), f.leaves.get()))
}

proptest! {
    /// What sampling finds is never missed, and the middle of what is reported is found by sampling.
    #[test]
    fn sampling(family in family(), (s, v) in state(), begin in 0.0..30.0, span in prop_oneof![Just(0.0), 0.0..300.0]) {
        let end = begin + span;
        let found = found(&family, s, v, begin, end);
        let at = |t: f64| -> [f64; 3] { std::array::from_fn(|i| s[i] + t * v[i]) };
        for step in 0..=100 {
            let t = begin + span * f64::from(step) / 100.0;
            if family.violated(at(t), v, -1e-3) {
                let (enters, leaves) = found.expect("sampling found a violation");
                prop_assert!(enters <= t + 1e-6 && t <= leaves + 1e-6, "{t} not in {enters}..{leaves}");
            }
        }
        if let Some((enters, leaves)) = found {
            prop_assert!(enters.is_finite() && leaves.is_finite());
            prop_assert!(begin <= enters && enters <= leaves && leaves <= end);
            prop_assert!(family.violated(at((enters + leaves) / 2.0), v, 1e-3));
        }
    }

    /// The other aircraft sees the same, and so does who looks from another direction.
    #[test]
    fn symmetry(family in family(), (s, v) in state(), turn in 0.0..std::f64::consts::TAU) {
        let one = found(&family, s, v, 0.0, 300.0);
        prop_assert_eq!(one, found(&family, s.map(|x| -x), v.map(|x| -x), 0.0, 300.0));
        let (sin, cos) = turn.sin_cos();
        let turned = |x: [f64; 3]| [x[0] * cos - x[1] * sin, x[0] * sin + x[1] * cos, x[2]];
        let other = found(&family, turned(s), turned(v), 0.0, 300.0);
        match (one, other) {
            (Some(a), Some(b)) => prop_assert!((a.0 - b.0).abs() < 1e-3 && (a.1 - b.1).abs() < 1e-3),
            (None, None) => {}
            // Only what grazes the border may be seen from one side alone.
            (Some((enters, leaves)), None) | (None, Some((enters, leaves))) => {
                prop_assert!(leaves - enters < 1e-2 || enters > 299.9)
            }
        }
    }

    /// A larger volume and a longer look-ahead find at least as much.
    #[test]
    fn monotony(family in family(), (s, v) in state(), more in 1.0..3.0, later in 0.0..300.0) {
        if let Some((enters, leaves)) = found(&family, s, v, 0.0, 200.0) {
            let larger = Family {
                dthr: family.dthr * more, zthr: family.zthr * more, tthr: family.tthr * more, tcoa: family.tcoa * more,
                ..family
            };
            let (begins, ends) = found(&larger, s, v, 0.0, 200.0 + later).expect("a larger volume");
            prop_assert!(begins <= enters + 1e-6 && leaves <= ends + 1e-6);
        }
    }

    /// TCAS thresholds by the own altitude: the layers are looked at one by one.
    #[test]
    fn tcas_layers((s, v) in state(), altitude in 0.0..15_000.0, climb in prop_oneof![Just(0.0), -30.0..30.0]) {
        let table = TcasTable::resolution_advisory();
        let volume = Volume::from(&table);
        let own = OwnVertical { altitude: Metres::new(altitude), climb: hotline_airspace::MetresPerSecond::new(climb) };
        let pair = Relative::new(s, v).unwrap();
        let found = volume.violation(&pair, own, Seconds::new(0.0), Seconds::new(60.0)).unwrap();
        for step in 0..=60 {
            let t = f64::from(step);
            let at: [f64; 3] = std::array::from_fn(|i| s[i] + t * v[i]);
            let later = OwnVertical { altitude: Metres::new(altitude + climb * t), ..own };
            if volume.violated(&Relative::new(at, v).unwrap(), later) {
                let found = found.expect("violated at an instant");
                prop_assert!(found.enters.get() <= t + 1e-6 && t <= found.leaves.get() + 1e-6);
            }
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    assert!(Relative::new([f64::NAN, 0.0, 0.0], [0.0; 3]).is_err());
    assert!(Relative::new([0.0; 3], [0.0, f64::INFINITY, 0.0]).is_err());
    let family = |d: f64, z: f64, t: f64| {
        WellClear::new(TimeVariable::Tep, Metres::new(d), Metres::new(z), Seconds::new(t), Seconds::new(0.0))
    };
    assert!(
        family(0.0, 1.0, 1.0).is_err()
            && family(1.0, -1.0, 1.0).is_err()
            && family(1.0, 1.0, f64::NAN).is_err()
    );
    let volume = Volume::from(family(1.0, 1.0, 1.0).unwrap());
    let pair = Relative::new([0.0; 3], [0.0; 3]).unwrap();
    let own = OwnVertical::default();
    assert!(volume.violation(&pair, own, Seconds::new(1.0), Seconds::new(0.0)).is_err());
    assert_eq!(
        volume.violation(&pair, own, Seconds::new(3.0), Seconds::new(3.0)).unwrap().unwrap().enters.get(),
        3.0,
        "an instant, co-located and still"
    );
}
