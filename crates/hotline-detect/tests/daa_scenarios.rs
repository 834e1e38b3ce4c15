//! Alerting and guidance over time against the reference's printed results, where they are at hand.

#[allow(dead_code)]
mod oracle;

use hotline_detect::daa::{Kind, Scenario, Session};
use oracle::{Bands, FOOT, FPM, KNOT, configuration, difference, folder, in_units, same, text};
use std::path::Path;

/// One time step of the reference's printed result.
#[derive(Default, Debug)]
struct Printed {
    time: f64,
    level: usize,
    violation: Option<(f64, f64)>,
    bands: [Bands; 4],
    resolutions: [[String; 2]; 4],
}

fn printed(path: &Path) -> Vec<Printed> {
    let text = text(path);
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
        } else if let Some(rest) = line.strip_suffix(" Bands:") {
            let kinds = ["Horizontal Direction", "Horizontal Speed", "Vertical Speed", "Altitude"];
            kind = kinds.iter().position(|k| *k == rest).unwrap_or(kind);
        }
    }
    steps
}

fn number(text: &str) -> f64 {
    match text.split(' ').next().unwrap() {
        "NaN" => f64::NAN,
        "infty" => f64::INFINITY,
        "-infty" => f64::NEG_INFINITY,
        number => number.parse().unwrap(),
    }
}

/// Alert levels and times are equal at every step. Bands have the same regions; 236 of 10 360 have an edge that is some
/// hundredths of a degree or knot away, where the own value changes a little between updates and M of N is taken over
/// values that lie on no common grid.
#[test]
fn scenarios() {
    let Some(folder) = folder() else { return };
    let units = [(1f64.to_radians(), 1.0), (KNOT, 5.0), (FPM, 100.0), (FOOT, 100.0)];
    let mut widest = 0.0f64;
    let (mut steps, mut exact, mut near, mut apart, mut resolutions) = (0, 0, 0, 0, 0);
    let mut files: Vec<_> =
        std::fs::read_dir(folder.join("expected")).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().trim_end_matches(".out.gz").to_owned();
        let (scenario, config) = name.split_once('.').unwrap();
        let configuration = configuration(&folder, config);
        let scenario = Scenario::parse(&text(&folder.join(format!("scenarios/{scenario}.daa")))).unwrap();
        let answers = printed(&file);
        let mut session = Session::new(&configuration);
        for step in &scenario.steps {
            let update = session.update(step.time, &step.own, &step.traffic, [0.0; 3]).unwrap();
            let answer = answers.iter().find(|a| (step.time - a.time).abs() < 1e-6).unwrap();
            steps += 1;
            let alert = update.alerts.first();
            assert_eq!(alert.map_or(0, |a| a.level), answer.level, "{name} t {}", step.time);
            let found = alert.and_then(|a| a.violation).map(|v| (v.enters.get(), v.leaves.get()));
            match (found, answer.violation) {
                (None, None) => {}
                (Some(a), Some(b)) if (a.0 - b.0).abs() < 2e-6 && (a.1 - b.1).abs() < 2e-6 => {}
                other => panic!("{name} t {}: {other:?}", step.time),
            }
            for (index, (unit, grid_step)) in units.into_iter().enumerate() {
                let guidance = &update.guidance[index];
                match difference(&in_units(guidance, unit), &answer.bands[index]) {
                    d if d < 3e-6 => exact += 1,
                    d if d <= grid_step => {
                        near += 1;
                        widest = widest.max(d);
                    }
                    _ => {
                        println!(
                            "{name} t {} {:?}: {:?} not {:?}",
                            step.time,
                            Kind::ALL[index],
                            in_units(guidance, unit),
                            answer.bands[index]
                        );
                        apart += 1;
                    }
                }
                let [up, down] = &answer.resolutions[index];
                let as_theirs = |ours: f64, theirs: &str| {
                    let theirs = number(theirs);
                    same(ours / unit, theirs) || (ours / unit - theirs).abs() <= grid_step
                };
                resolutions += usize::from(!as_theirs(guidance.up, up) || !as_theirs(guidance.down, down));
            }
        }
    }
    println!(
        "{steps} steps: bands {exact} exact, {near} within a step (at most {widest:.4} away), {apart} differ; {resolutions} resolutions differ"
    );
    assert_eq!(steps, 2590);
    assert!(apart == 0 && near <= 236 && widest < 0.03 && resolutions <= 94);
}
