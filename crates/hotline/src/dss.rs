//! `hotline dss` and `hotline dev token-server`: the standards' discovery and synchronization service, alone.

use crate::gate::{Tokens, real_clock};
use crate::node::wait_for_end;
use crate::{Outcome, say};
use clap::{Args, Subcommand};
use hotline_dss::Settings;
use hotline_utm::{
    BaseUrls, ClusterOptions, Identity, Keeping, Measures, Store, TokenServer, import_entities, read_entity,
    serve, write_entity,
};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

const EXAMPLES: &str = "Example:\n  hotline dev token-server --listen 127.0.0.1:8085 --key-folder ./dev-keys &\n  hotline dss --listen 127.0.0.1:8082 --public-key ./dev-keys/public.pem --audience localhost --data ./dss-data\n  curl -s localhost:8082/aux/v1/version\n  hotline dss --etcd https://a:2379,https://b:2379,https://c:2379 --etcd-ca ca.pem --etcd-cert dss.pem --etcd-key dss.key --pool valley --instance dss-a --public-key key.pem --audience dss.example --data ./dss-data\n\nTokens are RS256, ES256 or EdDSA, checked against the keys given; a change of the state is answered when it is on the disk. HOTLINE_LOG=hotline::request=info logs every request. It stops gracefully on SIGTERM and writes a back-up into the folder on SIGUSR1.";

/// Serve ASTM F3548-21, F3411-19 and F3411-22a to service suppliers: the DSS alone; or move its entities.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = EXAMPLES)]
pub(crate) struct Dss {
    #[command(subcommand)]
    what: Option<Moving>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Moving {
    /// Write all entities of a stopped instance as JSON, one a line
    #[command(
        after_help = "Example:\n  hotline dss export --data ./dss-data > entities.jsonl\n\ndocs/dss.md describes the lines."
    )]
    Export {
        /// The instance's data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Add entities of another service to a stopped instance, all or none
    #[command(
        after_help = "Example:\n  hotline dss import --data ./dss-data entities.jsonl\n\nEach line is a JSON object, as docs/dss.md describes it. An identifier that is there already is refused."
    )]
    Import {
        /// The instance's data folder, made when there is none
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The lines; `-` is standard input
        file: PathBuf,
    },
}

/// Serve ASTM F3548-21, F3411-19 and F3411-22a to service suppliers: the DSS alone, durable, on this disk or on an etcd cluster.
#[derive(Args)]
pub(crate) struct Serve {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8082")]
    listen: SocketAddr,
    #[command(flatten)]
    tokens: Tokens,
    /// Accept base URLs without TLS: for development only
    #[arg(long)]
    allow_http_base_urls: bool,
    /// Where everything is kept
    #[arg(long, value_name = "DIR", required = true)]
    data: Option<PathBuf>,
    /// Serve a pool on an etcd cluster: the members' client URLs, separated by commas. The data folder then has a snapshot only
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    etcd: Vec<String>,
    /// The authority that signed the members' certificates
    #[arg(long, value_name = "FILE")]
    etcd_ca: Option<PathBuf>,
    /// This instance's certificate for the members
    #[arg(long, value_name = "FILE", requires = "etcd_key")]
    etcd_cert: Option<PathBuf>,
    /// The key of that certificate
    #[arg(long, value_name = "FILE", requires = "etcd_cert")]
    etcd_key: Option<PathBuf>,
    /// How many minutes what has ended can still be asked for by its identifier
    #[arg(long, default_value_t = 60)]
    retention: u32,
    /// After how many commands a snapshot is taken
    #[arg(long, value_name = "COMMANDS", default_value_t = Keeping::default().snapshot_every)]
    snapshot_every: u64,
    /// The name of the pool's airspace representation
    #[arg(long, default_value = "hotline")]
    pool: String,
    /// This instance's name in the pool
    #[arg(long, default_value = "dss-1")]
    instance: String,
    /// Where suppliers reach this instance, for the list of instances
    #[arg(long, value_name = "URL")]
    public_endpoint: Option<String>,
}

/// Things for development and tests only.
#[derive(Args)]
#[command(after_help = "Example:\n  hotline dev token-server --key-folder ./dev-keys")]
pub(crate) struct Dev {
    #[command(subcommand)]
    what: DevWhat,
}

#[derive(Subcommand)]
enum DevWhat {
    /// Give a token to whoever asks, on this machine only: `GET /token?intended_audience=…&scope=…&sub=…`
    #[command(
        after_help = "Example:\n  hotline dev token-server --listen 127.0.0.1:8085 --key-folder ./dev-keys\n  curl -s 'localhost:8085/token?intended_audience=localhost&scope=utm.strategic_coordination&sub=uss1'\n\nThe key is made at the first start; the folder then has private.pem and public.pem."
    )]
    TokenServer {
        /// Where to listen; a loopback address
        #[arg(long, default_value = "127.0.0.1:8085")]
        listen: SocketAddr,
        /// Where the keys are kept
        #[arg(long, value_name = "DIR")]
        key_folder: PathBuf,
    },
}

impl Dss {
    pub(crate) fn run(self) -> Outcome {
        match (self.what, self.serve) {
            (Some(Moving::Export { data }), _) => export(&data),
            (Some(Moving::Import { data, file }), _) => import(&data, &file),
            (None, serve) => serve.run(),
        }
    }
}

fn export(data: &Path) -> Outcome {
    if !data.is_dir() {
        return Err(format!("{} is no folder", data.display()));
    }
    let mut store =
        Store::open(data, Keeping::default(), real_clock(), Arc::default()).map_err(|e| e.to_string())?;
    let (_, items) = store.everything();
    store.close().map_err(|e| e.to_string())?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in items.iter().filter_map(write_entity) {
        writeln!(out, "{line}").map_err(|e| e.to_string())?;
    }
    out.flush().map_err(|e| e.to_string())?;
    Ok(true)
}

