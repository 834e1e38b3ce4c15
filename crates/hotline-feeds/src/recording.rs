//! Recordings of traffic as CSV, plain or gzipped: one state vector a row, an empty field is unknown.

use crate::FeedError;
use csv::StringRecord;
use flate2::read::MultiGzDecoder;
use hotline_airspace::{Altitude, Datum, Degrees, Feet, FeetPerMinute, Knots, Position, TrackState};
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

const COLUMNS: [&str; 9] =
    ["time_unix_s", "icao24", "callsign", "lat_deg", "lon_deg", "alt_ft", "gs_kt", "trk_deg", "vs_fpm"];
/// The longest identity or call sign, bytes.
const MAX_NAME: usize = 16;

/// One usable row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The aircraft's 24-bit address as written.
    pub icao24: String,
    /// Its call sign; may be empty.
    pub callsign: String,
    /// Its state: barometric altitude; level where the vertical speed is unknown.
    pub state: TrackState,
}

/// Opens a file or, for `-`, standard input; gzipped or not is told by the first bytes.
///
/// # Errors
/// When it cannot be opened.
pub fn open(path: &Path) -> Result<Box<dyn Read>, FeedError> {
    let failed = |source| FeedError::File { path: path.display().to_string(), source };
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    let mut source = BufReader::with_capacity(1 << 16, source);
    let gzipped = io::BufRead::fill_buf(&mut source).map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzipped { Box::new(MultiGzDecoder::new(source)) } else { Box::new(source) })
}

/// Reads a recording row by row. Rows without position, altitude, speed or track are counted and left out.
pub struct Recording<R> {
    reader: csv::Reader<R>,
    columns: [usize; 9],
    record: StringRecord,
    incomplete: u64,
    failed: bool,
}

impl<R: Read> Recording<R> {
    /// Reads the header. Columns may come in any order; further ones are ignored.
    ///
    /// # Errors
    /// When a column is missing or the file is not CSV.
    pub fn read(source: R) -> Result<Self, FeedError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
        let headers = reader.headers().map_err(|e| not_csv(&e))?.clone();
        let mut columns = [0; 9];
        for (column, place) in COLUMNS.iter().zip(&mut columns) {
            *place = headers
                .iter()
                .position(|h| h == *column)
                .ok_or_else(|| FeedError::Column { missing: column, wanted: COLUMNS.join(", ") })?;
        }
        Ok(Self { reader, columns, record: StringRecord::new(), incomplete: 0, failed: false })
    }

    /// How many rows so far lacked position, altitude, speed or track.
    pub fn incomplete(&self) -> u64 {
        self.incomplete
    }

    fn row(&self) -> Result<Option<Row>, FeedError> {
        let line = self.record.position().map_or(0, csv::Position::line);
        let text = |i: usize| self.record.get(self.columns[i]).unwrap_or("");
        let wrong = |i: usize, why: String| FeedError::Field {
            line,
            column: COLUMNS[i],
            value: text(i).chars().take(40).collect(),
            why,
        };
        let number = |i: usize| -> Result<Option<f64>, FeedError> {
            match text(i) {
                "" => Ok(None),
                value => match value.parse::<f64>() {
                    Ok(number) if number.is_finite() => Ok(Some(number)),
                    _ => Err(wrong(i, "is not a number".into())),
                },
            }
        };
        let time = number(0)?.ok_or_else(|| wrong(0, "is empty: every row needs a time".into()))?;
        let time = (time * 1e6).round();
        let time =
            (time.abs() < 9e18).then_some(time as i64).and_then(|us| Timestamp::from_microsecond(us).ok());
        let time = time.ok_or_else(|| wrong(0, "is not seconds since 1970".into()))?;
        for i in [1, 2] {
            let fits = text(i).len() <= MAX_NAME && !text(i).contains(char::is_control);
            if !fits || (i == 1 && (text(i).is_empty() || text(i).contains(char::is_whitespace))) {
                return Err(wrong(i, format!("is not a name of 1 to {MAX_NAME} bytes")));
            }
        }
        let (lat, lon, alt, gs, trk, vs) =
            (number(3)?, number(4)?, number(5)?, number(6)?, number(7)?, number(8)?);
        let (Some(lat), Some(lon), Some(alt), Some(gs), Some(trk)) = (lat, lon, alt, gs, trk) else {
            return Ok(None);
        };
        let position = Position::new(Degrees::new(lat), Degrees::new(lon)).map_err(|e| {
            let column = if (-90.0..=90.0).contains(&lat) { 4 } else { 3 };
            wrong(column, format!("is refused: {e}"))
        })?;
        let altitude = Altitude::new(Feet::new(alt).into(), Datum::Barometric)
            .map_err(|e| wrong(5, format!("is refused: {e}")))?;
        let climb = FeetPerMinute::new(vs.unwrap_or(0.0)).into();
        let state =
            TrackState::new(time, position, altitude, Knots::new(gs).into(), Degrees::new(trk), climb);
        let state = state.map_err(|e| {
            let column = match &e {
                hotline_airspace::AirspaceError::Track(_) => 7,
                hotline_airspace::AirspaceError::Speed { what: "vertical speed", .. } => 8,
                _ => 6,
            };
            wrong(column, format!("is refused: {e}"))
        })?;
        Ok(Some(Row { icao24: text(1).to_owned(), callsign: text(2).to_owned(), state }))
    }
}

