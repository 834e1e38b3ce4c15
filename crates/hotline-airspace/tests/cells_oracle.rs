//! Coverings against those of Google's S2 library, where they are at hand.

use flate2::read::GzDecoder;
use hotline_airspace::{Cell, Degrees, Metres, Position, cover_circle, cover_polygon};
use std::io::{BufRead, BufReader};
use std::path::Path;

fn numbers(text: &str) -> Vec<f64> {
    text.split(',').map(|n| n.parse().unwrap()).collect()
}

fn position(text: &str) -> Position {
    let n = numbers(text);
    Position::new(Degrees::new(n[0]), Degrees::new(n[1])).unwrap()
}

#[test]
fn coverings_are_those_of_the_reference_library() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/s2/coverings.csv.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: the reference's coverings are not at {}", path.display());
        return;
    };
    let mut compared = 0;
    for line in BufReader::new(GzDecoder::new(file)).lines().skip(1) {
        let line = line.unwrap();
        let [kind, shape, cells] = line.split(';').collect::<Vec<_>>().try_into().unwrap();
        let found = if kind == "circle" {
            let n = numbers(shape);
            let centre = Position::new(Degrees::new(n[0]), Degrees::new(n[1])).unwrap();
            cover_circle(centre, Metres::new(n[2]))
        } else {
            cover_polygon(&shape.split(' ').map(position).collect::<Vec<_>>())
        };
        let found: Vec<Cell> = found.unwrap_or_else(|e| panic!("{kind} {shape}: {e}"));
        let mut expected: Vec<Cell> = cells
            .split_whitespace()
            .map(|id| Cell::from_s2_id(id.parse::<i64>().unwrap() as u64).unwrap())
            .collect();
        expected.sort_unstable();
        let more: Vec<_> = found.iter().filter(|c| !expected.contains(c)).collect();
        let less: Vec<_> = expected.iter().filter(|c| !found.contains(c)).collect();
        assert!(more.is_empty() && less.is_empty(), "{kind} {shape}: {more:?} too many, {less:?} missing");
        compared += 1;
    }
    assert_eq!(compared, 600);
    println!("{compared} coverings compared");
}