fn import(data: &Path, file: &Path) -> Outcome {
    let told = |e: std::io::Error| format!("{}: {e}", file.display());
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).map_err(told)?
    } else {
        std::fs::read_to_string(file).map_err(told)?
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(n, line): (usize, &str)| {
        read_entity(line)
            .map_err(|why| format!("{}, line {}: {why}; nothing was taken", file.display(), n + 1))
    };
    let items = lines.map(read).collect::<Result<Vec<_>, _>>()?;
    let count = import_entities(data, Keeping::default(), items).map_err(|e| e.to_string())?;
    say!("{count} entities added to {}", data.display());
    Ok(true)
}

impl Serve {
    fn run(self) -> Outcome {
        let data = self.data.ok_or("give --data, a folder to keep everything in")?;
        self.tokens.log();
        let gate = self.tokens.gate()?;
        let (clock, measures) = (real_clock(), Arc::new(Measures::default()));
        let settings = Settings { retention: i64::from(self.retention) * 60 * 1_000_000 };
        let keeping = Keeping { settings, snapshot_every: self.snapshot_every };
        let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
        let store = if self.etcd.is_empty() {
            Store::open(&data, keeping, clock.clone(), measures.clone())
        } else {
            let cluster = ClusterOptions {
                endpoints: self.etcd,
                prefix: format!("/hotline/{}", self.pool),
                ca: self.etcd_ca,
                identity: self.etcd_cert.zip(self.etcd_key),
            };
            runtime.block_on(Store::join(&cluster, &data, keeping, clock.clone(), measures.clone()))
        };
        let store = store.map_err(|e| e.to_string())?;
        let dss = Arc::new(hotline_utm::Dss {
            store,
            gate,
            base_urls: if self.allow_http_base_urls { BaseUrls::Any } else { BaseUrls::Secure },
            identity: Identity {
                pool: self.pool,
                instance: self.instance.into(),
                endpoint: self.public_endpoint.map(Into::into),
            },
            measures,
            clock,
        });
        let served = runtime.block_on(async {
            let listener = bind(self.listen).await?;
            let address = listener.local_addr().map_err(|e| e.to_string())?;
            say!("dss: F3548-21, F3411-19 and F3411-22a on http://{address}");
            let backing_up = tokio::spawn(back_ups(dss.clone()));
            let served = serve(dss.clone(), listener, ended()).await.map_err(|e| e.to_string());
            backing_up.abort();
            served
        });
        // Requests that did not end in time go with the runtime; then nobody else holds the store.
        drop(runtime);
        match Arc::try_unwrap(dss) {
            Ok(mut dss) => dss.store.close().map_err(|e| e.to_string())?,
            Err(_) => tracing::warn!("requests were still under way; the journal is read at the next start"),
        }
        served.map(|()| true)
    }
}

pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|e| format!("cannot listen on {address}: {e}"))
}

/// Writes a back-up at each SIGUSR1.
async fn back_ups(dss: Arc<hotline_utm::Dss>) {
    use tokio::signal::unix::{SignalKind, signal};
    let mut asked = match signal(SignalKind::user_defined1()) {
        Ok(asked) => asked,
        Err(why) => return tracing::error!("SIGUSR1 will not be heard: {why}"),
    };
    while asked.recv().await.is_some() {
        let dss = dss.clone();
        match tokio::task::spawn_blocking(move || dss.store.back_up()).await {
            Ok(Ok(path)) => tracing::info!("back-up written: {}", path.display()),
            Ok(Err(why)) => tracing::error!("no back-up could be written: {why}"),
            Err(why) => tracing::error!("no back-up could be written: {why}"),
        }
    }
}

pub(crate) async fn ended() {
    if let Err(why) = wait_for_end(false).await {
        tracing::error!("{why}");
    }
}

impl Dev {
    pub(crate) fn run(self) -> Outcome {
        let DevWhat::TokenServer { listen, key_folder } = self.what;
        if !listen.ip().is_loopback() {
            return Err(format!(
                "{listen} is no loopback address: whoever reaches this server gets any token"
            ));
        }
        let server = token_server(&key_folder)?;
        let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
        runtime.block_on(async {
            let listener = bind(listen).await?;
            let address = listener.local_addr().map_err(|e| e.to_string())?;
            say!(
                "tokens for development on http://{address}/token, checked with {}",
                key_folder.join("public.pem").display()
            );
            let serving = axum::serve(listener, server.service()).with_graceful_shutdown(ended());
            serving.await.map_err(|e| e.to_string())?;
            Ok(true)
        })
    }
}

/// The server with the key of a folder, made there when there is none.
fn token_server(folder: &Path) -> Result<TokenServer, String> {
    let told = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    let (private, public) = (folder.join("private.pem"), folder.join("public.pem"));
    if private.exists() {
        let pem = std::fs::read_to_string(&private).map_err(|e| told(&private, e))?;
        return TokenServer::from_pem(&pem, real_clock()).map_err(|e| format!("{}: {e}", private.display()));
    }
    std::fs::create_dir_all(folder).map_err(|e| told(folder, e))?;
    let server = TokenServer::new(real_clock())?;
    std::fs::write(&public, server.public_key()?).map_err(|e| told(&public, e))?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&private);
    let file = file.as_mut().map_err(|e| format!("{}: {e}", private.display()))?;
    file.write_all(server.private_key()?.as_bytes()).map_err(|e| told(&private, e))?;
    Ok(server)
}
