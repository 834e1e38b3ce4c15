//! Feeds every decoder with mutations of its corpus for so many seconds each: for machines without a nightly
//! toolchain, where there is no guidance by coverage. `mutate seeds` writes the corpus anew.

use hotline_fuzz::{KINDS, TARGETS, key, line, party};
use hotline_ledger::{
    Bundle, BundleParty, Certificate, Checkpoint, RangeProof, Role, Statement, Tree, cosign,
};
use hotline_line::{
    Acknowledgement, Body, ConflictKey, ConflictKind, FlightEnd, FlightId, Level, Message, MissedDeadline,
    Record, RestrictionLift, Rulebook, Subject,
};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

fn main() {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "10".into());
    if argument == "seeds" {
        return seeds();
    }
    let span = Duration::from_secs(argument.parse().expect("seconds for each target, or `seeds`"));
    let mut random: u64 = std::env::args().nth(2).map_or(1, |s| s.parse().expect("a seed"));
    println!("seed {random}");
    let mut draw = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize
    };
    for (name, run) in TARGETS {
        let files = std::fs::read_dir(corpus(name)).expect("a corpus");
        let samples: Vec<Vec<u8>> =
            files.map(|f| std::fs::read(f.expect("a file").path()).expect("readable")).collect();
        let (begin, mut runs) = (Instant::now(), 0u64);
        samples.iter().for_each(|s| run(s));
        while begin.elapsed() < span {
            let mut data = samples[draw() % samples.len()].clone();
            for _ in 0..1 + draw() % 6 {
                let at = draw() % data.len().max(1);
                match draw() % 6 {
                    0 if !data.is_empty() => data[at] ^= 1 << (draw() % 8),
                    1 if !data.is_empty() => data[at] = draw() as u8,
                    2 => data.insert(at.min(data.len()), draw() as u8),
                    3 if !data.is_empty() => drop(data.remove(at)),
                    4 => data.truncate(at),
                    5 => {
                        let other = &samples[draw() % samples.len()];
                        let from = draw() % other.len().max(1);
                        data.extend(&other[from.min(other.len())..]);
                    }
                    _ => {}
                }
            }
            run(&data);
            runs += 1;
        }
        println!("{name}: {runs} inputs");
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("an instant")
}

