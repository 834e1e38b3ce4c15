//! Configurations and scenarios that come with the crate, and what is wrong with broken ones.

use hotline_detect::daa::{
    Aircraft, Configuration, Encounter, Kind, Place, Region, Scenario, Session, Uncertainty, Workspace,
};

const CONFIGURATION: &str = include_str!("../testdata/example.conf");
const SCENARIO: &str = include_str!("../testdata/crossing.daa");

fn configuration() -> Configuration {
    Configuration::parse(CONFIGURATION).unwrap().0
}

#[test]
fn the_example_alerts_and_guides() {
    let configuration = configuration();
    let scenario = Scenario::parse(SCENARIO).unwrap();
    assert_eq!((scenario.own.as_str(), scenario.steps.len()), ("own", 25));
    let mut session = Session::new(&configuration);
    let mut highest = [0, 0];
    let mut coloured = false;
    for step in &scenario.steps {
        let update = session.update(step.time, &step.own, &step.traffic, [0.0; 3]).unwrap();
        for (index, alert) in update.alerts.iter().enumerate() {
            highest[index] = highest[index].max(alert.level);
        }
        for guidance in &update.guidance {
            assert!(guidance.bands.windows(2).all(|w| w[0].to == w[1].from && w[0].region != w[1].region));
            coloured |= guidance.bands.iter().any(|b| b.region >= Region::Mid);
        }
    }
    assert_eq!(highest, [3, 1]);
    assert!(coloured);
}

#[test]
fn errors_name_the_line() {
    let broken = |from: &str, to: &str| {
        let text = CONFIGURATION.replace(from, to);
        assert_ne!(text, CONFIGURATION, "{from}");
        Configuration::parse(&text).unwrap_err().to_string()
    };
    for (from, to, why) in [
        (
            "lookahead_time = 150.0 [s]",
            "lookahead_time = 1e9 [s]",
            "line 3, column 1: lookahead_time: `1e9 [s]` must be above 0 and at most 3600 s",
        ),
        (
            "[knot]\nmin_hs",
            "[deg]\nmin_hs",
            "line 6, column 1: min_airspeed: unit [deg] does not measure this; one of m/s,",
        ),
        ("ca_bands = true", "ca_bands = perhaps", "ca_bands: `perhaps` is not true or false"),
        ("turn_rate = 2.0 [deg/s]", "turn_rate = fast", "turn_rate: `fast` is not a number"),
        (
            "step_alt = 500.0 [ft]",
            "step_alt = 0.0001 [ft]",
            "step_alt makes 395000000 targets; at most 20000 are tried",
        ),
        ("conflict_crit = false", "conflict_crit = true", "implicit coordination is not offered"),
        ("WCV_TEP", "WCV_UNHEARD_OF", "`WCV_UNHEARD_OF` is not WCV_TAUMOD"),
        ("small_ring_D = 600.0 [m]", "", "`small_ring_D` is missing"),
        (
            "manned_alert_2_region = MID",
            "manned_alert_2_region = SIDE",
            "`SIDE` is not NONE, FAR, MID or NEAR",
        ),
        ("recovery_hs = true", "recovery_hdir = true", "is already given in line"),
        ("max_vs = 5000.0 [fpm]", "max_vs = -6000.0 [fpm]", "max_vs must be above min_vs"),
    ] {
        let error = broken(from, to);
        assert!(error.contains(why), "{error:?} does not contain {why:?}");
    }
    let more = format!("{CONFIGURATION}made_up = 3\n");
    assert_eq!(
        Configuration::parse(&more).unwrap().1,
        vec![(CONFIGURATION.lines().count() + 1, "made_up".to_owned())]
    );
    for (from, to, why) in [
        ("NAME lat", "NAME latt", "line 2, column 1: the first line must name the columns"),
        ("own, 47.000000", "own, 97.000000", "line 4, column 2: latitude `97.000000` is beyond a pole"),
        ("6000, 0, 160, 0, 0, 1", "6000, 0, nan, 0, 0, 1", "line 4, column 6: `nan` is not a finite number"),
        ("[ft] [deg]", "[ft] [s]", "line 3, column 5: unit [s] does not measure this"),
        ("160, 0, 0, 1, 20, 20, 0, 10, 1, 1, 0, 0.2", "160", "line 4, column 7: 6 fields, but 17 columns"),
    ] {
        let error = Scenario::parse(&SCENARIO.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(why), "{error:?} does not contain {why:?}");
    }
    assert!(Scenario::parse("# nothing\n").is_err());
}

