//! Alerting and guidance against the reference's answers, where they are at hand.

use flate2::read::GzDecoder;
use hotline_detect::daa::{Aircraft, Configuration, Encounter, Kind, Place, Session, Uncertainty, Workspace};
use std::path::{Path, PathBuf};

fn oracle() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/daidalus");
    if !folder.is_dir() {
        println!("skipped: no oracle at {}", folder.display());
        return None;
    }
    Some(folder)
}

fn table(path: &Path) -> Vec<Vec<String>> {
    let file = std::fs::File::open(path).unwrap();
    let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
    reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect()
}

const FOOT: f64 = 0.3048;
const KNOT: f64 = 1852.0 / 3600.0;
const FPM: f64 = 0.3048 / 60.0;

fn aircraft(cells: &[f64]) -> Aircraft {
    let (sin, cos) = cells[3].to_radians().sin_cos();
    let gs = cells[4] * KNOT;
    Aircraft {
        place: Place::Geodetic { latitude: cells[0].to_radians(), longitude: cells[1].to_radians() },
        altitude: cells[2] * FOOT,
        velocity: [gs * sin, gs * cos, cells[5] * FPM],
        alerter: 1,
        uncertainty: Uncertainty::default(),
    }
}

const SETS: [(&str, &str); 5] = [
    ("do365b_no_sum", "DO_365B_no_SUM"),
    ("do365a_no_sum", "DO_365A_no_SUM"),
    ("nom_a", "Buffered_DWC_SC_228_nom_a"),
    ("cd3d", "CD3D"),
    ("tcas3d", "TCAS3D"),
];

#[test]
fn alert_levels_and_times() {
    let Some(folder) = oracle() else { return };
    let inputs = table(&folder.join("pairs_in.csv.gz"));
    for (name, file) in SETS {
        let text = std::fs::read_to_string(folder.join(format!("configurations/{file}.conf"))).unwrap();
        let (configuration, unknown) = Configuration::parse(&text).unwrap();
        assert_eq!(unknown, vec![], "{file}");
        let answers = table(&folder.join(format!("pairs_out_{name}.csv.gz")));
        let (mut levels, mut times, mut worst) = (0, 0, 0.0f64);
        for (input, answer) in inputs.iter().zip(&answers) {
            let cells: Vec<f64> = input.iter().map(|c| c.parse().unwrap()).collect();
            let encounter =
                Encounter::new(&aircraft(&cells[..6]), &[aircraft(&cells[6..])], [0.0; 3]).unwrap();
            let level = configuration.alert_level(&encounter, 0).to_string();
            if level != answer[1] {
                levels += 1;
                if levels < 10 { println!("{name}: {level} {answer:?} {input:?}"); }
            }
            let found = configuration.time_to_violation(&encounter, 0);
            let differs = match (found, answer[2].parse::<f64>(), answer[3].parse::<f64>()) {
                (None, Err(_), Err(_)) => 0.0,
                (Some(found), Ok(enters), Ok(leaves)) => {
                    (found.enters.get() - enters).abs().max((found.leaves.get() - leaves).abs())
                }
                _ => f64::INFINITY,
            };
            if differs > 0.001 {
                times += 1;
                if times < 10 { println!("{name}: {found:?} {:?} {input:?}", &answer[..4]); }
            } else { worst = worst.max(differs); }
        }
        println!("{name}: {levels} levels differ, {times} times, else at most {worst:.1e} s");
    }
}

const KINDS: [(Kind, usize, f64, f64); 4] = [
    (Kind::Direction, 4, std::f64::consts::PI / 180.0, 1.0),
    (Kind::Speed, 5, KNOT, 5.0),
    (Kind::VerticalSpeed, 6, FPM, 100.0),
    (Kind::Altitude, 7, FOOT, 100.0),
];

/// Largest difference of two lists of bands of the same regions.
fn difference(ours: &[(f64, f64, String)], theirs: &[(f64, f64, String)]) -> f64 {
    if ours.len() != theirs.len() || ours.iter().zip(theirs).any(|(a, b)| a.2 != b.2) {
        return f64::INFINITY;
    }
    ours.iter().zip(theirs).map(|(a, b)| (a.0 - b.0).abs().max((a.1 - b.1).abs())).fold(0.0, f64::max)
}

