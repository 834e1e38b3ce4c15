//! The reference's answers, where they are at hand.

use flate2::read::GzDecoder;
use hotline_detect::daa::{Configuration, Guidance};
use std::io::Read;
use std::path::{Path, PathBuf};

pub(crate) fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/daidalus");
    if !folder.is_dir() {
        println!("skipped: no oracle at {}", folder.display());
        return None;
    }
    Some(folder)
}

pub(crate) fn table(path: &Path) -> Vec<Vec<String>> {
    let file = std::fs::File::open(path).unwrap();
    let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
    reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect()
}

pub(crate) const FOOT: f64 = 0.3048;
pub(crate) const KNOT: f64 = 1852.0 / 3600.0;
pub(crate) const FPM: f64 = 0.3048 / 60.0;

/// The text of a file, gzipped or not.
pub(crate) fn text(path: &Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    if path.extension().is_some_and(|e| e == "gz") {
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else {
        std::io::BufReader::new(file).read_to_string(&mut text).unwrap();
    }
    text
}

pub(crate) fn configuration(folder: &Path, name: &str) -> Configuration {
    let text = text(&folder.join(format!("configurations/{name}.conf")));
    let (configuration, unknown) = Configuration::parse(&text).unwrap();
    assert_eq!(unknown, vec![], "{name}");
    configuration
}

/// Bands in the units of the files.
pub(crate) type Bands = Vec<(f64, f64, String)>;

pub(crate) fn in_units(guidance: &Guidance, unit: f64) -> Bands {
    guidance.bands.iter().map(|b| (b.from / unit, b.to / unit, b.region.to_string())).collect()
}

/// Largest difference of an edge of two lists of bands, infinite when the regions differ.
pub(crate) fn difference(ours: &Bands, theirs: &Bands) -> f64 {
    if ours.len() != theirs.len() || ours.iter().zip(theirs).any(|(a, b)| a.2 != b.2) {
        return f64::INFINITY;
    }
    ours.iter().zip(theirs).map(|(a, b)| (a.0 - b.0).abs().max((a.1 - b.1).abs())).fold(0.0, f64::max)
}

/// Whether two resolutions are the same, as printed.
pub(crate) fn same(a: f64, b: f64) -> bool {
    a.is_nan() && b.is_nan() || a == b || (a - b).abs() < 3e-6
}
