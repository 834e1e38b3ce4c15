//! The volumes against the reference's answers, where they are at hand.

use flate2::read::GzDecoder;
use hotline_airspace::{Metres, Seconds};
use hotline_detect::{Minima, OwnVertical, Relative, TimeVariable, Volume, WellClear};
use std::path::Path;

#[test]
fn twenty_thousand_relative_states() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/daidalus/relative.csv.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: no oracle at {}", path.display());
        return;
    };
    let family = |variable, tcoa| {
        let (dthr, zthr) = (Metres::new(1219.2), Metres::new(137.16));
        Volume::from(WellClear::new(variable, dthr, zthr, Seconds::new(35.0), Seconds::new(tcoa)).unwrap())
    };
    let volumes = [
        ("taumod", family(TimeVariable::TauMod, 0.0)),
        ("tcpa", family(TimeVariable::Tcpa, 20.0)),
        ("tep", family(TimeVariable::Tep, 20.0)),
        ("cylinder", Volume::from(Minima::new(Metres::new(9260.0), Metres::new(304.8)).unwrap())),
    ];
    let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
    let headers = reader.headers().unwrap().clone();
    let mut rows = 0;
    let mut worst = 0.0f64;
    for record in reader.records() {
        let record = record.unwrap();
        let number = |i: usize| record[i].parse::<f64>().unwrap();
        let pair =
            Relative::new([number(0), number(1), number(2)], [number(3), number(4), number(5)]).unwrap();
        let (begin, end) = (Seconds::new(number(6)), Seconds::new(number(7)));
        for (name, volume) in &volumes {
            let first = headers.iter().position(|h| h == format!("{name}_now")).unwrap();
            let now = volume.violated(&pair, OwnVertical::default());
            assert_eq!(now, &record[first] == "1", "row {rows} {name} now: {record:?}");
            let found = volume.violation(&pair, OwnVertical::default(), begin, end).unwrap();
            assert_eq!(found.is_some(), &record[first + 1] == "1", "row {rows} {name}: {found:?} {record:?}");
            if let Some(found) = found {
                worst = worst.max((found.enters.get() - number(first + 2)).abs());
                worst = worst.max((found.leaves.get() - number(first + 3)).abs());
                assert!(worst < 1e-6, "row {rows} {name}: {found:?} {record:?}");
            }
        }
        rows += 1;
    }
    assert_eq!(rows, 20_000);
    println!("largest difference of a time: {worst:.1e} s");
}
