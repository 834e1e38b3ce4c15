//! The persons on watch: who they are, and who has unlocked their key with a PIN.
//!
//! A key is in memory only while its holder is signed in. Wrong PINs are counted: after a few, the key stays locked for a while.

use crate::NodeError;
use crate::keys_at_rest::{open_key, random};
use crate::output::hex;
use hotline_ledger::{KeyId, Role, SigningKey};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many wrong PINs in a row lock a key for [`LOCKED`].
const MAX_WRONG: u32 = 5;
const LOCKED: Duration = Duration::from_secs(300);
/// A person who has done nothing for so long is signed out: longer than any watch.
const IDLE: Duration = Duration::from_secs(14 * 3600);
/// The most sessions at a time.
const MAX_SESSIONS: usize = 64;

/// A person of the own party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The designation in the certificate, such as `officer-1`.
    pub holder: String,
    /// The person's name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The key's identifier.
    pub key: KeyId,
    /// The key's file, encrypted with the PIN.
    pub(crate) pem: String,
}

struct Session {
    holder: String,
    key: SigningKey,
    used: Instant,
}

#[derive(Default)]
struct State {
    /// By the hash of the token, so that finding one tells nothing of it by how long it takes.
    sessions: BTreeMap<[u8; 32], Session>,
    /// Wrong PINs in a row, and when the last was.
    wrong: BTreeMap<String, (u32, Instant)>,
}

fn hashed(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The persons on watch.
#[derive(Clone)]
pub struct Persons {
    listed: Arc<Vec<Listed>>,
    state: Arc<Mutex<State>>,
}

impl Persons {
    /// The persons whose keys are in a folder; nobody is signed in.
    pub fn new(listed: Vec<Listed>) -> Self {
        Self { listed: Arc::new(listed), state: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them.
    pub fn listed(&self) -> &[Listed] {
        &self.listed
    }

    /// Unlocks a person's key. Gives the session's token. It takes about a tenth of a second: call it where that does not hold
    /// up others.
    ///
    /// # Errors
    /// In words for the person.
    pub fn sign_in(&self, holder: &str, pin: &str) -> Result<String, String> {
        let listed = self.listed.iter().find(|l| l.holder == holder);
        let listed = listed.ok_or_else(|| format!("there is no {holder} on this node"))?;
        {
            let mut state = self.lock();
            state.sessions.retain(|_, s| s.used.elapsed() < IDLE);
            if state.sessions.len() >= MAX_SESSIONS {
                return Err(format!("{MAX_SESSIONS} persons are signed in: sign one out first"));
            }
            let wrong = state.wrong.get(holder).copied();
            if let Some((count, last)) = wrong.filter(|(count, _)| *count >= MAX_WRONG)
                && last.elapsed() < LOCKED
            {
                let wait = (LOCKED - last.elapsed()).as_secs() / 60 + 1;
                return Err(format!("{count} wrong PINs: {holder}'s key stays locked for {wait} min"));
            }
            // A try counts before it is made: many at the same time are no way around the limit.
            let tries = wrong.map_or(1, |(count, _)| count + 1);
            state.wrong.insert(holder.to_owned(), (tries, Instant::now()));
        }
        let opened = open_key(&listed.pem, pin);
        let mut state = self.lock();
        let key = match opened {
            Ok(key) if KeyId::of(&key.verifying_key()) == listed.key => key,
            Ok(_) => return Err(format!("the key in {holder}'s file is not the certified one")),
            Err(why) => return Err(why),
        };
        state.wrong.remove(holder);
        let token = hex(&random::<32>().map_err(|e: NodeError| e.to_string())?);
        let session = Session { holder: holder.to_owned(), key, used: Instant::now() };
        state.sessions.insert(hashed(&token), session);
        Ok(token)
    }

    /// Forgets a session and its key.
    pub fn sign_out(&self, token: &str) {
        self.lock().sessions.remove(&hashed(token));
    }

    /// Who has a session.
    pub fn who(&self, token: &str) -> Option<&Listed> {
        let holder =
            self.lock().sessions.get(&hashed(token)).filter(|s| s.used.elapsed() < IDLE)?.holder.clone();
        self.listed.iter().find(|l| l.holder == holder)
    }

    /// The key of a session.
    pub fn key(&self, token: &str) -> Option<SigningKey> {
        let mut state = self.lock();
        let session = state.sessions.get_mut(&hashed(token)).filter(|s| s.used.elapsed() < IDLE)?;
        session.used = Instant::now();
        Some(session.key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys_at_rest::new_key;

    #[test]
    fn a_pin_unlocks_and_wrong_ones_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("officer-1.pem");
        let key = new_key(&path, "2718").unwrap();
        let listed = Listed {
            holder: "officer-1".into(),
            name: "Maj. Harper".into(),
            role: Role::Officer,
            key: KeyId::of(&key.verifying_key()),
            pem: std::fs::read_to_string(path).unwrap(),
        };
        let persons = Persons::new(vec![listed]);
        let token = persons.sign_in("officer-1", "2718").unwrap();
        assert_eq!(persons.who(&token).unwrap().name, "Maj. Harper");
        assert_eq!(persons.key(&token).unwrap().to_bytes(), key.to_bytes());
        assert!(persons.key("guess").is_none());
        persons.sign_out(&token);
        assert!(persons.key(&token).is_none());
        for _ in 0..MAX_WRONG {
            assert!(persons.sign_in("officer-1", "0000").unwrap_err().contains("wrong"));
        }
        assert!(persons.sign_in("officer-1", "2718").unwrap_err().contains("stays locked"));
        // Tries at the same time count each.
        let others = Persons::new(persons.listed().to_vec());
        let tries = std::thread::scope(|scope| {
            let tries: Vec<_> =
                (0..12).map(|_| scope.spawn(|| others.sign_in("officer-1", "0000").unwrap_err())).collect();
            tries.into_iter().map(|t| t.join().unwrap()).filter(|why| why.contains("is wrong")).count()
        });
        assert_eq!(tries, MAX_WRONG as usize);
        assert!(persons.sign_in("nobody", "2718").unwrap_err().contains("there is no nobody"));
    }
}
