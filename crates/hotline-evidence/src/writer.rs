//! Makes the file, part by part, without holding it in memory.

use crate::EvidenceError;
use crate::format::{
    Certified, Frame, Header, MAGIC, MAX_FRAME, PartyHead, ReceiptFrame, RecordedFrame, Section, WHAT,
};
use crate::sealed_file::SealedWriter;
use hotline_ledger::SigningKey;
use std::io::Write;

/// Writes evidence. The parts must come in the order of the file; the checker says so if they do not.
#[derive(Debug)]
pub struct Writer<W>(SealedWriter<W>);

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(to: W, header: Header) -> Result<Self, EvidenceError> {
        let mut writer = Self(SealedWriter::new(to, MAGIC)?);
        writer.frame(&Frame::Header(header))?;
        Ok(writer)
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), EvidenceError> {
        let bytes = frame.to_bytes();
        if bytes.len() > MAX_FRAME {
            let why = format!("{} bytes in one part, at most {MAX_FRAME} are allowed", bytes.len());
            return Err(EvidenceError::Malformed { at: 0, why });
        }
        Ok(self.0.part(&bytes)?)
    }

    /// A party; its keys follow.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn party(&mut self, party: PartyHead) -> Result<(), EvidenceError> {
        self.frame(&Frame::Party(party))
    }

    /// A key of the party that was written last.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn certified(&mut self, certified: Certified) -> Result<(), EvidenceError> {
        self.frame(&Frame::Certified(certified))
    }

    /// The receipts and statements of a party follow.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn section(&mut self, section: Section) -> Result<(), EvidenceError> {
        self.frame(&Frame::Section(section))
    }

    /// A receipt for the ledger of the section's party.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn receipt(&mut self, receipt: ReceiptFrame) -> Result<(), EvidenceError> {
        self.frame(&Frame::Receipt(receipt))
    }

    /// The section's next statement, and what opens its sealed fields.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn entry(&mut self, statement: Vec<u8>, openings: Vec<u8>) -> Result<(), EvidenceError> {
        self.frame(&Frame::Entry(statement.into(), openings.into()))
    }

    /// A part of the flight recorder, after all sections.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn recorded(&mut self, recorded: RecordedFrame) -> Result<(), EvidenceError> {
        self.frame(&Frame::Recorded(recorded))
    }

    /// Signs the whole with the exporter's node key and ends the file. Gives the SHA-256 of everything before the signature.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self, key: &SigningKey) -> Result<[u8; 32], EvidenceError> {
        Ok(self.0.seal(key, WHAT, |signed| Frame::End(signed.into()).to_bytes())?)
    }
}
