//! A client of etcd over its JSON interface (gRPC gateway, `/v3/…`): HTTP/1.1, with TLS where certificates are given.
//!
//! Chosen over a gRPC client: it needs no protocol compiler to build, and batches make the difference in speed small.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one call may take before another member is asked.
const CALL_WITHIN: Duration = Duration::from_secs(2);
/// How long a watch may be silent. Members say at least this often that they are there.
const SILENT: Duration = Duration::from_secs(2);
/// The longest line of a watch.
const MAX_LINE: usize = 64 << 20;

/// Where the cluster is, and how it is trusted.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// The members' client URLs, `http://host:port` or `https://host:port`.
    pub endpoints: Vec<String>,
    /// Under which name this pool's things are kept.
    pub prefix: String,
    /// The authority that signed the members' certificates, PEM.
    pub ca: Option<PathBuf>,
    /// This client's certificate and key, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why the cluster did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClusterError {
    /// An option cannot be used.
    #[error("{0}")]
    Options(String),
    /// No member answers.
    #[error("the etcd member {endpoint} does not answer: {why}")]
    Unreachable {
        /// Which.
        endpoint: String,
        /// What went wrong.
        why: String,
    },
    /// A member refused.
    #[error("etcd refused: {0}")]
    Refused(String),
    /// What is asked for has been compacted away.
    #[error("the history from revision {0} on has been compacted")]
    Compacted(u64),
}

struct Endpoint {
    name: String,
    host: String,
    tls: Option<(tokio_rustls::TlsConnector, ServerName<'static>)>,
}

/// A connection to one member at a time, another when it fails.
pub(crate) struct Etcd {
    endpoints: Arc<Vec<Endpoint>>,
    at: usize,
    connection: Option<SendRequest<Full<Bytes>>>,
}

pub(crate) fn text(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(STANDARD.encode(bytes))
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    value.as_str().and_then(|t| STANDARD.decode(t).ok()).unwrap_or_default()
}

/// etcd writes 64-bit numbers as text, and leaves zero out.
pub(crate) fn number(value: &Value) -> u64 {
    value.as_str().and_then(|t| t.parse().ok()).or_else(|| value.as_u64()).unwrap_or(0)
}

/// The end of the range of all keys with a prefix.
pub(crate) fn range_end(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

fn pem_files<T: PemObject>(path: &Path) -> Result<Vec<T>, ClusterError> {
    let told = |e: &dyn std::fmt::Display| ClusterError::Options(format!("{}: {e}", path.display()));
    let all: Result<Vec<T>, _> = T::pem_file_iter(path).map_err(|e| told(&e))?.collect();
    all.map_err(|e| told(&e))
}

fn tls(options: &ClusterOptions) -> Result<tokio_rustls::TlsConnector, ClusterError> {
    let told = |e: &dyn std::fmt::Display| ClusterError::Options(e.to_string());
    let mut roots = RootCertStore::empty();
    let ca = options
        .ca
        .as_ref()
        .ok_or_else(|| told(&"https members need --etcd-ca, the authority that signed their certificates"))?;
    for certificate in pem_files::<CertificateDer<'static>>(ca)? {
        roots.add(certificate).map_err(|e| told(&e))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| told(&e))?
        .with_root_certificates(roots);
    let config = match &options.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key =
                PrivateKeyDer::from_pem_file(key).map_err(|e| told(&format!("{}: {e}", key.display())))?;
            builder.with_client_auth_cert(pem_files(certificate)?, key).map_err(|e| told(&e))?
        }
    };
    Ok(Arc::new(config).into())
}

impl Etcd {
    pub(crate) fn new(options: &ClusterOptions) -> Result<Self, ClusterError> {
        let one = |url: &String| {
            let wrong =
                || ClusterError::Options(format!("{url:?} is no member's URL, as https://10.0.0.1:2379"));
            let (scheme, host) = url.trim_end_matches('/').split_once("://").ok_or_else(wrong)?;
            let name = host.rsplit_once(':').ok_or_else(wrong)?.0.trim_matches(['[', ']']).to_owned();
            let tls = match scheme {
                "http" => None,
                "https" => Some((tls(options)?, ServerName::try_from(name).map_err(|_| wrong())?)),
                _ => return Err(wrong()),
            };
            Ok(Endpoint { name: url.clone(), host: host.to_owned(), tls })
        };
        let endpoints: Vec<Endpoint> = options.endpoints.iter().map(one).collect::<Result<_, _>>()?;
        if endpoints.is_empty() {
            return Err(ClusterError::Options("no etcd member is given".into()));
        }
        Ok(Self { endpoints: Arc::new(endpoints), at: 0, connection: None })
    }

