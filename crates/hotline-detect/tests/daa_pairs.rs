//! Alerting and guidance of single encounters against the reference's answers, where they are at hand.

#[allow(dead_code)]
mod oracle;

use hotline_detect::daa::{Aircraft, Encounter, Kind, Place, Uncertainty, Workspace};
use oracle::{Bands, FOOT, FPM, KNOT, configuration, difference, folder, in_units, same, table};

/// Answers, and the configuration they are for.
const SETS: [(&str, &str); 5] = [
    ("do365b_no_sum", "DO_365B_no_SUM"),
    ("do365a_no_sum", "DO_365A_no_SUM"),
    ("nom_a", "Buffered_DWC_SC_228_nom_a"),
    ("cd3d", "CD3D"),
    ("tcas3d", "TCAS3D"),
];

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

fn encounter(input: &[String]) -> Encounter {
    let cells: Vec<f64> = input.iter().map(|c| c.parse().unwrap()).collect();
    Encounter::new(&aircraft(&cells[..6]), &[aircraft(&cells[6..])], [0.0; 3]).unwrap()
}

#[test]
fn alert_levels_and_times() {
    let Some(folder) = folder() else { return };
    let inputs = table(&folder.join("pairs_in.csv.gz"));
    for (name, file) in SETS {
        let configuration = configuration(&folder, file);
        let mut worst = 0.0f64;
        for (row, answer) in table(&folder.join(format!("pairs_out_{name}.csv.gz"))).iter().enumerate() {
            let encounter = encounter(&inputs[row]);
            assert_eq!(configuration.alert_level(&encounter, 0).to_string(), answer[1], "{name} {row}");
            match (
                configuration.time_to_violation(&encounter, 0),
                answer[2].parse::<f64>(),
                answer[3].parse::<f64>(),
            ) {
                (None, Err(_), Err(_)) => {}
                (Some(found), Ok(enters), Ok(leaves)) => {
                    let found = (found.enters.get(), found.leaves.get());
                    worst = worst.max((found.0 - enters).abs()).max((found.1 - leaves).abs());
                }
                other => panic!("{name} {row}: {other:?}"),
            }
        }
        println!("{name}: largest difference of a time {worst:.1e} s");
        assert!(worst < 1e-8, "{name}: {worst}");
    }
}

#[test]
fn bands_and_resolutions() {
    let Some(folder) = folder() else { return };
    let inputs = table(&folder.join("pairs_in.csv.gz"));
    let kinds = [
        (Kind::Direction, 4, 1f64.to_radians()),
        (Kind::Speed, 5, KNOT),
        (Kind::VerticalSpeed, 6, FPM),
        (Kind::Altitude, 7, FOOT),
    ];
    for (name, file) in SETS {
        let configuration = configuration(&folder, file);
        let mut workspace = Workspace::default();
        for (row, answer) in table(&folder.join(format!("pairs_out_{name}.csv.gz"))).iter().enumerate() {
            let encounter = encounter(&inputs[row]);
            for (kind, column, unit) in kinds {
                let found = configuration.guidance(&encounter, kind, &mut workspace);
                let theirs: Bands = answer[column]
                    .split(';')
                    .map(|band| {
                        let parts: Vec<&str> = band.split(':').collect();
                        (parts[0].parse().unwrap(), parts[1].parse().unwrap(), parts[2].to_owned())
                    })
                    .collect();
                let ours = in_units(&found, unit);
                assert!(difference(&ours, &theirs) < 2e-6, "{name} {row} {kind:?}: {ours:?} not {theirs:?}");
                let at = match kind {
                    Kind::Direction => 8,
                    Kind::VerticalSpeed => 10,
                    _ => continue,
                };
                let (up, down) = (found.up / unit, found.down / unit);
                let theirs = [answer[at].parse().unwrap(), answer[at + 1].parse().unwrap()];
                assert!(same(up, theirs[0]) && same(down, theirs[1]), "{name} {row} {kind:?}: {up} {down}");
            }
        }
    }
}
