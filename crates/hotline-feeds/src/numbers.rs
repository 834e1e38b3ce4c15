//! Tables of numbers as CSV: named columns, every cell a finite number.

use crate::FeedError;
use crate::recording::not_csv;
use csv::StringRecord;
use std::io::Read;

/// Reads `N` named columns of a table row by row; they may come in any order, further ones are ignored.
pub struct Numbers<R, const N: usize> {
    reader: csv::Reader<R>,
    names: [&'static str; N],
    columns: [usize; N],
    record: StringRecord,
    failed: bool,
}

impl<R: Read, const N: usize> Numbers<R, N> {
    /// Reads the header.
    ///
    /// # Errors
    /// When a column is missing or the file is not CSV.
    pub fn read(source: R, names: [&'static str; N]) -> Result<Self, FeedError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
        let headers = reader.headers().map_err(|e| not_csv(&e))?.clone();
        let mut columns = [0; N];
        for (column, place) in names.iter().zip(&mut columns) {
            *place = headers
                .iter()
                .position(|h| h == *column)
                .ok_or_else(|| FeedError::Column { missing: column, wanted: names.join(", ") })?;
        }
        Ok(Self { reader, names, columns, record: StringRecord::new(), failed: false })
    }

    fn row(&self) -> Result<[f64; N], FeedError> {
        let mut row = [0.0; N];
        for (place, (column, name)) in row.iter_mut().zip(self.columns.iter().zip(self.names)) {
            let text = self.record.get(*column).unwrap_or("");
            *place = match text.parse::<f64>() {
                Ok(number) if number.is_finite() => number,
                _ => {
                    return Err(FeedError::Field {
                        line: self.record.position().map_or(0, csv::Position::line),
                        column: name,
                        value: text.chars().take(40).collect(),
                        why: format!("is not a finite number (field {})", column + 1),
                    });
                }
            };
        }
        Ok(row)
    }
}

impl<R: Read, const N: usize> Iterator for Numbers<R, N> {
    type Item = Result<[f64; N], FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let row = match self.reader.read_record(&mut self.record) {
            Ok(false) => return None,
            Ok(true) => self.row(),
            Err(e) => Err(not_csv(&e)),
        };
        self.failed = row.is_err();
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_wrong() {
        let rows =
            |text: &'static str| Numbers::read(text.as_bytes(), ["a", "b"]).map(Iterator::collect::<Vec<_>>);
        assert_eq!(rows("b,c,a\n1,x,2\n").unwrap()[0].as_ref().unwrap(), &[2.0, 1.0]);
        let wrong = rows("a,b\n1,2\n3,nan\n4,5\n").unwrap();
        assert_eq!(wrong.len(), 2, "nothing after an error");
        assert_eq!(
            wrong[1].as_ref().unwrap_err().to_string(),
            "line 3, column b: \"nan\" is not a finite number (field 2)"
        );
        assert!(rows("a,c\n").is_err());
        assert!(rows("a,b\n1\n").unwrap()[0].is_err(), "a short row");
    }
}
