//! `hotline uss`: a UAS service supplier, planning through any DSS.

use crate::dss::{bind, ended};
use crate::gate::{Tokens, real_clock};
use crate::{Outcome, say};
use clap::{Args, ValueEnum};
use hotline_airspace::Seconds;
use hotline_detect::ConformanceRules;
use hotline_uss::{ConstraintRule, Edition, Secret, Settings, TokenSource, Uss, service};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serve as a UAS service supplier (USS): plan flights through any DSS, tell other suppliers, watch conformance, remote ID.
#[derive(Args)]
#[command(
    after_help = "Example, with the development token server and a DSS of `hotline dss --help`:\n  hotline uss --listen 127.0.0.1:8083 --base-url http://127.0.0.1:8083 --dss http://127.0.0.1:8082 --name uss1 --token-url http://127.0.0.1:8085/token --public-key ./dev-keys/public.pem --audience 127.0.0.1 --data ./uss1\n\nOperators use /operator/v1 with tokens of the scope hotline.operator: PUT, GET, DELETE flights/{id}, POST flights/{id}/telemetry, PUT, DELETE constraints/{id}, POST aircraft/{id}, GET notices. docs/uss.md has it all. --test-interfaces serves the InterUSS interfaces for automated tests: /flight_planning/v1, /versioning, /geospatial_map/v1."
)]
pub(crate) struct Serve {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8083")]
    listen: SocketAddr,
    /// Where other suppliers reach it
    #[arg(long, value_name = "URL")]
    base_url: String,
    /// The DSS to plan through
    #[arg(long, value_name = "URL")]
    dss: String,
    /// The own name, as in the own tokens' `sub`
    #[arg(long)]
    name: String,
    /// Where the own tokens come from
    #[arg(long, value_name = "URL")]
    token_url: String,
    /// The client's identifier for OAuth 2.0 client credentials; left out for development token servers
    #[arg(long, requires = "client_secret_file")]
    client_id: Option<String>,
    /// A file with the client's secret
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    #[command(flatten)]
    tokens: Tokens,
    /// An authority to trust for https, PEM, in place of those this machine trusts
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Where everything is kept
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Let intents of the same priority overlap
    #[arg(long)]
    equal_priority_allowed: bool,
    /// What a constraint means for a plan that meets it
    #[arg(long, value_enum, default_value_t = Constraints::Block)]
    constraints: Constraints,
    /// For how many seconds a flight may be outside its volumes before it is Nonconforming
    #[arg(long, default_value_t = 10.0)]
    allowed_excursion: f64,
    /// After how many seconds outside it is Contingent
    #[arg(long, default_value_t = 60.0)]
    contingent_after: f64,
    /// In which edition of F3411 others are asked about remote ID: 2019 or 2022; answers are given in both
    #[arg(long, default_value_t = 2022, value_parser = clap::value_parser!(u16).range(2019..=2022))]
    remote_id_edition: u16,
    /// Serve the InterUSS interfaces for automated tests
    #[arg(long)]
    test_interfaces: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Constraints {
    /// It is refused; a conditional geo-zone is an advisory
    Block,
    /// Its operator is told
    Advise,
    /// They are not looked at
    Ignore,
}

impl Serve {
    pub(crate) fn run(self) -> Outcome {
        self.tokens.log();
        let positive = |what: &str, seconds: f64| {
            if seconds.is_finite() && seconds > 0.0 {
                return Ok(Seconds::new(seconds));
            }
            Err(format!("{what} is {seconds}; a number of seconds above 0 is needed"))
        };
        let conformance = ConformanceRules {
            allowed_excursion: positive("--allowed-excursion", self.allowed_excursion)?,
            contingent_after: positive("--contingent-after", self.contingent_after)?,
            ..ConformanceRules::default()
        };
        let tokens = match (self.client_id, &self.client_secret_file) {
            (Some(id), Some(file)) => {
                let secret = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
                TokenSource::ClientCredentials {
                    url: self.token_url,
                    id,
                    secret: Secret(secret.trim().into()),
                }
            }
            _ => TokenSource::Query { url: self.token_url, sub: self.name.clone() },
        };
        let settings = Settings {
            name: self.name,
            base_url: self.base_url,
            dss: self.dss,
            tokens,
            authority: self.ca,
            equal_priority_allowed: self.equal_priority_allowed,
            constraints: match self.constraints {
                Constraints::Block => ConstraintRule::Block,
                Constraints::Advise => ConstraintRule::Advise,
                Constraints::Ignore => ConstraintRule::Ignore,
            },
            conformance,
            data: self.data,
            remote_id: match self.remote_id_edition {
                2019 => Edition::Of2019,
                2022 => Edition::Of2022,
                other => return Err(format!("--remote-id-edition {other}: 2019 and 2022 are known")),
            },
            test_interfaces: self.test_interfaces,
        };
        let uss = Uss::open(settings, self.tokens.gate()?, real_clock(), None).map_err(|e| e.to_string())?;
        let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
        runtime.block_on(async {
            let listener = bind(self.listen).await?;
            let address = listener.local_addr().map_err(|e| e.to_string())?;
            say!("uss {}: on http://{address}, planning through {}", uss.settings.name, uss.settings.dss);
            let serving = axum::serve(listener, service(uss.clone())).with_graceful_shutdown(ended());
            serving.await.map_err(|e| e.to_string())
        })?;
        Ok(true)
    }
}