#[test]
fn bands_and_resolutions() {
    let Some(folder) = oracle() else { return };
    let inputs = table(&folder.join("pairs_in.csv.gz"));
    let shown: usize = std::env::var("SHOW").ok().and_then(|s| s.parse().ok()).unwrap_or(3);
    for (name, file) in SETS {
        let text = std::fs::read_to_string(folder.join(format!("configurations/{file}.conf"))).unwrap();
        let (configuration, _) = Configuration::parse(&text).unwrap();
        let answers = table(&folder.join(format!("pairs_out_{name}.csv.gz")));
        let mut workspace = Workspace::default();
        for (kind, column, unit, step) in KINDS {
            if std::env::var("KIND").is_ok_and(|k| k != format!("{kind:?}")) { continue }
            let (mut exact, mut near, mut far, mut resolutions) = (0, 0, 0, 0);
            for (row, (input, answer)) in inputs.iter().zip(&answers).enumerate() {
                let cells: Vec<f64> = input.iter().map(|c| c.parse().unwrap()).collect();
                let encounter =
                    Encounter::new(&aircraft(&cells[..6]), &[aircraft(&cells[6..])], [0.0; 3]).unwrap();
                let found = configuration.guidance(&encounter, kind, &mut workspace);
                let ours: Vec<_> =
                    found.bands.iter().map(|b| (b.from / unit, b.to / unit, b.region.to_string())).collect();
                let theirs: Vec<_> = answer[column].split(';').map(|b| {
                    let mut parts = b.split(':');
                    let mut number = || parts.next().unwrap().parse::<f64>().unwrap();
                    (number(), number(), parts.next().unwrap().to_owned())
                }).collect();
                let differs = difference(&ours, &theirs);
                if differs < 2e-6 { exact += 1 } else if differs <= step { near += 1 } else { far += 1 }
                if differs >= 2e-6 && near + far <= shown {
                    println!("{name} row {row} {kind:?} own {:.4}: {ours:?}\n   reference {theirs:?} alert {} ttv {} {}", [cells[3],cells[4],cells[5],cells[2]][column-4], answer[1], answer[2], answer[3]);
                }
                if kind == Kind::Direction || kind == Kind::VerticalSpeed {
                    let at = if kind == Kind::Direction { 8 } else { 10 };
                    let same = |a: f64, b: f64| a.is_nan() && b.is_nan() || a == b || (a - b).abs() < 2e-6;
                    let theirs: [f64; 2] = [answer[at].parse().unwrap(), answer[at + 1].parse().unwrap()];
                    if !same(found.up / unit, theirs[0]) || !same(found.down / unit, theirs[1]) {
                        resolutions += 1;
                        if resolutions <= shown {
                            println!("{name} row {row} {kind:?} own {:.4}: resolution {} {} reference {theirs:?} bands {}", [cells[3],cells[4],cells[5],cells[2]][column-4], found.up / unit, found.down/unit, answer[column]);
                        }
                    }
                }
            }
            println!("== {name} {kind:?}: {exact} exact, {near} within a step, {far} differ, {resolutions} resolutions differ");
        }
    }
}

/// One time step of the reference's printed result.
#[derive(Default, Debug)]
struct Printed {
    time: f64,
    level: usize,
    violation: Option<(f64, f64)>,
    bands: [Vec<(f64, f64, String)>; 4],
    resolutions: [[String; 2]; 4],
    recovery: [Vec<String>; 4],
}

fn printed(path: &Path) -> Vec<Printed> {
    use std::io::Read;
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut steps: Vec<Printed> = Vec::new();
    let mut kind = 0;
    for line in text.lines() {
        let number = |s: &str| s.trim().split(' ').next().unwrap().parse::<f64>().unwrap();
        if let Some(time) = line.strip_prefix("Time: ") {
            steps.push(Printed { time: number(time), ..Default::default() });
            continue;
        }
        let Some(step) = steps.last_mut() else { continue };
        if let Some(rest) = line.strip_prefix("Time to Corrective Volume with ") {
            let inside = rest.split_once('[').unwrap().1;
            if inside != "]" {
                let (a, b) = inside.split_once(", ").unwrap();
                step.violation = Some((number(a), number(b)));
            }
        } else if let Some(rest) = line.strip_prefix("Alert Level ") {
            step.level = rest.split(' ').next().unwrap().parse().unwrap();
        } else if let Some(rest) = line.strip_prefix("  [") {
            let (from, rest) = rest.split_once(", ").unwrap();
            let region = rest.rsplit(' ').next().unwrap().to_owned();
            step.bands[kind].push((number(from), number(rest), region));
        } else if line.contains(" Resolution (") {
            let value = line.rsplit_once(": ").unwrap().1.split(' ').next().unwrap().to_owned();
            let down = line.contains("(left)") || line.contains("(down)");
            step.resolutions[kind][usize::from(down)] = value;
        } else if line.starts_with("  ") {
            step.recovery[kind].push(line.rsplit_once(": ").unwrap().1.to_owned());
        } else if let Some(rest) = line.strip_suffix(" Bands:") {
            let kinds = ["Horizontal Direction", "Horizontal Speed", "Vertical Speed", "Altitude"];
            kind = kinds.iter().position(|k| *k == rest).unwrap_or(kind);
        }
    }
    steps
}