fn aircraft(x: f64, y: f64, altitude: f64, velocity: [f64; 3]) -> Aircraft {
    let place = Place::Flat { x, y };
    Aircraft { place, altitude, velocity, alerter: 1, uncertainty: Uncertainty::default() }
}

#[test]
fn wind_moves_all_and_changes_only_what_guidance_is_about() {
    let configuration = configuration();
    let (own, other) =
        (aircraft(0.0, 0.0, 3000.0, [0.0, 90.0, 0.0]), aircraft(9000.0, 5000.0, 3000.0, [-150.0, 0.0, 0.0]));
    let still = Encounter::new(&own, &[other], [0.0; 3]).unwrap();
    let windy = Encounter::new(&own, &[other], [0.0, -20.0, 0.0]).unwrap();
    assert_eq!(configuration.time_to_violation(&still, 0), configuration.time_to_violation(&windy, 0));
    let speed = |e: &Encounter| configuration.guidance(e, Kind::Speed, &mut Workspace::default()).own;
    assert!((speed(&still) - 90.0).abs() < 1e-9 && (speed(&windy) - 110.0).abs() < 1e-9);
}

#[test]
fn nonsense_states_are_refused_and_no_guidance_is_given_below_the_slowest_airspeed() {
    let configuration = configuration();
    let good = aircraft(0.0, 0.0, 3000.0, [0.0, 90.0, 0.0]);
    let nan = aircraft(f64::NAN, 0.0, 3000.0, [0.0, 90.0, 0.0]);
    let sphere = Aircraft { place: Place::Geodetic { latitude: 0.1, longitude: 0.0 }, ..good };
    assert!(Encounter::new(&nan, &[], [0.0; 3]).is_err());
    assert!(Encounter::new(&good, &[nan], [0.0; 3]).is_err());
    assert!(Encounter::new(&good, &[sphere], [0.0; 3]).is_err());
    assert!(Encounter::new(&good, &[good], [0.0, f64::INFINITY, 0.0]).is_err());
    let hovering = Encounter::new(&aircraft(0.0, 0.0, 3000.0, [0.0; 3]), &[good], [0.0; 3]).unwrap();
    let guidance = configuration.guidance(&hovering, Kind::Direction, &mut Workspace::default());
    assert!(guidance.bands.is_empty() && guidance.up.is_nan());
    assert_eq!(configuration.alert_level(&hovering, 7), 0, "no such aircraft");
}

/// Relative limits around an own value that is itself outside the limits: found by fuzzing.
#[test]
fn an_own_value_beyond_the_limits_is_guided_back() {
    let text = CONFIGURATION
        .replace("max_vs = 5000.0 [fpm]", "max_vs = 0.0 [fpm]")
        .replace("below_relative_vs = 0.0", "below_relative_vs = 1.0")
        .replace("above_relative_hs = 0.0", "above_relative_hs = 10.0")
        .replace("max_hs = 600.0", "max_hs = 100.0");
    let configuration = Configuration::parse(&text).unwrap().0;
    let own = aircraft(0.0, 0.0, 3000.0, [0.0, 90.0, 1.0]);
    let encounter =
        Encounter::new(&own, &[aircraft(4000.0, 0.0, 3000.0, [-90.0, 90.0, 0.0])], [0.0; 3]).unwrap();
    for kind in Kind::ALL {
        let guidance = configuration.guidance(&encounter, kind, &mut Workspace::default());
        assert!(guidance.bands.windows(2).all(|w| w[0].to == w[1].from), "{guidance:?}");
    }
}