pub(crate) fn not_csv(e: &csv::Error) -> FeedError {
    let line = e.position().map_or(1, csv::Position::line);
    FeedError::Csv { line, why: e.to_string() }
}

impl<R: Read> Iterator for Recording<R> {
    type Item = Result<Row, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            let read = self.reader.read_record(&mut self.record);
            let row = match read {
                Ok(false) => return None,
                Ok(true) => self.row(),
                Err(e) => Err(not_csv(&e)),
            };
            match row {
                Ok(Some(row)) => return Some(Ok(row)),
                Ok(None) => self.incomplete += 1,
                Err(e) => {
                    self.failed = true;
                    return Some(Err(e));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "time_unix_s,icao24,callsign,lat_deg,lon_deg,alt_ft,gs_kt,trk_deg,vs_fpm";

    fn first_error(rows: &str) -> String {
        let text = format!("{HEADER}\n{rows}\n");
        let read = Recording::read(text.as_bytes()).and_then(|r| r.collect::<Result<Vec<_>, _>>());
        read.unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named_with_line_and_column() {
        let good = "1,abc,X,1,2,300,100,90,0";
        assert_eq!(
            first_error(&format!("{good}\n2,abc,X,1,2,300,fast,90,0")),
            "line 3, column gs_kt: \"fast\" is not a number"
        );
        assert!(
            first_error("1,abc,X,91,2,300,100,90,0")
                .starts_with("line 2, column lat_deg: \"91\" is refused: latitude 91")
        );
        assert!(first_error("1,abc,X,1,2,300,100,361,0").contains("column trk_deg"));
        assert!(first_error("1,abc,X,1,2,300,100,90,99999").contains("column vs_fpm"));
        assert!(first_error("1,abc,X,1,2,300,nan,90,0").contains("column gs_kt"));
        assert!(first_error(",abc,X,1,2,300,100,90,0").contains("column time_unix_s"));
        assert!(first_error("1,abc,X,1,2").starts_with("line 2: CSV error"));
        let missing = Recording::read("time_unix_s,icao24\n".as_bytes()).err().unwrap();
        assert!(missing.to_string().contains("no column callsign"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let with_header = [HEADER.as_bytes(), b"\n", &bytes].concat();
            for input in [&bytes, &with_header] {
                if let Ok(recording) = Recording::read(input.as_slice()) {
                    let _: Vec<_> = recording.collect();
                }
            }
        }
    }
}
