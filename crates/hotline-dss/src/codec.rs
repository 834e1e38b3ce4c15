//! How shared texts and cell lists are written in CBOR.

/// `Arc<str>` as text.
pub(crate) mod text {
    use minicbor::{Decoder, Encoder, encode::Write};
    use minicbor::{decode::Error as Unreadable, encode::Error as Unwritable};
    use std::sync::Arc;

    pub(crate) fn encode<C, W: Write>(
        value: &Arc<str>,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), Unwritable<W::Error>> {
        e.str(value)?.ok()
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Arc<str>, Unreadable> {
        Ok(d.str()?.into())
    }
}

/// Optional text.
pub(crate) mod maybe_text {
    use minicbor::{Decoder, Encoder, data::Type, encode::Write};
    use minicbor::{decode::Error as Unreadable, encode::Error as Unwritable};
    use std::sync::Arc;

    pub(crate) fn encode<C, W: Write>(
        value: &Option<Arc<str>>,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), Unwritable<W::Error>> {
        match value {
            Some(text) => e.str(text)?.ok(),
            None => e.null()?.ok(),
        }
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Option<Arc<str>>, Unreadable> {
        if d.datatype()? == Type::Null {
            d.skip()?;
            return Ok(None);
        }
        Ok(Some(d.str()?.into()))
    }
}

/// A list of texts, at most [`texts::MOST`].
pub(crate) mod texts {
    use minicbor::{Decoder, Encoder, encode::Write};
    use minicbor::{decode::Error as Unreadable, encode::Error as Unwritable};
    use std::sync::Arc;

    /// The most texts of a list that is read.
    pub(crate) const MOST: u64 = 20_000;

    pub(crate) fn encode<C, W: Write>(
        value: &[Arc<str>],
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), Unwritable<W::Error>> {
        e.array(value.len() as u64)?;
        value.iter().try_for_each(|text| e.str(text).map(|_| ()))
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Vec<Arc<str>>, Unreadable> {
        let count = d.array()?.filter(|&n| n <= MOST);
        let count = count.ok_or_else(|| Unreadable::message("a list too long or without length"))?;
        (0..count).map(|_| Ok(d.str()?.into())).collect()
    }
}

/// Cells in order, four bytes each.
pub(crate) mod cells {
    use crate::extent::MAX_CELLS;
    use hotline_airspace::Cell;
    use minicbor::{Decoder, Encoder, encode::Write};
    use minicbor::{decode::Error as Unreadable, encode::Error as Unwritable};
    use std::sync::Arc;

    pub(crate) fn encode<C, W: Write>(
        value: &Arc<[Cell]>,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), Unwritable<W::Error>> {
        let bytes: Vec<u8> = value.iter().flat_map(|cell| cell.index().to_be_bytes()).collect();
        e.bytes(&bytes)?.ok()
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Arc<[Cell]>, Unreadable> {
        let (words, rest) = d.bytes()?.as_chunks::<4>();
        let wrong = || Unreadable::message("cells are not what was written");
        if !rest.is_empty() || words.len() > MAX_CELLS {
            return Err(wrong());
        }
        let cells: Arc<[Cell]> = words
            .iter()
            .map(|word| Cell::from_index(u32::from_be_bytes(*word)).ok_or_else(wrong))
            .collect::<Result<_, _>>()?;
        if cells.is_sorted_by(|a, b| a < b) { Ok(cells) } else { Err(wrong()) }
    }
}
