//! What a person says: a phrase of the catalogue with its parameters, or free text, in the writer's language.

use crate::LineError;
use minicbor::{Decode, Encode};

/// The longest text, bytes.
pub const MAX_WORDS: usize = 4_000;
/// The most parameters of a phrase.
pub const MAX_PARAMETERS: usize = 12;
/// The longest parameter, bytes.
const MAX_PARAMETER: usize = 120;
const MAX_NAME: usize = 48;

/// One parameter of a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Parameter {
    /// Its name in the catalogue.
    #[n(0)]
    pub name: String,
    /// Its value.
    #[n(1)]
    pub value: String,
}

/// What is said: always with the text as its writer saw it, so that the original can stand beside any translation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Words {
    /// The phrase of the catalogue, for one that is shown in the reader's language; nothing for free text.
    #[n(0)]
    pub phrase: Option<String>,
    /// Its parameters, sorted by name.
    #[n(1)]
    pub parameters: Vec<Parameter>,
    /// The language of `text`, such as `en`.
    #[n(2)]
    pub language: String,
    /// The text as its writer saw it.
    #[n(3)]
    pub text: String,
}

/// Whether a text is a plain name of a phrase, parameter, topic or language.
fn is_plain(text: &str, most: usize) -> bool {
    !text.is_empty()
        && text.len() <= most
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

impl Words {
    /// Free text.
    pub fn free(language: &str, text: &str) -> Self {
        Self { phrase: None, parameters: vec![], language: language.into(), text: text.into() }
    }

    /// A phrase with its parameters, and the text that its writer saw.
    pub fn phrase(phrase: &str, parameters: &[(&str, &str)], language: &str, text: &str) -> Self {
        let mut parameters: Vec<Parameter> = parameters
            .iter()
            .map(|(name, value)| Parameter { name: (*name).into(), value: (*value).into() })
            .collect();
        parameters.sort_by(|a, b| a.name.cmp(&b.name));
        Self { phrase: Some(phrase.into()), parameters, language: language.into(), text: text.into() }
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|p| p.name == name).map(|p| p.value.as_str())
    }

    /// Checks its limits.
    ///
    /// # Errors
    /// [`LineError::OutOfRange`] with what is too long, empty or not allowed.
    pub fn check(&self) -> Result<(), LineError> {
        let refuse = |what: &'static str, value: &str, allowed: &'static str| {
            let value = format!("{:?}", value.chars().take(60).collect::<String>());
            Err(LineError::OutOfRange { what, value, allowed })
        };
        if self.text.len() > MAX_WORDS
            || self.text.trim().is_empty()
            || self.text.contains(|c: char| c.is_control() && c != '\n')
        {
            return refuse("a text", &self.text, "1 to 4000 bytes without control characters but new lines");
        }
        if !is_plain(&self.language, 16) {
            return refuse("a language", &self.language, "a tag such as en, ru or ar");
        }
        if let Some(phrase) = &self.phrase
            && !is_plain(phrase, MAX_NAME)
        {
            return refuse("a phrase", phrase, "the name of a phrase of the catalogue");
        }
        if self.parameters.len() > MAX_PARAMETERS || (self.phrase.is_none() && !self.parameters.is_empty()) {
            return refuse("a phrase", "its parameters", "at most 12, and none with free text");
        }
        for parameter in &self.parameters {
            if !is_plain(&parameter.name, MAX_NAME)
                || parameter.value.len() > MAX_PARAMETER
                || parameter.value.contains(char::is_control)
            {
                return refuse("a parameter", &parameter.value, "at most 120 bytes on one line");
            }
        }
        if self.parameters.windows(2).any(|w| w[0].name >= w[1].name) {
            return refuse("a phrase", "its parameters", "each once, sorted by name");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert!(Words::free("en", "Hello").check().is_ok());
        assert!(
            Words::phrase("stay-clear", &[("place", "N40"), ("level", "180")], "en", "Stay").check().is_ok()
        );
        for bad in [
            Words::free("en", " "),
            Words::free("", "x"),
            Words::free("en", "a\u{7}"),
            Words::free("en", &"x".repeat(MAX_WORDS + 1)),
            Words::phrase("stay clear", &[], "en", "x"),
            Words::phrase("stay", &[("a", "1"), ("a", "2")], "en", "x"),
            Words::phrase("stay", &[("a", "1\n")], "en", "x"),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
