//! Deterministic CBOR of what statements carry. Coordinates and lengths are integers (1e-9 degrees, millimetres),
//! so that both sides compute with the very same numbers.

use crate::LineError;
use hotline_airspace::{
    Altitude, AltitudeBand, Area, Category, Datum, Degrees, MAX_POLYGON_VERTICES, MAX_VOLUMES, Metres,
    Position, TimeInterval, Volume4,
};
use hotline_ledger::PartyName;
use jiff::Timestamp;
use minicbor::decode::Error as DecodeError;
use minicbor::{Decoder, Encoder};

/// Writing to memory does not fail.
pub(crate) type Out = Encoder<Vec<u8>>;
pub(crate) type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

/// Reads one kind of object and says of which it was when something is wrong.
pub(crate) struct In<'b> {
    d: Decoder<'b>,
    what: &'static str,
}

impl<'b> In<'b> {
    pub(crate) fn new(bytes: &'b [u8], what: &'static str) -> Self {
        Self { d: Decoder::new(bytes), what }
    }

    pub(crate) fn bad(&self, why: impl std::fmt::Display) -> LineError {
        LineError::malformed(self.what, why)
    }

    fn read<T>(
        &mut self,
        read: impl FnOnce(&mut Decoder<'b>) -> Result<T, DecodeError>,
    ) -> Result<T, LineError> {
        read(&mut self.d).map_err(|e| LineError::malformed(self.what, e))
    }

    /// A value of a derived encoding.
    pub(crate) fn decode<T: minicbor::Decode<'b, ()>>(&mut self) -> Result<T, LineError> {
        self.read(Decoder::decode)
    }

    /// A list's length, at most `limit`.
    pub(crate) fn list(&mut self, limit: usize) -> Result<usize, LineError> {
        match self.read(Decoder::array)? {
            Some(n) if n <= limit as u64 => Ok(n as usize),
            Some(n) => Err(self.bad(format!("a list of {n} where at most {limit} are allowed"))),
            None => Err(self.bad("a list must have a definite length")),
        }
    }

    /// The start of an object of so many fields.
    pub(crate) fn fields(&mut self, expected: usize) -> Result<(), LineError> {
        match self.list(expected)? {
            n if n == expected => Ok(()),
            n => Err(self.bad(format!("{n} fields where {expected} are expected"))),
        }
    }