fn seeds() {
    let keep = |target: &str, name: &str, data: &[u8]| {
        std::fs::create_dir_all(corpus(target)).expect("a folder");
        std::fs::write(corpus(target).join(name), data).expect("written");
    };
    let id = |text: &str| FlightId::new(text).expect("a plain name");
    let subject =
        |name: &str| Subject { party: hotline_ledger::PartyName::new(name).expect("a name"), id: id("A1") };
    let conflict = ConflictKey::new(ConflictKind::Tracks, subject("blue"), subject("green"));
    let certificate = Certificate {
        party: party(),
        role: Role::Node,
        holder: "node".into(),
        key: key().verifying_key(),
        not_before: at(0),
        not_after: at(4_000_000_000),
    }
    .sign(&key());
    keep("certificate", "node", certificate.bytes());

    let notice = hotline_node::FlightInput {
        volumes: serde_json::from_str(VOLUMES).expect("valid"),
        aircraft: 2,
        category: "helicopter".into(),
        purpose: "rescue".into(),
        callsign: "LIFT7".into(),
        squawk: Some("4321".into()),
    };
    let plan = notice.read("F1").expect("valid");
    let bodies = [
        Body::Certificate(certificate.bytes().to_vec()),
        Body::FlightNotice(hotline_line::FlightNotice {
            flight: plan.flight,
            version: 1,
            volumes: plan.volumes.clone(),
            aircraft: 2,
            category: plan.category,
            purpose: plan.purpose,
            callsign: plan.callsign,
            squawk: plan.squawk,
            late: false,
        }),
        Body::FlightEnd(FlightEnd { flight: id("F1"), version: 3 }),
        Body::Restriction(hotline_line::Restriction {
            id: id("R1"),
            volumes: plan.volumes.clone(),
            reason: "fire".into(),
        }),
        Body::RestrictionLift(RestrictionLift { id: id("R1") }),
        Body::ConflictAlert(hotline_line::ConflictAlert {
            conflict: conflict.clone(),
            level: Level::Warning,
            detected: at(5),
            begins: at(50),
            ends: at(90),
            closest: Some((hotline_airspace::Seconds::new(60.0), 100.0, 0.0)),
            place: hotline_airspace::Position::new(
                hotline_airspace::Degrees::new(35.0),
                hotline_airspace::Degrees::new(40.0),
            )
            .expect("on the globe"),
        }),
        Body::ConflictClear(hotline_line::ConflictClear { conflict: conflict.clone(), since: at(100) }),
        Body::MissedDeadline(MissedDeadline {
            conflict: conflict.clone(),
            level: Level::Caution,
            party: party(),
            due: at(80),
        }),
    ];
    for body in &bodies {
        let kind = KINDS.iter().position(|k| *k == body.kind()).expect("a known kind") as u8;
        keep("body", body.kind(), &[&[kind][..], &body.to_cbor()].concat());
    }
    let ack = Acknowledgement::sign(&line(), &party(), conflict, Level::Warning, vec![], at(7), &key());
    keep("acknowledgement", "one", &ack.signed);

    let mut tree = Tree::default();
    let mut entries = Vec::new();
    for (number, body) in (0..).zip(&bodies) {
        let statement = Statement {
            line: line(),
            party: party(),
            number,
            time: at(100 + number as i64),
            causes: Default::default(),
            kind: body.kind().into(),
            body: body.to_cbor(),
        };
        keep("statement", &format!("plain-{}", body.kind()), &statement.to_cbor());
        let signed = statement.sign(&key());
        keep("statement", body.kind(), signed.bytes());
        tree.append(signed.bytes());
        entries.push(signed.bytes().to_vec());
    }
    let origin = hotline_ledger::origin(&line(), &party());
    let head = Checkpoint::sign(&origin, tree.size(), tree.root(tree.size()).expect("a root"), &key());
    let receipt = cosign(&head, "hotline/valley/green", &key(), at(500));
    keep("checkpoint", "head", &head.note);
    keep("checkpoint", "receipt", &receipt.note);
    let part = BundleParty {
        party: party(),
        root: key().verifying_key(),
        certificates: vec![certificate.bytes().to_vec()],
        first: 0,
        entries: entries[..3].to_vec(),
        checkpoint: head.note.clone(),
        proof: tree.prove_range(0, 3, tree.size()),
        receipts: vec![(party(), receipt.note.clone(), RangeProof { hashes: vec![[1; 32]] })],
    };
    let bundle = Bundle {
        line: line(),
        exporter: party(),
        exported: at(600),
        from: at(0),
        to: at(101),
        parties: vec![part],
    };
    keep("bundle", "small", &bundle.sign(&key()));

    let track =
        serde_json::from_str::<hotline_node::TrackInput>(TRACK).expect("valid").read().expect("valid");
    let messages = [
        Message::Hello { rulebook: [3; 32], held: 5, size: 7 },
        Message::Entries { first: 0, entries: entries[..2].to_vec(), checkpoint: head.note.clone() },
        Message::Urgent(entries[5].clone()),
        Message::Receipt(receipt.note.clone()),
        Message::Check { nonce: 77, time: at(5) },
        Message::Answer { nonce: 77, time: at(5) },
        Message::Tracks(vec![track.clone(), track]),
    ];
    for (n, message) in messages.iter().enumerate() {
        keep("message", &n.to_string(), &message.to_bytes());
    }
    let records = [
        Record::Own(entries[0].clone()),
        Record::Heard(party(), entries[1].clone()),
        Record::ReceiptGot(party(), receipt.note.clone()),
        Record::ReceiptGiven(party(), receipt.note),
        Record::Sent(party(), 9, at(5)),
        Record::State(party(), hotline_line::LineState::Down, at(5)),
        Record::Disputed(party(), 4, entries[0].clone(), entries[1].clone()),
    ];
    for (n, record) in records.iter().enumerate() {
        keep("record", &n.to_string(), &record.to_bytes());
    }
    keep("recording", "two-rows", RECORDING.as_bytes());
    keep(
        "daa_configuration",
        "example",
        include_bytes!("../../../crates/hotline-detect/testdata/example.conf"),
    );
    keep("daa_scenario", "crossing", include_bytes!("../../../crates/hotline-detect/testdata/crossing.daa"));
    keep("number_table", "two-rows", b"sx_m,other,T_s\n-1.5e3,x,60\n0,,1e2\n");
    keep("text_files", "rulebook", Rulebook::EXAMPLE.as_bytes());
    keep("text_files", "config", CONFIG.as_bytes());
    let mut keys = hotline_line::PeerKeys::new(party(), key().verifying_key());
    keys.certify(certificate.bytes()).expect("by its root");
    let introduction = hotline_node::Introduction::new(&keys, "127.0.0.1:7501".parse().expect("an address"));
    keep("text_files", "introduction", introduction.to_toml().as_bytes());
    keep("planner_json", "flight", serde_json::to_string(&notice).expect("plain data").as_bytes());
    keep("planner_json", "tracks", format!("[{TRACK}]").as_bytes());
    keep("planner_json", "restriction", format!("{{\"volumes\":{VOLUMES},\"reason\":\"fire\"}}").as_bytes());
}

const VOLUMES: &str = r#"[{"centre":[40.1,35.3],"radius_m":2000.5,"lower_m":0,"upper_m":500,"datum":"baro","start":"2026-01-01T10:00:00Z","end":"2026-01-01T11:00:00Z"},{"vertices":[[40,35],[41,35],[41,36]],"lower_m":100,"upper_m":900,"datum":"w84","start":"2026-01-01T10:00:00Z","end":"2026-01-01T11:00:00Z"}]"#;
const TRACK: &str = r#"{"id":"A1","callsign":"TEST","category":"aeroplane","flight":"F1","time_ms":1700000000000,"lat":35.1,"lon":40.2,"alt_ft":18000,"gs_kt":430.5,"trk":271.2,"vs_fpm":-500}"#;
const RECORDING: &str = "time_unix_s,icao24,callsign,lat_deg,lon_deg,alt_ft,gs_kt,trk_deg,vs_fpm\n1558612204,4b43ac,REGA1,47.430866,9.383099,2525,44,260,1344\n1558612213,4b43ac,REGA1,47.430168,9.380423,,55,240,\n";
const CONFIG: &str = "party = \"blue\"\nconsole = \"127.0.0.1:7401\"\nlink = \"0.0.0.0:7501\"\nofficers = [\"A. Smith\"]\nsnapshot_every = 1000\n\n[[peer]]\nparty = \"green\"\naddress = \"10.0.0.1:7501\"\n";
