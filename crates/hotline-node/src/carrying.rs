//! The requests that make and take in files which are carried by hand: see [`crate::carried`].

use crate::carried::{Marks, Packing, unpack};
use crate::engine::{Command, Refusal};
use crate::http::{Answer, App, Refused, bad, read, send_file};
use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::StreamExt;
use hotline_ledger::PartyName;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

/// The largest file that is taken in, bytes.
const MAX_CARRIED: u64 = 8 << 30;
/// The header of an answer that tells how far each ledger has been carried.
pub(crate) const MARKS: &str = "x-hotline-marks";

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/export-line", post(export_line))
        .route("/import-line", post(import_line).layer(DefaultBodyLimit::disable()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportLine {
    /// For whom.
    to: String,
    /// From which statement on, where that is not what the peer is known to lack.
    #[serde(default)]
    marks: BTreeMap<String, u64>,
}

fn broken(e: impl ToString) -> Refused {
    Refused(StatusCode::INTERNAL_SERVER_ERROR, e.to_string())
}

async fn export_line(State(app): State<App>, body: Bytes) -> Result<Response, Refused> {
    let input: ExportLine = read(&body)?;
    let to = PartyName::new(&input.to).map_err(bad)?;
    let mut marks = Marks::new();
    for (party, number) in input.marks {
        marks.insert(PartyName::new(&party).map_err(bad)?, number);
    }
    let now = app.clock.now();
    let packing = app.engine.look(move |core| Packing::begin(core, &to, &marks, now)).await;
    let packing = packing.ok_or(Refused::from(Refusal::Stopping))?.map_err(bad)?;
    let journal = app.journal.clone();
    let written = tokio::task::spawn_blocking(move || -> Result<(File, Marks), String> {
        let mut file = tempfile::tempfile().map_err(|e| e.to_string())?;
        let marks = packing.write(&*journal, BufWriter::new(&file)).map_err(|e| e.to_string())?;
        file.rewind().map_err(|e| e.to_string())?;
        Ok((file, marks))
    });
    let (file, marks) = written.await.map_err(broken)?.map_err(broken)?;
    let marks: BTreeMap<&str, u64> = marks.iter().map(|(party, n)| (party.as_str(), *n)).collect();
    let mut response = send_file(file).into_response();
    let marks = HeaderValue::from_str(&json!(marks).to_string()).map_err(broken)?;
    response.headers_mut().insert(MARKS, marks);
    Ok(response)
}

async fn import_line(State(app): State<App>, body: Body) -> Answer {
    let mut file = tempfile::tempfile().map_err(broken)?;
    let (mut stream, mut size) = (body.into_data_stream(), 0);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(bad)?;
        size += chunk.len() as u64;
        if size > MAX_CARRIED {
            return Err(bad(format!("a carried file has at most {MAX_CARRIED} bytes")));
        }
        file.write_all(&chunk).map_err(broken)?;
    }
    let look = app.engine.look(|core| {
        let line = core.line();
        let keys: BTreeMap<_, _> =
            line.peers().filter_map(|p| Some((p.clone(), line.keys(p)?.clone()))).collect();
        (line.name().clone(), line.party().clone(), keys)
    });
    let (line, own, keys) = look.await.ok_or(Refused::from(Refusal::Stopping))?;
    let (engine, handle) = (app.engine.clone(), tokio::runtime::Handle::current());
    let taken = tokio::task::spawn_blocking(move || -> Result<(PartyName, u64), String> {
        let mut messages = 0;
        let open = || -> Result<Box<dyn Read>, String> {
            let mut again = file.try_clone().map_err(|e| e.to_string())?;
            again.rewind().map_err(|e| e.to_string())?;
            Ok(Box::new(BufReader::with_capacity(1 << 20, again)))
        };
        let header = unpack(
            open,
            &line,
            &own,
            |party| keys.get(party).cloned(),
            |from, message| {
                messages += 1;
                let command = Command::CarriedIn(from.clone(), Box::new(message));
                handle.block_on(engine.command(command)).map(|_| ()).map_err(|e| e.to_string())
            },
        )?;
        Ok((header.from, messages))
    });
    let (from, messages) = taken.await.map_err(broken)?.map_err(bad)?;
    Ok(Json(json!({ "from": from.as_str(), "messages": messages })))
}
