//! Feeds every decoder with mutations of its corpus for so many seconds each: for machines without a nightly
//! toolchain, where there is no guidance by coverage. `mutate SECONDS SEED dss` takes only the targets of that beginning;
//! `mutate seeds` writes the corpus anew.

use hotline_evidence::{Certified, Header, PartyHead, ReceiptFrame, SealedWriter, Section, Writer};
use hotline_fuzz::{TARGETS, certificate_of, key, keys, kind, line, party};
use hotline_ledger::{
    Checkpoint, KeyId, Misconduct, Openings, Revocation, Role, Root, SaltSecret, Statement, Tree, cosign,
};
use hotline_line::{
    Act, Body, CaseKind, CaseStep, Change, Choice, ConflictKey, ConflictKind, Deed, Entry, FlightEnd,
    FlightId, Handover, Level, Links, Message, Missed, MissedDeadline, Offence, Parameter, Proposal, Record,
    RecordedLeaf, Reply, RestrictionLift, Rulebook, Segment, Severity, Stage, StatementRef, Step, Subject,
    Withholdable, Words,
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
    let only = std::env::args().nth(3);
    println!("seed {random}");
    let mut draw = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize
    };
    for (name, run) in
        TARGETS.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| name.starts_with(only)))
    {
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

/// A machine that has been through every command, as its entries and its items; and bodies of requests.
fn dss_seeds(keep: impl Fn(&str, &str, &[u8])) {
    use hotline_dss::*;
    let cells = hotline_airspace::cover_circle(
        hotline_airspace::Position::new(
            hotline_airspace::Degrees::new(47.0),
            hotline_airspace::Degrees::new(8.0),
        )
        .expect("on the globe"),
        hotline_airspace::Metres::new(900.0),
    )
    .expect("a covering");
    let second = |n: i64| Moment::from_micros(n * 1_000_000);
    let (start, end, url): (_, _, std::sync::Arc<str>) =
        (second(100), second(4_000), "https://uss.example".into());
    let id = |n: u128| Id(uuid::Uuid::from_u128(n));
    let extent = Extent { cells: cells.clone().into(), lower: 10.0, upper: 120.0, start, end };
    let window =
        Window { cells: cells.into(), lower: f64::NEG_INFINITY, upper: 120.0, start: Some(start), end: None };
    let end_window = Window { end: Some(end), ..window.clone() };
    let heartbeat = Heartbeat { at: start, reporter: None, source: "startup".into(), next: Some(end) };
    let new = NewSubscription { url: url.clone(), for_constraints: true };
    let commands = [
        Command::PutIntent {
            id: id(1),
            ovn: None,
            extent: extent.clone(),
            key: vec!["an-ovn-of-another".into()],
            state: IntentState::Accepted,
            url: url.clone(),
            subscription: SubscriptionChoice::New(new),
            requested_ovn: Some("chosen".into()),
        },
        Command::PutSubscription {
            id: id(2),
            version: None,
            window: window.clone(),
            url: url.clone(),
            for_intents: true,
            for_constraints: true,
        },
        Command::PutConstraint { id: id(3), ovn: None, extent, url: url.clone() },
        Command::PutRidSubscription { id: id(4), version: None, window, url: url.clone() },
        Command::PutServiceArea { id: id(5), version: None, window: end_window, url },
        Command::SetAvailability {
            uss: "uss2".into(),
            old_version: "".into(),
            availability: Availability::Down,
        },
        Command::Report { content: "{}".into() },
        Command::Heartbeat { instance: "dss-1".into(), endpoint: None, heartbeat },
        Command::DeleteConstraint { id: id(3), ovn: "unknown".into() },
        Command::DeleteIntent { id: id(1), ovn: "chosen".into() },
    ];
    let mut machine = Machine::new(Settings::default());
    let mut entries = Vec::new();
    for (n, command) in commands.into_iter().enumerate() {
        let (at, deadline) = (second(110 + n as i64), second(200));
        let entry = Entry { at, deadline, client: "uss1".into(), nonce: [n as u8; NONCE_BYTES], command };
        entries.extend(minicbor::to_vec(&entry).expect("to memory"));
        if n == 8 {
            let items: Vec<u8> =
                machine.items().iter().flat_map(|item| minicbor::to_vec(item).expect("to memory")).collect();
            keep("dss_snapshot", "all", &items);
        }
        machine.apply(&entry);
    }
    keep("dss_entry", "all", &entries);
    let time = |n: i64| format!(r#"{{"value":"2026-01-0{n}T12:00:00.5Z","format":"RFC3339"}}"#);
    let altitude = |n: i64| format!(r#"{{"value":{n},"reference":"W84","units":"M"}}"#);
    let volume = |outline: &str| {
        let (a, b, c, d) = (altitude(10), altitude(99), time(1), time(2));
        format!(
            r#"{{"volume":{{{outline},"altitude_lower":{a},"altitude_upper":{b}}},"time_start":{c},"time_end":{d}}}"#
        )
    };
    let circle = r#""outline_circle":{"center":{"lat":47,"lng":8},"radius":{"value":300,"units":"M"}}"#;
    let vertices = r#"{"vertices":[{"lat":47,"lng":8},{"lat":47.01,"lng":8},{"lat":47,"lng":8.01}]}"#;
    let polygon = format!(r#""outline_polygon":{vertices}"#);
    let url = r#""uss_base_url":"https://uss.example""#;
    let bodies = [
        (
            "intent",
            format!(
                r#"{{"extents":[{},{}],"key":["x"],"state":"Accepted",{url},"new_subscription":{{{url}}}}}"#,
                volume(circle),
                volume(&polygon)
            ),
        ),
        ("constraint", format!(r#"{{"extents":[{}],{url}}}"#, volume(circle))),
        (
            "subscription",
            format!(r#"{{"extents":{},{url},"notify_for_constraints":true}}"#, volume(&polygon)),
        ),
        ("query", format!(r#"{{"area_of_interest":{}}}"#, volume(circle))),
        (
            "report",
            format!(
                r#"{{"exchange":{{"url":"u","method":"PUT","recorder_role":"Client","request_time":{}}}}}"#,
                time(1)
            ),
        ),
        (
            "area19",
            format!(
                r#"{{"extents":{{"spatial_volume":{{"footprint":{vertices},"altitude_lo":1}},"time_end":"2026-01-01T12:00:00Z"}},"flights_url":"https://a/f"}}"#
            ),
        ),
        ("searched", "47,8,47.01,8,47,8.01".to_owned()),
    ];
    for (name, text) in bodies {
        assert!(!hotline_utm::forms_of(text.as_bytes()).is_empty(), "{name} is no body");
        keep("utm_body", name, text.as_bytes());
    }
    let line = r#"{"kind":"constraint","id":"00000001-0000-4000-8000-000000000001","manager":"u","version":1,"ovn":"o","uss_base_url":"https://a","where":{"cells":["5170157612374654976"],"time_start":"2026-01-01T00:00:00Z","time_end":"2026-01-02T00:00:00Z"}}"#;
    keep("utm_body", "entity", line.as_bytes());
    uss_seeds(keep);
}

fn uss_seeds(keep: impl Fn(&str, &str, &[u8])) {
    let time = |hour: u32| format!(r#"{{"value":"2026-01-01T{hour:02}:00:00Z","format":"RFC3339"}}"#);
    let at = |metres: u32| format!(r#"{{"value":{metres},"reference":"W84","units":"M"}}"#);
    let circle = r#""outline_circle":{"center":{"lat":47,"lng":8},"radius":{"value":300,"units":"M"}}"#;
    let (low, high, start, end) = (at(50), at(120), time(10), time(11));
    let volume = format!(
        r#"{{"volume":{{{circle},"altitude_lower":{low},"altitude_upper":{high}}},"time_start":{start},"time_end":{end}}}"#
    );
    let id = "00000001-0000-4000-8000-000000000001";
    let reference = format!(
        r#""id":"{id}","manager":"u","uss_availability":"Normal","version":1,"ovn":"o","time_start":{start},"time_end":{end},"uss_base_url":"https://a""#
    );
    let subscriptions = format!(r#""subscriptions":[{{"subscription_id":"{id}","notification_index":1}}]"#);
    let bodies = [
        (
            "intent",
            format!(
                r#"{{"operational_intent_id":"{id}","operational_intent":{{"reference":{{{reference},"state":"Accepted","subscription_id":"{id}"}},"details":{{"volumes":[{volume}],"priority":1}}}},{subscriptions}}}"#
            ),
        ),
        (
            "constraint",
            format!(
                r#"{{"constraint_id":"{id}","constraint":{{"reference":{{{reference}}},"details":{{"volumes":[{volume}],"type":"t"}}}},{subscriptions}}}"#
            ),
        ),
        (
            "telemetry",
            format!(
                r#"{{"time_measured":{start},"position":{{"longitude":8,"latitude":47,"altitude":{low}}},"velocity":{{"speed":10,"units_speed":"MetersPerSecond","track":90}}}}"#
            ),
        ),
        (
            "flight plan",
            format!(
                r#"{{"basic_information":{{"usage_state":"InUse","uas_state":"Nominal","area":[{volume}]}},"astm_f3548_21":{{"priority":3}},"operator":{{"registration_numbers":[{{"identifier":"N.1"}}]}},"telemetry":{{"states":[{{"id":"1","timestamp":{start},"position":{{"location":{{"lat":47,"lng":8}},"altitudes":[{low}]}}}}]}}}}"#
            ),
        ),
        (
            "zones",
            r#"{"features":[{"identifier":"Z","restriction":"PROHIBITED","uSpaceClass":["A"],"applicability":[{"permanent":"NO","startDateTime":"2026-01-01T00:00:00Z","endDateTime":"2026-02-01T00:00:00Z"}],"geometry":[{"uomDimensions":"FT","lowerLimit":0,"upperLimit":400,"horizontalProjection":{"type":"Polygon","coordinates":[[[8,47],[8.1,47],[8.1,47.1],[8,47]]]}},{"uomDimensions":"M","horizontalProjection":{"type":"Circle","center":[8,47],"radius":500}}]}]}"#.to_owned(),
        ),
        ("view", "47,8,47.01,8.01".to_owned()),
    ];
    for (name, text) in bodies {
        assert!(!hotline_uss::forms_of(text.as_bytes()).is_empty(), "{name} is nothing that is known");
        keep("uss_body", name, text.as_bytes());
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
    dss_seeds(keep);
    let id = |text: &str| FlightId::new(text).expect("a plain name");
    let subject =
        |name: &str| Subject { party: hotline_ledger::PartyName::new(name).expect("a name"), id: id("A1") };
    let conflict = ConflictKey::new(ConflictKind::Tracks, subject("blue"), subject("green"));
    let certificate = certificate_of(Role::Node).sign(&key());
    keep("certificate", "node", certificate.bytes());
    let green = hotline_ledger::PartyName::new("green").expect("a name");
    let statement_ref = |number| StatementRef { party: green.clone(), number };
    let revocation =
        Revocation { party: party(), key: KeyId::of(&key().verifying_key()), reason: "lost".into() };
    let revocation = revocation.sign(&key()).expect("short");

    let notice = hotline_node::FlightInput {
        volumes: serde_json::from_str(VOLUMES).expect("valid"),
        aircraft: 2,
        category: "helicopter".into(),
        purpose: "rescue".into(),
        callsign: "LIFT7".into(),
        unit: "1 Sqn".into(),
        squawk: Some("4321".into()),
    };
    let plan = notice.read("F1").expect("valid");
    let words =
        Words::phrase("keep-clear", &[("area", "R-12"), ("time", "14:30Z")], "en", "Keep clear of R-12.");
    let deeds = [
        Deed::Acknowledge {
            conflict: conflict.clone(),
            level: Level::Warning,
            alerts: vec![statement_ref(4)],
        },
        Deed::Message { to: vec![], words: words.clone(), reply_to: Some(statement_ref(2)) },
        Deed::Request { to: vec![green.clone()], words: words.clone(), read_back: true },
        Deed::Answer { to: statement_ref(1), reply: Reply::Unable(Words::free("ru", "Нет")) },
        Deed::Answer {
            to: statement_ref(1),
            reply: Reply::ReadBack(vec![Parameter { name: "area".into(), value: "R-12".into() }]),
        },
        Deed::Check { to: vec![green.clone()] },
        Deed::Case(CaseStep {
            case: None,
            step: Step::Open {
                kind: CaseKind::Protest,
                severity: Severity::Grave,
                title: words.clone(),
                against: vec![green.clone()],
                links: Links { statements: vec![statement_ref(3)], subjects: vec![subject("green")] },
            },
        }),
        Deed::Case(CaseStep {
            case: Some(statement_ref(9)),
            step: Step::Triage { severity: Severity::Minor, owner: green.clone(), due: at(900) },
        }),
        Deed::Position { about: "R-12".into(), words: words.clone(), supersedes: Some(3) },
        Deed::Propose(Proposal {
            title: words.clone(),
            class: "expulsion".into(),
            change: Change::Expulsion(green.clone()),
            base: Root([4; 32]),
            deadline: at(5_000),
            dispute: vec![party()],
        }),
        Deed::Vote { proposal: statement_ref(5), choice: Choice::Abstain },
        Deed::Withdraw { proposal: 7 },
        Deed::Suspend(words.clone()),
        Deed::Restore(words.clone()),
        Deed::Leave(words.clone()),
    ];
    let acts: Vec<Act> =
        deeds.map(|deed| Act::sign(&line(), &party(), deed, at(7), &key()).expect("within limits")).into();
    for (n, act) in acts.iter().enumerate() {
        keep("act", &format!("{n}-{}", act.deed().kind()), act.bytes());
    }
    let one = Statement {
        line: line(),
        party: party(),
        number: 3,
        time: at(9),
        causes: Default::default(),
        kind: "flight-end".into(),
        body: Body::FlightEnd(FlightEnd { flight: id("F1"), version: 3 }).encode(&mut |_, _| unreachable!()),
    };
    let other = Statement { time: at(10), ..one.clone() };
    let proof = Misconduct::Statements {
        one: one.sign(&key()).bytes().to_vec(),
        other: other.sign(&key()).bytes().to_vec(),
    };
    keep("proof", "statements", &proof.to_bytes());
    keep("proof", "revocation", &revocation);
    let leaf = RecordedLeaf {
        aircraft: "A1".into(),
        salt: [3; 16],
        rows: vec![hotline_line::Row {
            time_ms: 5,
            latitude_e7: 353_000_000,
            longitude_e7: 401_000_000,
            altitude_mm: 1_000_000,
            datum: 1,
            speed_mms: 200_000,
            track_e3: 90_000,
            climb_mms: -500,
        }],
    };
    let mut bodies = vec![
        Body::Certificate(certificate.bytes().to_vec(), Withholdable::new("A. Smith")),
        Body::Revocation(revocation),
        Body::FlightNotice(hotline_line::FlightNotice {
            flight: plan.flight,
            version: 1,
            volumes: plan.volumes.clone(),
            aircraft: 2,
            category: plan.category,
            purpose: Withholdable::new(plan.purpose.as_str()),
            callsign: Withholdable::new(plan.callsign),
            unit: Withholdable::new(plan.unit),
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
        Body::ScheduledCheck(vec![green.clone()]),
        Body::MissedDeadline(MissedDeadline {
            missed: Missed::Alert(conflict.clone(), Level::Caution),
            party: party(),
            due: at(80),
            stage: Stage::Supervisor,
        }),
        Body::Dispute(Box::new(hotline_line::Dispute { party: party(), proof })),
        Body::Segment(Segment { number: 0, from: at(1), to: at(61), aircraft: 1, root: Root([9; 32]) }),
        Body::Handover(Handover {
            recipient: "Board".into(),
            reason: "inquiry".into(),
            from: at(1),
            to: at(2),
            withheld: vec!["unit".into()],
            hash: Root([8; 32]),
        }),
    ];
    bodies.extend(acts.into_iter().map(|act| Body::Act(Box::new(act))));

    let mut tree = Tree::default();
    let mut entries = Vec::new();
    let salts = SaltSecret::of(&key());
    for (number, body) in (0u64..).zip(&bodies) {
        let mut openings = Openings::default();
        let encoded = body.encode(&mut |field, value| {
            let opening = salts.opening(&line(), number, field, value);
            let sealed = opening.seal();
            openings.0.push(opening);
            sealed
        });
        let mut opened = openings.to_bytes();
        let of_kind = (0..=255u8).find(|n| kind(*n) == body.kind()).expect("a known kind");
        // The openings are cut to the length that is said before them, which counts by twos: one more byte is no harm.
        let length = opened.len().div_ceil(2) as u8;
        opened.resize(usize::from(length) * 2, 0);
        if number < 13 || number % 3 == 0 {
            keep(
                "body",
                &format!("{number}-{}", body.kind()),
                &[&[of_kind, length][..], &opened, &encoded].concat(),
            );
        }
        let statement = Statement {
            line: line(),
            party: party(),
            number,
            time: at(100 + number as i64),
            causes: [(green.clone(), number)].into(),
            kind: body.kind().into(),
            body: encoded,
        };
        if number < 3 {
            keep("statement", &format!("plain-{}", body.kind()), &statement.to_cbor());
        }
        let signed = statement.sign(&key());
        if number < 8 {
            keep("statement", body.kind(), signed.bytes());
        }
        if !openings.0.is_empty() {
            keep("openings", body.kind(), &openings.to_bytes());
        }
        tree.append(signed.bytes());
        entries.push(Entry { statement: signed.bytes().to_vec(), openings: openings.to_bytes() });
    }
    let origin = hotline_ledger::origin(&line(), &party());
    let size = tree.size();
    let head = Checkpoint::sign(&origin, size, tree.root(size).expect("a root"), &key());
    let receipt = cosign(&head, "hotline/valley/green", &key(), at(500));
    keep("checkpoint", "head", &head.note);
    keep("checkpoint", "receipt", &receipt.note);
    let mut file = Vec::new();
    let header = Header {
        line: line(),
        exporter: party(),
        exported_ms: 600_000,
        from_ms: 0,
        to_ms: 101_000,
        recipient: "Board".into(),
        reason: "inquiry".into(),
        withheld: vec![],
    };
    let mut writer = Writer::new(&mut file, header).expect("memory");
    let proof = tree.prove_range(0, 3, size).hashes.into_iter().map(Root).collect();
    let part = PartyHead {
        party: party(),
        root: *key().verifying_key().as_bytes(),
        first: 0,
        count: 3,
        head: head.note.clone(),
        proof,
    };
    writer.party(part).expect("memory");
    let certified = Certified { certificate: certificate.bytes().to_vec(), certified: None, revoked: None };
    writer.certified(certified).expect("memory");
    writer.section(Section { party: party() }).expect("memory");
    writer
        .receipt(ReceiptFrame { by: party(), note: receipt.note.clone(), extension: vec![] })
        .expect("memory");
    for entry in &entries[..3] {
        writer.entry(entry.statement.clone(), entry.openings.clone()).expect("memory");
    }
    writer.finish(&key()).expect("memory");
    keep("evidence", "small", &file);

    let track =
        serde_json::from_str::<hotline_node::TrackInput>(TRACK).expect("valid").read().expect("valid");
    let messages = [
        Message::Hello { rulebook: [3; 32], held: 5, size: 7, head: head.note.clone() },
        Message::Entries {
            ledger: party(),
            first: 0,
            entries: entries[..2].to_vec(),
            checkpoint: head.note.clone(),
        },
        Message::Urgent(entries[6].clone()),
        Message::Receipt(receipt.note.clone()),
        Message::Check { nonce: 77, time: at(5) },
        Message::Answer { nonce: 77, time: at(5) },
        Message::Tracks(vec![track.clone(), track]),
        Message::Heads(vec![(party(), head.note.clone())]),
        Message::Want { ledger: green.clone(), from: 3 },
    ];
    for (n, message) in messages.iter().enumerate() {
        keep("message", &n.to_string(), &message.to_bytes());
    }
    keep("carried", "small", &carried(&messages[..2]));
    let records = [
        Record::Own(entries[0].clone()),
        Record::Heard(party(), entries[1].clone()),
        Record::ReceiptGot(party(), receipt.note.clone()),
        Record::ReceiptGiven(party(), receipt.note),
        Record::Sent(party(), 9, at(5)),
        Record::State(party(), hotline_line::LineState::Down, at(5)),
        Record::Disputed(party(), vec![1, 2, 3], at(6)),
        Record::Offence(party(), Offence::Flood, 4, at(7)),
        Record::Withheld("flight-end".into(), entries[3].clone()),
        Record::Recorded(4, "A1".into(), leaf.to_bytes()),
    ];
    for (n, record) in records.iter().enumerate() {
        keep("record", &n.to_string(), &record.to_bytes());
    }
    for (n, deed) in DEEDS.iter().enumerate() {
        keep("deed_json", &n.to_string(), deed.as_bytes());
    }
    keep("language", "ar", include_bytes!("../../../crates/hotline-node/phrases/ar.ftl"));
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
    let introduction =
        hotline_node::Introduction::new(&keys(), "127.0.0.1:7501".parse().expect("an address"));
    keep("text_files", "introduction", introduction.to_toml().as_bytes());
    keep("planner_json", "flight", serde_json::to_string(&notice).expect("plain data").as_bytes());
    keep("planner_json", "tracks", format!("[{TRACK}]").as_bytes());
    keep("planner_json", "restriction", format!("{{\"volumes\":{VOLUMES},\"reason\":\"fire\"}}").as_bytes());
}

/// A file with messages for green, as a node makes it.
fn carried(messages: &[Message]) -> Vec<u8> {
    use minicbor::Encoder;
    let frame = |kind: u32, payload: &[u8]| {
        let mut e = Encoder::new(Vec::new());
        e.array(2).and_then(|e| e.u32(kind)).and_then(|e| e.array(1)).expect("memory");
        e.into_writer().into_iter().chain(payload.iter().copied()).collect::<Vec<u8>>()
    };
    let bytes = |bytes: &[u8]| {
        let mut e = Encoder::new(Vec::new());
        e.bytes(bytes).expect("memory");
        e.into_writer()
    };
    let mut header = Encoder::new(Vec::new());
    header
        .array(4)
        .and_then(|e| e.str("valley"))
        .and_then(|e| e.str("blue"))
        .and_then(|e| e.str("green"))
        .and_then(|e| e.i64(5))
        .expect("memory");
    let mut file = Vec::new();
    let mut writer = SealedWriter::new(&mut file, "HOTLINE CARRIED 1\n").expect("memory");
    writer.part(&frame(0, &header.into_writer())).expect("memory");
    messages.iter().for_each(|m| writer.part(&frame(1, &bytes(&m.to_bytes()))).expect("memory"));
    writer.seal(&key(), "a hotline carried v1", |signed| frame(2, &bytes(&signed))).expect("memory");
    file
}

const DEEDS: [&str; 4] = [
    r#"{"do":"request","to":["green"],"read_back":true,"words":{"language":"en","text":"Keep clear.","phrase":"keep-clear","parameters":{"area":"R-12","time":"14:30Z"}}}"#,
    r#"{"do":"case-open","kind":"protest","severity":"grave","words":{"language":"ru","text":"Протест"},"against":["green"],"statements":["green#3"],"subjects":["green:A1"]}"#,
    r#"{"do":"propose","class":"expulsion","change":{"matter":"expulsion","party":"green"},"words":{"language":"en","text":"Out"},"within_s":3600.5,"dispute":[]}"#,
    r#"{"do":"read-back","statement":"green#4","essentials":{"area":"R-12"}}"#,
];
const VOLUMES: &str = r#"[{"centre":[40.1,35.3],"radius_m":2000.5,"lower_m":0,"upper_m":500,"datum":"baro","start":"2026-01-01T10:00:00Z","end":"2026-01-01T11:00:00Z"},{"vertices":[[40,35],[41,35],[41,36]],"lower_m":100,"upper_m":900,"datum":"w84","start":"2026-01-01T10:00:00Z","end":"2026-01-01T11:00:00Z"}]"#;
const TRACK: &str = r#"{"id":"A1","callsign":"TEST","category":"aeroplane","flight":"F1","time_ms":1700000000000,"lat":35.1,"lon":40.2,"alt_ft":18000,"gs_kt":430.5,"trk":271.2,"vs_fpm":-500}"#;
const RECORDING: &str = "time_unix_s,icao24,callsign,lat_deg,lon_deg,alt_ft,gs_kt,trk_deg,vs_fpm\n1558612204,4b43ac,REGA1,47.430866,9.383099,2525,44,260,1344\n1558612213,4b43ac,REGA1,47.430168,9.380423,,55,240,\n";
const CONFIG: &str = "party = \"blue\"\nconsole = \"127.0.0.1:7401\"\nlink = \"0.0.0.0:7501\"\nofficers = [\"A. Smith\"]\nsnapshot_every = 1000\n\n[[peer]]\nparty = \"green\"\naddress = \"10.0.0.1:7501\"\n";
