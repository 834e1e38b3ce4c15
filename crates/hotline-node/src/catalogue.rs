//! The phrase catalogue: what officers say most, so that each reads it in their own language.
//!
//! What phrases there are and what each has to be told is in `phrases/phrases.toml`; their words are Fluent files, one a
//! language, in the program and in the `phrases` folder of the node. A new language is a new file there. What a phrase is
//! not said in, is shown in English, and always beside the text as its writer saw it.

use crate::NodeError;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

static OWN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/phrases");
/// The largest file of a language, bytes.
const MAX_FILE: u64 = 256 * 1024;
/// The language that has every phrase.
pub const FIRST_LANGUAGE: &str = "en";

/// How a phrase is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhraseKind {
    /// To be read.
    Message,
    /// To be answered with wilco or unable.
    Request,
    /// Why something cannot be done.
    Reason,
}

/// A phrase.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    /// How it is sent.
    pub kind: PhraseKind,
    /// Whether it is a safety phrase: offered first, and read back when it is a request.
    #[serde(default)]
    pub safety: bool,
    /// What it has to be told: name and kind (`text`, `time`, `level`, `callsign`).
    pub parameters: BTreeMap<String, String>,
}

/// A language.
struct Language {
    source: String,
    bundle: FluentBundle<FluentResource>,
}

/// The catalogue.
pub struct Catalogue {
    phrases: BTreeMap<String, Phrase>,
    languages: BTreeMap<String, Language>,
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalogue").field("languages", &self.languages.keys()).finish_non_exhaustive()
    }
}

fn language(code: &str, source: &str, phrases: &BTreeMap<String, Phrase>) -> Result<Language, String> {
    let tag = code.parse().map_err(|_| format!("{code:?} is not the tag of a language, such as fr"))?;
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| {
        let first = errors.first().expect("an error");
        let line = source[..first.pos.start.min(source.len())].lines().count().max(1);
        format!("line {line}: {}", first.kind)
    })?;
    bundle
        .add_resource(resource)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let language = Language { source: source.to_owned(), bundle };
    // Every phrase that it has must be sayable with what the phrase is told, and with nothing else.
    for (id, phrase) in phrases {
        let values = phrase.parameters.keys().map(|name| (name.clone(), "x".to_owned())).collect();
        if let Some(Err(why)) = say(&language, id, &values) {
            return Err(format!("{id}: {why}"));
        }
    }
    Ok(language)
}

/// Whether a file can be a language of the catalogue.
///
/// # Errors
/// With the line and what is wrong.
pub fn check_language(code: &str, source: &str) -> Result<(), String> {
    let phrases = OWN.get_file("phrases.toml").and_then(|f| f.contents_utf8()).unwrap_or_default();
    let phrases = toml::from_str(phrases).map_err(|e| e.to_string())?;
    language(code, source, &phrases).map(|_| ())
}

/// A phrase in a language, if it has it.
fn say(language: &Language, id: &str, values: &BTreeMap<String, String>) -> Option<Result<String, String>> {
    let pattern = language.bundle.get_message(id)?.value()?;
    let mut arguments = FluentArgs::new();
    values.iter().for_each(|(name, value)| arguments.set(name.as_str(), value.as_str()));
    let mut errors = Vec::new();
    let text = language.bundle.format_pattern(pattern, Some(&arguments), &mut errors).into_owned();
    Some(match errors.first() {
        None => Ok(text),
        Some(e) => Err(e.to_string()),
    })
}