    pub(crate) fn u64(&mut self) -> Result<u64, LineError> {
        self.read(Decoder::u64)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, LineError> {
        self.read(Decoder::u32)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, LineError> {
        self.read(Decoder::u8)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, LineError> {
        self.read(Decoder::i64)
    }

    pub(crate) fn bool(&mut self) -> Result<bool, LineError> {
        self.read(Decoder::bool)
    }

    pub(crate) fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, LineError> {
        let bytes = self.read(Decoder::bytes)?;
        if bytes.len() > limit {
            return Err(self.bad(format!("{} bytes where at most {limit} are allowed", bytes.len())));
        }
        Ok(bytes.to_vec())
    }

    pub(crate) fn text(&mut self, limit: usize) -> Result<String, LineError> {
        let text = self.read(Decoder::str)?;
        if text.len() > limit {
            return Err(self.bad(format!("a text of {} bytes where at most {limit} are allowed", text.len())));
        }
        Ok(text.to_owned())
    }

    pub(crate) fn party(&mut self) -> Result<PartyName, LineError> {
        Ok(PartyName::new(self.read(Decoder::str)?)?)
    }

    pub(crate) fn instant(&mut self) -> Result<Timestamp, LineError> {
        let ms = self.i64()?;
        Timestamp::from_millisecond(ms).map_err(|e| self.bad(e))
    }

    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, LineError>,
    ) -> Result<Option<T>, LineError> {
        match self.list(1)? {
            0 => Ok(None),
            _ => read(self).map(Some),
        }
    }

    pub(crate) fn position(&mut self) -> Result<Position, LineError> {
        self.fields(2)?;
        let (lat, lon) = (self.i64()?, self.i64()?);
        Ok(Position::new(Degrees::new(lat as f64 / 1e9), Degrees::new(lon as f64 / 1e9))?)
    }

    fn millimetres(&mut self) -> Result<Metres, LineError> {
        Ok(Metres::new(self.i64()? as f64 / 1e3))
    }

    pub(crate) fn datum(&mut self) -> Result<Datum, LineError> {
        match self.u8()? {
            0 => Ok(Datum::Ellipsoid),
            1 => Ok(Datum::Barometric),
            2 => Ok(Datum::AboveGround),
            n => Err(self.bad(format!("datum {n} is none of 0 (W84), 1 (1013.25 hPa), 2 (above ground)"))),
        }
    }

    pub(crate) fn category(&mut self) -> Result<Category, LineError> {
        match self.u8()? {
            0 => Ok(Category::Unknown),
            1 => Ok(Category::Aeroplane),
            2 => Ok(Category::Helicopter),
            3 => Ok(Category::Unmanned),
            n => Err(self.bad(format!("aircraft category {n} is none of 0 to 3"))),
        }
    }

    pub(crate) fn altitude(&mut self) -> Result<Altitude, LineError> {
        let metres = self.millimetres()?;
        Ok(Altitude::new(metres, self.datum()?)?)
    }

    fn area(&mut self) -> Result<Area, LineError> {
        self.fields(2)?;
        match self.u8()? {
            0 => {
                self.fields(2)?;
                let centre = self.position()?;
                Ok(Area::circle(centre, self.millimetres()?)?)
            }
            1 => {
                let vertices = (0..self.list(MAX_POLYGON_VERTICES)?).map(|_| self.position());
                Ok(Area::polygon(vertices.collect::<Result<_, _>>()?)?)
            }
            n => Err(self.bad(format!("area kind {n} is neither 0 (circle) nor 1 (polygon)"))),
        }
    }

    pub(crate) fn volume(&mut self) -> Result<Volume4, LineError> {
        self.fields(6)?;
        let area = self.area()?;
        let (low, high, datum) = (self.millimetres()?, self.millimetres()?, self.datum()?);
        let (start, end) = (self.instant()?, self.instant()?);
        Ok(Volume4 {
            area,
            altitude: AltitudeBand::new(Altitude::new(low, datum)?, Altitude::new(high, datum)?)?,
            time: TimeInterval::new(start, end)?,
        })
    }

    pub(crate) fn volumes(&mut self) -> Result<Vec<Volume4>, LineError> {
        let count = self.list(MAX_VOLUMES)?;
        if count == 0 {
            return Err(self.bad("at least one volume is needed"));
        }
        (0..count).map(|_| self.volume()).collect()
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), LineError> {
        let left = self.d.input().len() - self.d.position();
        if left == 0 { Ok(()) } else { Err(self.bad(format!("{left} bytes follow its end"))) }
    }
}

pub(crate) fn put_optional<T>(
    e: &mut Out,
    value: Option<T>,
    put: impl FnOnce(&mut Out, T) -> Written,
) -> Written {
    match value {
        None => e.array(0).map(|_| ()),
        Some(value) => {
            e.array(1)?;
            put(e, value)
        }
    }
}

pub(crate) fn put_instant(e: &mut Out, at: Timestamp) -> Written {
    e.i64(at.as_millisecond()).map(|_| ())
}

pub(crate) fn put_position(e: &mut Out, at: Position) -> Written {
    let nano = |degrees: Degrees| (degrees.get() * 1e9).round() as i64;
    e.array(2)?.i64(nano(at.latitude()))?.i64(nano(at.longitude()))?;
    Ok(())
}

fn put_millimetres(e: &mut Out, length: Metres) -> Written {
    e.i64((length.get() * 1e3).round() as i64).map(|_| ())
}

pub(crate) fn put_datum(e: &mut Out, datum: Datum) -> Written {
    let number = match datum {
        Datum::Ellipsoid => 0,
        Datum::Barometric => 1,
        Datum::AboveGround => 2,
    };
    e.u8(number).map(|_| ())
}

pub(crate) fn put_category(e: &mut Out, category: Category) -> Written {
    let number = match category {
        Category::Unknown => 0,
        Category::Aeroplane => 1,
        Category::Helicopter => 2,
        Category::Unmanned => 3,
    };
    e.u8(number).map(|_| ())
}

pub(crate) fn put_altitude(e: &mut Out, altitude: Altitude) -> Written {
    put_millimetres(e, altitude.metres())?;
    put_datum(e, altitude.datum())
}

fn put_volume(e: &mut Out, volume: &Volume4) -> Written {
    e.array(6)?.array(2)?;
    match &volume.area {
        Area::Circle { centre, radius } => {
            e.u8(0)?.array(2)?;
            put_position(e, *centre)?;
            put_millimetres(e, *radius)?;
        }
        Area::Polygon(polygon) => {
            e.u8(1)?.array(polygon.vertices().len() as u64)?;
            polygon.vertices().iter().try_for_each(|&v| put_position(e, v))?;
        }
    }
    put_millimetres(e, volume.altitude.lower().metres())?;
    put_millimetres(e, volume.altitude.upper().metres())?;
    put_datum(e, volume.altitude.datum())?;
    put_instant(e, volume.time.start())?;
    put_instant(e, volume.time.end())
}

pub(crate) fn put_volumes(e: &mut Out, volumes: &[Volume4]) -> Written {
    e.array(volumes.len() as u64)?;
    volumes.iter().try_for_each(|v| put_volume(e, v))
}

/// The encoding that `put` writes.
pub(crate) fn encoded(put: impl FnOnce(&mut Out) -> Written) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    put(&mut out).expect("writing to memory");
    out.into_writer()
}
