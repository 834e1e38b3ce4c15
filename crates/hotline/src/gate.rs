//! Whose tokens a service accepts, and how it logs: what `hotline dss` and `hotline uss` have alike.

use clap::Args;
use hotline_utm::{Clock, Gate, PublicKey, keep_fresh};
use std::path::PathBuf;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// Whose tokens are accepted.
#[derive(Args)]
pub(crate) struct Tokens {
    /// A public key in PEM that tokens may be signed with; may be given more than once
    #[arg(long = "public-key", value_name = "FILE", value_delimiter = ',')]
    public_keys: Vec<PathBuf>,
    /// A key set (JWKS) to fetch keys from, and to keep fresh
    #[arg(long, value_name = "URL")]
    jwks_url: Option<String>,
    /// What a token's `aud` may be; separated by commas
    #[arg(long = "audience", value_delimiter = ',', required = true)]
    audiences: Vec<String>,
    /// What a token's `iss` must be
    #[arg(long)]
    issuer: Option<String>,
    /// Log as JSON, one object a line
    #[arg(long)]
    log_json: bool,
}

impl Tokens {
    /// Begins to log.
    pub(crate) fn log(&self) {
        let filter = EnvFilter::try_from_env("HOTLINE_LOG")
            .unwrap_or_else(|_| EnvFilter::new("info,hotline::request=warn"));
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        if self.log_json {
            log.json().init();
        } else {
            log.init();
        }
    }

    pub(crate) fn gate(&self) -> Result<Arc<Gate>, String> {
        if self.public_keys.is_empty() && self.jwks_url.is_none() {
            return Err("give --public-key or --jwks-url: without a key no token can be checked".into());
        }
        let key = |path: &PathBuf| {
            let pem = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
            PublicKey::from_pem(&pem).map_err(|e| format!("{}: {e}", path.display()))
        };
        let keys = self.public_keys.iter().map(key).collect::<Result<_, _>>()?;
        let gate = Arc::new(Gate::new(keys, self.audiences.clone(), self.issuer.clone()));
        if let Some(url) = &self.jwks_url
            && let Err(why) = keep_fresh(Arc::downgrade(&gate), url.clone())
        {
            tracing::warn!(
                "{why}; it is tried again, until then tokens are refused unless a --public-key fits"
            );
        }
        Ok(gate)
    }
}

/// This machine's clock.
pub(crate) fn real_clock() -> Clock {
    Arc::new(|| hotline_dss::Moment::from_micros(jiff::Timestamp::now().as_microsecond()))
}
