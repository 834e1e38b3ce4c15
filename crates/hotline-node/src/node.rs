//! The running node.

use crate::catalogue::Catalogue;
use crate::console::send_tracks;
use crate::engine::{Command, Engine, Refusal};
use crate::http::{App, router};
use crate::link::{Link, Links};
use crate::persons::Persons;
use crate::recovery::{open_journal, recover};
use crate::suppliers::Suppliers;
use crate::view::Outlet;
use crate::{Clock, Folder, NodeError};
use hotline_line::Handover;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A node that runs until it is stopped.
pub struct Node {
    console: SocketAddr,
    link_address: SocketAddr,
    engine: Engine,
    core_thread: std::thread::JoinHandle<()>,
    link: Link,
    server: tokio::task::JoinHandle<()>,
    tracks: tokio::task::JoinHandle<()>,
    stop: watch::Sender<bool>,
    suppliers: Option<Suppliers>,
}

impl Node {
    /// Starts a node on its folder: recovers from the journal, listens, and calls its peers.
    ///
    /// # Errors
    /// When the folder, the journal or an address is not usable.
    pub async fn start(folder: Folder, clock: Clock) -> Result<Self, NodeError> {
        let config = folder.line_config();
        let handovers = folder.handovers_to_say()?;
        let catalogue = std::sync::Arc::new(Catalogue::load(folder.path())?);
        let journal = open_journal(&folder.journal())?;
        let begin = std::time::Instant::now();
        let mut core = recover(&*journal, config.clone(), |done, total| {
            tracing::info!("recovering: {done} of {total} records");
        })?;
        core.start(clock.now());
        tracing::info!("{} records recovered in {:.2?}", core.line().next_place(), begin.elapsed());

        let listener = TcpListener::bind(folder.config.console).await;
        let listener =
            listener.map_err(|source| NodeError::Listen { address: folder.config.console, source })?;
        let console = listener.local_addr().map_err(NodeError::file("console"))?;

        let links = Links::default();
        let outlet = Outlet::new(links.clone());
        let (engine, core_thread) = Engine::start(
            core,
            journal.clone(),
            config.clone(),
            clock,
            outlet.clone(),
            folder.config.snapshot_every,
            Some(folder.restored_mark()).filter(|mark| mark.exists()),
        );
        let addresses: BTreeMap<_, _> =
            folder.peers.iter().map(|(keys, address)| (keys.party().clone(), *address)).collect();
        let link = Link::start(&config.own, folder.config.link, addresses, &links, &engine).await?;
        let link_address = link.address().map_err(NodeError::file("link"))?;

        for (path, handover) in handovers {
            tokio::spawn(say_handover(engine.clone(), path, handover));
        }

        let suppliers = match &folder.config.suppliers {
            None => None,
            Some(joined) => {
                let (engine, outlet) = (engine.clone(), outlet.clone());
                Some(Suppliers::start(joined, folder.path(), engine, outlet, clock).await?)
            }
        };
        let overlay = std::fs::read_to_string(folder.path().join("overlay.geojson")).ok().map(Into::into);
        let token = folder.api_token.as_str().into();
        let persons = Persons::new(folder.persons.clone());
        let app = App { engine: engine.clone(), outlet, clock, token, journal, overlay, persons, catalogue };
        let tracks = tokio::spawn(send_tracks(app.clone()));
        let (stop, mut stopped) = watch::channel(false);
        let server = tokio::spawn(async move {
            let serve = axum::serve(listener, router(app)).with_graceful_shutdown(async move {
                // An error means that the node itself is gone.
                _ = stopped.wait_for(|stop| *stop).await;
            });
            if let Err(e) = serve.await {
                tracing::error!("the console's server: {e}");
            }
        });
        Ok(Self { console, link_address, engine, core_thread, link, server, tracks, stop, suppliers })
    }

    /// Where its console listens.
    pub fn console_address(&self) -> SocketAddr {
        self.console
    }

    /// Where its link listens.
    pub fn link_address(&self) -> SocketAddr {
        self.link_address
    }

    /// Where suppliers reach it, if they are joined.
    pub fn suppliers_address(&self) -> Option<SocketAddr> {
        self.suppliers.as_ref().map(|s| s.address)
    }

    /// Stops: what is waiting is stored and answered first.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.tracks.abort();
        if let Some(suppliers) = self.suppliers {
            suppliers.stop().await;
        }
        self.link.stop().await;
        self.engine.stop();
        let thread = self.core_thread;
        // A panic of the core's thread has been printed.
        _ = tokio::task::spawn_blocking(move || thread.join()).await;
        // Streams to consoles do not end by themselves.
        self.server.abort();
    }
}

/// Says that evidence was handed over while the node did not run, however long the line does not let it speak.
async fn say_handover(engine: Engine, path: PathBuf, handover: Handover) {
    loop {
        match engine.command(Command::HandedOver(handover.clone())).await {
            Ok(_) => break,
            Err(Refusal::Stopping) => return,
            Err(e) => tracing::warn!("{}: {e}", path.display()),
        }
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    }
    if let Err(e) = std::fs::remove_file(&path) {
        tracing::error!("{}: {e}", path.display());
    }
}