    /// Another client of the same members.
    pub(crate) fn another(&self) -> Self {
        Self { endpoints: self.endpoints.clone(), at: self.at, connection: None }
    }

    /// Goes on to the next member.
    pub(crate) fn turn(&mut self) {
        self.connection = None;
        self.at = (self.at + 1) % self.endpoints.len();
    }

    async fn connected(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, String> {
        if self.connection.as_ref().is_none_or(SendRequest::is_closed) {
            let endpoint = &self.endpoints[self.at];
            let stream = TcpStream::connect(&endpoint.host).await.map_err(|e| e.to_string())?;
            stream.set_nodelay(true).map_err(|e| e.to_string())?;
            let sender = match &endpoint.tls {
                None => opened(stream).await?,
                Some((connector, name)) => {
                    let secured = connector.connect(name.clone(), stream).await.map_err(|e| e.to_string())?;
                    opened(secured).await?
                }
            };
            self.connection = Some(sender);
        }
        self.connection.as_mut().ok_or_else(|| "no connection".into())
    }

    async fn send(&mut self, path: &str, body: &Value) -> Result<hyper::Response<Incoming>, String> {
        let host = self.endpoints[self.at].host.clone();
        let sender = self.connected().await?;
        sender.ready().await.map_err(|e| e.to_string())?;
        let request = hyper::Request::post(path).header(hyper::header::HOST, host);
        let request = request.body(Full::new(Bytes::from(body.to_string()))).map_err(|e| e.to_string())?;
        sender.send_request(request).await.map_err(|e| e.to_string())
    }

    fn failed(&mut self, why: String) -> ClusterError {
        let endpoint = self.endpoints[self.at].name.clone();
        self.turn();
        ClusterError::Unreachable { endpoint, why }
    }

    /// One call to one member. When it fails the next call goes to another.
    pub(crate) async fn call(&mut self, path: &str, body: &Value) -> Result<Value, ClusterError> {
        let exchange = async {
            let response = self.send(path, body).await?;
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|e| e.to_string())?.to_bytes();
            Ok::<_, String>((status, body))
        };
        let (status, body) = match timeout(CALL_WITHIN, exchange).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(why)) => return Err(self.failed(why)),
            Err(_) => return Err(self.failed(format!("no answer within {} s", CALL_WITHIN.as_secs()))),
        };
        let answer: Value = serde_json::from_slice(&body).map_err(|e| self.failed(e.to_string()))?;
        if status.is_success() {
            return Ok(answer);
        }
        let why = answer["message"].as_str().or(answer["error"].as_str()).unwrap_or("no reason").to_owned();
        // No leader, overload, a time-out: another member may do better.
        if status.is_server_error() { Err(self.failed(why)) } else { Err(ClusterError::Refused(why)) }
    }

    /// A call repeated, with other members, as often as there are members.
    pub(crate) async fn call_any(&mut self, path: &str, body: &Value) -> Result<Value, ClusterError> {
        let mut last = self.call(path, body).await;
        for _ in 1..self.endpoints.len() {
            if !matches!(last, Err(ClusterError::Unreachable { .. })) {
                break;
            }
            last = self.call(path, body).await;
        }
        last
    }

    /// Puts a key that must not exist yet. Gives whether it did not; also no when an earlier try of this call has put it.
    pub(crate) async fn create(
        &mut self,
        key: &str,
        value: &[u8],
        lease: Option<u64>,
    ) -> Result<bool, ClusterError> {
        let mut put = json!({ "key": text(key), "value": text(value) });
        if let Some(lease) = lease {
            put["lease"] = json!(lease.to_string());
        }
        let absent =
            json!({ "key": text(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0" });
        let txn = json!({ "compare": [absent], "success": [{ "request_put": put }] });
        Ok(self.call_any("/v3/kv/txn", &txn).await?["succeeded"].as_bool().unwrap_or(false))
    }

    /// The revision at which a key was last put; 0 when there is none.
    pub(crate) async fn modified(&mut self, key: &str) -> Result<u64, ClusterError> {
        let answer = self.call_any("/v3/kv/range", &json!({ "key": text(key), "keys_only": true })).await?;
        Ok(number(&answer["kvs"][0]["mod_revision"]))
    }

    /// Puts a key unless it was put since a revision. Gives whether it was not.
    pub(crate) async fn replace(
        &mut self,
        key: &str,
        value: &[u8],
        since: u64,
    ) -> Result<bool, ClusterError> {
        let same = json!({ "key": text(key), "target": "MOD", "result": "EQUAL", "mod_revision": since.to_string() });
        let put = json!({ "request_put": { "key": text(key), "value": text(value) } });
        let txn = json!({ "compare": [same], "success": [put] });
        Ok(self.call("/v3/kv/txn", &txn).await?["succeeded"].as_bool().unwrap_or(false))
    }

    /// The value of a key; none when there is none.
    pub(crate) async fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, ClusterError> {
        let answer = self.call_any("/v3/kv/range", &json!({ "key": text(key) })).await?;
        Ok(answer["kvs"].get(0).map(|kv| bytes(&kv["value"])))
    }

    /// Watches all keys with a prefix from a revision on.
    pub(crate) async fn watch(mut self, prefix: &str, from: u64) -> Result<Watch, ClusterError> {
        let create = json!({ "create_request": {
            "key": text(prefix), "range_end": text(range_end(prefix)), "start_revision": from.to_string(),
            "filters": ["NODELETE"],
        } });
        match timeout(CALL_WITHIN, self.send("/v3/watch", &create)).await {
            Ok(Ok(response)) => Ok(Watch { etcd: self, body: response.into_body(), line: Vec::new() }),
            Ok(Err(why)) => Err(self.failed(why)),
            Err(_) => Err(self.failed("the watch was not answered".into())),
        }
    }
}

async fn opened<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    // Its error is that of the call under way.
    tokio::spawn(async move { _ = connection.await });
    Ok(sender)
}

/// A key that was put.
pub(crate) struct Put {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
    pub(crate) revision: u64,
}

/// What is put under a prefix, in the order of revisions.
pub(crate) struct Watch {
    etcd: Etcd,
    body: Incoming,
    line: Vec<u8>,
}

impl Watch {
    /// What the member says next, which may be nothing new; none when it has been silent for a while.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Put>>, ClusterError> {
        loop {
            if let Some(end) = self.line.iter().position(|b| *b == b'\n') {
                let rest = self.line.split_off(end + 1);
                let line = std::mem::replace(&mut self.line, rest);
                return self.read(&line).map(Some);
            }
            if self.line.len() > MAX_LINE {
                return Err(self.etcd.failed(format!("a line of a watch longer than {MAX_LINE} bytes")));
            }
            match timeout(SILENT, self.body.frame()).await {
                Err(_) => return Ok(None),
                Ok(None) => return Err(self.etcd.failed("the watch ended".into())),
                Ok(Some(Err(e))) => return Err(self.etcd.failed(e.to_string())),
                Ok(Some(Ok(frame))) => {
                    if let Some(data) = frame.data_ref() {
                        self.line.extend_from_slice(data);
                    }
                }
            }
        }
    }

    fn read(&mut self, line: &[u8]) -> Result<Vec<Put>, ClusterError> {
        let answer: Value = serde_json::from_slice(line).map_err(|e| self.etcd.failed(e.to_string()))?;
        let result = &answer["result"];
        let compacted = number(&result["compact_revision"]);
        if compacted > 0 {
            return Err(ClusterError::Compacted(compacted));
        }
        if !answer["error"].is_null() || result["canceled"].as_bool() == Some(true) {
            return Err(self.etcd.failed(format!("the watch was ended: {answer}")));
        }
        let put = |event: &Value| {
            let kv = &event["kv"];
            Put { key: bytes(&kv["key"]), value: bytes(&kv["value"]), revision: number(&kv["mod_revision"]) }
        };
        Ok(result["events"].as_array().into_iter().flatten().map(put).collect())
    }
}