#[test]
fn scenarios() {
    let Some(folder) = oracle() else { return };
    let shown: usize = std::env::var("SHOW").ok().and_then(|s| s.parse().ok()).unwrap_or(3);
    let mut files: Vec<_> = std::fs::read_dir(folder.join("expected")).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().trim_end_matches(".out.gz").to_owned();
        let (scenario, config) = name.split_once('.').unwrap();
        let text = std::fs::read_to_string(folder.join(format!("configurations/{config}.conf"))).unwrap();
        let (configuration, _) = Configuration::parse(&text).unwrap();
        let text = std::fs::read_to_string(folder.join(format!("scenarios/{scenario}.daa"))).unwrap();
        let steps = hotline_detect::daa::Scenario::parse(&text).unwrap().steps;
        let answers = printed(&file);
        let answers: Vec<&Printed> = answers.iter().filter(|a| !a.bands[0].is_empty()).collect();
        let mut session = Session::new(&configuration);
        let (mut levels, mut times, mut compared) = (0, 0, 0);
        let mut bands = [[0; 3]; 4];
        let (mut resolutions, mut recoveries) = ([0; 4], [0; 4]);
        for step in &steps {
            let update = session.update(step.time, &step.own, &step.traffic, [0.0; 3]).unwrap();
            let Some(answer) = answers.iter().find(|a| (step.time - a.time).abs() < 1e-6) else { continue };
            compared += 1;
            let level = update.alerts.first().map_or(0, |a| a.level);
            if level != answer.level {
                levels += 1;
                if levels <= shown { println!("  {name} t {} level {level} ref {}", answer.time, answer.level); }
            }
            let found = update.alerts.first().and_then(|a| a.violation).map(|v| (v.enters.get(), v.leaves.get()));
            let same = match (found, answer.violation) {
                (None, None) => true,
                (Some(a), Some(b)) => (a.0 - b.0).abs() < 2e-6 && (a.1 - b.1).abs() < 2e-6,
                _ => false,
            };
            if !same {
                times += 1;
                if times <= shown { println!("  {name} t {} ttv {found:?} ref {:?}", answer.time, answer.violation); }
            }
            for (index, (kind, _, unit, step)) in KINDS.into_iter().enumerate() {
                let found = &update.guidance[index];
                let ours: Vec<_> =
                    found.bands.iter().map(|b| (b.from / unit, b.to / unit, b.region.to_string())).collect();
                let differs = difference(&ours, &answer.bands[index]);
                let class = if differs < 3e-6 { 0 } else if differs <= step { 1 } else { 2 };
                bands[index][class] += 1;
                if class > 0 && bands[index][1] + bands[index][2] <= shown {
                    println!("  {name} t {} {kind:?} {ours:?}\n      ref {:?}", answer.time, answer.bands[index]);
                }
                let number = |s: &str| match s { "NaN" => f64::NAN, "infty" => f64::INFINITY, "-infty" => f64::NEG_INFINITY, s => s.parse().unwrap() };
                let same = |a: f64, b: f64| a.is_nan() && b.is_nan() || a == b || (a - b).abs() < 3e-6;
                let theirs = [number(&answer.resolutions[index][0]), number(&answer.resolutions[index][1])];
                if !same(found.up / unit, theirs[0]) || !same(found.down / unit, theirs[1]) {
                    resolutions[index] += 1;
                    if resolutions[index] <= shown { println!("  {name} t {} {kind:?} own {} resolutions {} {} ref {theirs:?} {:?}", answer.time, found.bands.len(), found.up / unit, found.down / unit, answer.bands[index]); }
                }
                let time = found.recovery.map_or(f64::NAN, |r| r.time);
                let theirs = number(answer.recovery[index][0].split(' ').next().unwrap());
                if !same(time, theirs) { recoveries[index] += 1; 
                    if recoveries[index] <= shown { println!("  {name} t {} {kind:?} recovery {time} ref {theirs}", answer.time); } }
            }
        }
        println!("== {name}: {compared} steps, {levels} levels {times} times {bands:?} resolutions {resolutions:?} recoveries {recoveries:?}");
    }
}
