//! The cylinder against the reference's answers, where they are at hand.

use flate2::read::GzDecoder;
use hotline_airspace::{Metres, Seconds};
use hotline_detect::{Minima, Relative, cylinder_violation};
use std::path::Path;

#[test]
fn twenty_thousand_relative_states() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/daidalus/relative.csv.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: no oracle at {}", path.display());
        return;
    };
    let minima = Minima::new(Metres::new(9260.0), Metres::new(304.8)).unwrap();
    let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
    let column = |name: &str, headers: &csv::StringRecord| headers.iter().position(|h| h == name).unwrap();
    let headers = reader.headers().unwrap().clone();
    let first = column("cylinder_conflict", &headers);
    let mut rows = 0;
    for record in reader.records() {
        let record = record.unwrap();
        let number = |i: usize| record[i].parse::<f64>().unwrap();
        let pair =
            Relative::new([number(0), number(1), number(2)], [number(3), number(4), number(5)]).unwrap();
        let (begin, end) = (Seconds::new(number(6)), Seconds::new(number(7)));
        let found = cylinder_violation(&pair, &minima, begin, end).unwrap();
        assert_eq!(found.is_some(), &record[first] == "1", "row {rows}: {record:?}");
        if let Some(found) = found {
            assert!((found.enters.get() - number(first + 1)).abs() < 1e-6, "row {rows}: {record:?}");
            assert!((found.leaves.get() - number(first + 2)).abs() < 1e-6, "row {rows}: {record:?}");
        }
        rows += 1;
    }
    assert_eq!(rows, 20_000);
}