impl Catalogue {
    /// Loads what the program has, and what the folder adds or puts in its place.
    ///
    /// # Errors
    /// Naming the file and line of what cannot be read.
    pub fn load(folder: &Path) -> Result<Self, NodeError> {
        let text = |name: &str| {
            let file = OWN.get_file(name).and_then(|f| f.contents_utf8());
            file.ok_or_else(|| NodeError::content(name, "it is not in the program"))
        };
        let phrases: BTreeMap<String, Phrase> =
            toml::from_str(text("phrases.toml")?).map_err(|e| NodeError::content("phrases.toml", e))?;
        let mut languages = BTreeMap::new();
        for file in OWN.files().filter(|f| f.path().extension().is_some_and(|e| e == "ftl")) {
            let code = file.path().file_stem().and_then(|s| s.to_str()).unwrap_or_default();
            let source = file.contents_utf8().unwrap_or_default();
            let read = language(code, source, &phrases).map_err(|e| NodeError::content(file.path(), e))?;
            languages.insert(code.to_owned(), read);
        }
        let own = folder.join("phrases");
        if own.is_dir() {
            for entry in std::fs::read_dir(&own).map_err(NodeError::file(&own))? {
                let path = entry.map_err(NodeError::file(&own))?.path();
                let (Some(code), Some("ftl")) = (
                    path.file_stem().and_then(|s| s.to_str()).map(str::to_owned),
                    path.extension().and_then(|e| e.to_str()),
                ) else {
                    continue;
                };
                let size = std::fs::metadata(&path).map_err(NodeError::file(&path))?.len();
                if size > MAX_FILE {
                    return Err(NodeError::content(&path, format!("{size} bytes: at most {MAX_FILE}")));
                }
                let source = std::fs::read_to_string(&path).map_err(NodeError::file(&path))?;
                let read = language(&code, &source, &phrases).map_err(|e| NodeError::content(&path, e))?;
                languages.insert(code, read);
            }
        }
        Ok(Self { phrases, languages })
    }

    /// The phrases.
    pub fn phrases(&self) -> &BTreeMap<String, Phrase> {
        &self.phrases
    }

    /// The languages, by their tags.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str)
    }

    /// A phrase with its parameters in a language, or in English where that language has it not.
    pub fn say(&self, language: &str, phrase: &str, values: &BTreeMap<String, String>) -> Option<String> {
        [language, FIRST_LANGUAGE].iter().find_map(|l| say(self.languages.get(*l)?, phrase, values)?.ok())
    }

    /// What a console needs of it.
    pub(crate) fn view(&self) -> Value {
        let kind = |kind| match kind {
            PhraseKind::Message => "message",
            PhraseKind::Request => "request",
            PhraseKind::Reason => "reason",
        };
        let phrases = self.phrases.iter().map(|(id, phrase)| {
            json!({ "id": id, "kind": kind(phrase.kind), "safety": phrase.safety, "parameters": phrase.parameters })
        });
        let languages = self.languages.iter().map(|(code, l)| (code.clone(), json!(l.source)));
        json!({
            "phrases": phrases.collect::<Vec<_>>(),
            "languages": languages.collect::<serde_json::Map<_, _>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(catalogue: &Catalogue, language: &str, id: &str) -> bool {
        catalogue.languages[language].bundle.has_message(id)
    }

    #[test]
    fn english_and_russian_are_complete_and_arabic_has_the_safety_phrases() {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::load(folder.path()).unwrap();
        assert!(catalogue.phrases.len() >= 35);
        for (id, phrase) in &catalogue.phrases {
            assert!(has(&catalogue, "en", id) && has(&catalogue, "ru", id), "{id}");
            assert!(!phrase.safety || has(&catalogue, "ar", id), "{id} in Arabic");
            // Every value that is told is in what is said, in every language: nothing of it is lost.
            let values: BTreeMap<_, _> =
                phrase.parameters.keys().map(|name| (name.clone(), format!("<{name}>"))).collect();
            for code in catalogue.languages().filter(|code| has(&catalogue, code, id)) {
                let said = catalogue.say(code, id, &values).unwrap();
                assert!(values.values().all(|v| said.contains(v)), "{code} {id}: {said}");
            }
        }
    }

    #[test]
    fn a_new_language_is_a_file_and_a_broken_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let phrases = folder.path().join("phrases");
        std::fs::create_dir(&phrases).unwrap();
        std::fs::write(phrases.join("fr.ftl"), "language-name = Français\nstand-by = Attendez.\n").unwrap();
        let catalogue = Catalogue::load(folder.path()).unwrap();
        let none = BTreeMap::new();
        assert_eq!(catalogue.say("fr", "stand-by", &none).unwrap(), "Attendez.");
        assert_eq!(catalogue.say("fr", "understood", &none).unwrap(), "Understood.");
        std::fs::write(phrases.join("fr.ftl"), "stand-by = Attendez.\nrecall = { $who\n").unwrap();
        let why = Catalogue::load(folder.path()).unwrap_err().to_string();
        assert!(why.contains("fr.ftl") && why.contains("line"), "{why}");
        std::fs::write(phrases.join("fr.ftl"), "recall = Rappelez { $who }.\n").unwrap();
        let why = Catalogue::load(folder.path()).unwrap_err().to_string();
        assert!(why.contains("recall") && why.contains("who"), "{why}");
    }
}
