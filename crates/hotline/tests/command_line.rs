//! The command line as a person meets it.

use std::process::{Command, Output};

fn hotline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hotline")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        "init",
        "words",
        "pair",
        "node",
        "status",
        "act",
        "say",
        "cases",
        "votes",
        "record",
        "health",
        "callsheet",
        "key",
        "restore",
        "export-line",
        "import-line",
        "export",
        "verify",
        "check",
        "detect",
        "demo",
        "bench",
    ] {
        let help = hotline(&[command, "--help"]);
        assert!(help.status.success());
        assert!(text(&help.stdout).contains("Example"), "{command}");
    }
}

const RECORDING: &str = "time_unix_s,icao24,callsign,lat_deg,lon_deg,alt_ft,gs_kt,trk_deg,vs_fpm
1600000000,aaa111,WEST,47.0,8.0,10000,360,90,0
1600000000,bbb222,EAST,47.0,8.4,10000,360,270,0
1600000000,ccc333,HIGH,47.0,8.2,20000,360,270,0
1600000005,ddd444,,47.0,8.2,,360,270,0
1600000010,aaa111,WEST,47.0,8.0244,10000,360,90,0
1600000040,aaa111,WEST,47.0,8.0975,10000,360,90,0
";

#[test]
fn check_finds_the_two_that_meet() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.csv");
    std::fs::write(&file, RECORDING).unwrap();
    let (file, rows) = (file.to_str().unwrap(), folder.path().join("rows.csv"));
    let done = hotline(&["check", file, "--csv", rows.to_str().unwrap()]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    insta::assert_snapshot!("check_summary", text(&done.stdout));
    insta::assert_snapshot!("check_rows", std::fs::read_to_string(rows).unwrap());
    let json = hotline(&["check", file, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((json["rows"].as_u64(), json["reports_skipped"].as_u64()), (Some(4), Some(1)));
}

/// A reader that has seen enough does not make the command fail.
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.csv");
    std::fs::write(&file, RECORDING).unwrap();
    for arguments in ["check - --csv -", "check - --json", "check -"] {
        // The reader has gone for certain before the command begins to write.
        let hotline = env!("CARGO_BIN_EXE_hotline");
        let command = format!(
            "(sleep 0.3; exec '{hotline}' {arguments} < '{}') | true; exit ${{PIPESTATUS[0]}}",
            file.display()
        );
        let done = Command::new("bash").args(["-c", &command]).output().unwrap();
        assert!(done.status.success(), "{arguments}: {}", text(&done.stderr));
    }
}

#[test]
fn bad_input_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let refused = |arguments: &[&str]| {
        let done = hotline(arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        text(&done.stderr)
    };
    let fast = write("fast.csv", RECORDING.replacen(",360,90,0", ",fast,90,0", 1).as_bytes());
    assert!(refused(&["check", &fast]).contains("line 2, column gs_kt: \"fast\" is not a number"));
    let unsorted =
        write("unsorted.csv", RECORDING.replacen("1600000000,bbb", "1500000000,bbb", 1).as_bytes());
    assert!(refused(&["check", &unsorted]).contains("sort the rows by time"));
    assert!(refused(&["check", "/nowhere.csv"]).contains("/nowhere.csv"));
    let cut = write("cut.csv.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    assert!(refused(&["check", &cut]).contains("line 1"));
    assert!(refused(&["check", &fast, "--horizontal-nm", "-1"]).contains("horizontal minimum"));
    let noise = write("noise", b"not evidence");
    assert!(refused(&["verify", &noise]).contains("it is not hotline evidence"));
    assert!(refused(&["node", folder.path().to_str().unwrap()]).contains("node.toml"));
    let party = folder.path().join("p");
    let party = party.to_str().unwrap();
    assert!(refused(&["init", party, "--party", "Blue Force"]).contains("a-z, 0-9 and -"));
    assert!(refused(&["init", party, "--party", "blue", "--console", "0.0.0.0:7401"]).contains("loopback"));
    // Without a terminal and without a file there is nobody to ask.
    assert!(refused(&["init", party, "--party", "blue"]).contains("--passphrase-file"));
    let (short, passphrase) = (write("short", b"abc"), write("passphrase", b"correct horse\n"));
    let pins = write("pins", b"officer-1 2718\nsupervisor-1 3141\n");
    let init = |passphrase: &str, pins: &str| {
        let all = ["init", party, "--party", "blue", "--passphrase-file", passphrase, "--pins-file", pins];
        hotline(&all)
    };
    assert!(text(&init(&short, &pins).stderr).contains("at least 8 characters"));
    assert!(
        text(&init(&passphrase, &write("few", b"officer-1 2718\n")).stderr)
            .contains("no PIN for supervisor-1")
    );
    assert!(init(&passphrase, &pins).status.success());
    assert!(refused(&["init", party, "--party", "blue"]).contains("has a node already"));
    let config = folder.path().join("p/node.toml");
    std::fs::write(&config, "party = \"blue\"\nconsole = 7\n").unwrap();
    assert!(refused(&["node", party]).contains("line 2"));
}
