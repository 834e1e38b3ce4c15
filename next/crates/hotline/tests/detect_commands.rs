//! `hotline detect` as a person, and a program that compares results, meets it.

use std::process::{Command, Output};

fn detect(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hotline")).arg("detect").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../hotline-detect/testdata/example.conf");
const SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../hotline-detect/testdata/crossing.daa");

#[test]
fn every_part_has_help_with_an_example() {
    for part in ["relative", "pairs", "daa", "tracks", "bench"] {
        let help = detect(&[part, "--help"]);
        assert!(help.status.success() && text(&help.stdout).contains("Example"), "{part}");
    }
}

#[test]
fn relative_states_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("states.csv");
    let rows = "more,sx_m,sy_m,sz_m,vx_mps,vy_mps,vz_mps,B_s,T_s\n\
                x,-50000,0,0,500,0,0,0,120\nx,-50000,0,2000,500,0,0,0,120\nx,0,0,0,0,0,0,5,5\n";
    std::fs::write(&file, rows).unwrap();
    let file = file.to_str().unwrap();
    let done = detect(&["relative", file, "--volume", "cylinder"]);
    assert_eq!(text(&done.stdout), "now,conflict,in_s,out_s\n0,1,81.48,118.52\n0,0,,\n1,1,5,5\n");
    let done = detect(&["relative", file, "--volume", "taumod", "--tthr-s", "0"]);
    assert!(text(&done.stdout).starts_with("now,conflict,in_s,out_s\n0,1,97.561"));
    let wrong = detect(&["relative", file, "--volume", "tep", "--dthr-m", "-1"]);
    assert_eq!(wrong.status.code(), Some(2));
    for (from, to, why) in [
        ("x,0,0,0", "x,0,zero,0", "line 4, column sy_m: \"zero\" is not a finite number (field 3)"),
        (
            "5,5\n",
            "5,4\n",
            "row 3, B_s and T_s: window from 5 s to 4 s: its end must not be before its begin",
        ),
        ("vz_mps", "vz", "line 1: there is no column vz_mps; the columns are sx_m, sy_m"),
    ] {
        let broken = folder.path().join("broken.csv");
        std::fs::write(&broken, rows.replace(from, to)).unwrap();
        let done = detect(&["relative", broken.to_str().unwrap(), "--volume", "tcpa"]);
        assert_eq!(done.status.code(), Some(2));
        assert!(text(&done.stderr).contains(why), "{}", text(&done.stderr));
    }
}

#[test]
fn pairs_and_a_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pairs.csv");
    let header = "own_lat_deg,own_lon_deg,own_alt_ft,own_trk_deg,own_gs_kt,own_vs_fpm,\
                  int_lat_deg,int_lon_deg,int_alt_ft,int_trk_deg,int_gs_kt,int_vs_fpm";
    std::fs::write(
        &file,
        format!("{header}\n47,8,6000,0,160,0,47.15,8,6000,180,210,0\n47,8,6000,0,160,0,48,8,9000,0,160,0\n"),
    )
    .unwrap();
    let done = detect(&["pairs", file.to_str().unwrap(), "--config", CONFIG]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    insta::assert_snapshot!("detect_pairs", text(&done.stdout));
    let done = detect(&["daa", SCENARIO, "--config", CONFIG]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    insta::assert_snapshot!("detect_daa", text(&done.stdout));
    let done =
        detect(&["daa", SCENARIO, "--config", CONFIG, "--json", "--wind-from-deg", "90", "--wind-kt", "20"]);
    let lines: Vec<serde_json::Value> =
        text(&done.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 25);
    let bands = &lines[12]["guidance"]["direction_deg"]["bands"];
    assert!(bands.as_array().unwrap().len() > 1 && bands[0]["from"] == 0.0, "{bands}");
    let done = detect(&["daa", CONFIG, "--config", CONFIG]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("the first line must name the columns"), "{}", text(&done.stderr));
}

#[test]
fn tracks_that_cannot_be_believed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.csv");
    let mut rows = "time_unix_s,icao24,callsign,lat_deg,lon_deg,alt_ft,gs_kt,trk_deg,vs_fpm\n".to_owned();
    for second in 0..20 {
        let latitude = 47.0 + f64::from(second) * 0.01 + if second == 12 { 3.0 } else { 0.0 };
        rows += &format!(
            "{},aaa111,WEST,{latitude},8.0,{},216,0,0\n",
            1_600_000_000 + second * 10,
            10_000 + second
        );
    }
    std::fs::write(&file, rows).unwrap();
    let done = detect(&["tracks", file.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    assert_eq!(
        text(&done.stdout),
        "20 reports of 1 aircraft, 1 not to be believed (5.000 %)\n  \
         aaa111  1600000120 to 1600000120  1 reports  jump\n"
    );
    let done = detect(&["tracks", file.to_str().unwrap(), "--csv"]);
    assert_eq!(text(&done.stdout), "time_unix_s,icao24,reasons\n1600000120,aaa111,jump\n");
}
