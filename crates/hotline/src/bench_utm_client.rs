//! A client of HTTP/1.1 that keeps its connection, and many of them for a while.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// A client with its connection and token.
pub(crate) struct Caller {
    sender: SendRequest<Full<Bytes>>,
    address: String,
    authorization: String,
}

/// What was answered, and how long it took, seconds.
pub(crate) struct Reply {
    status: u16,
    body: Bytes,
    took: f64,
}

/// How long requests took, seconds.
#[derive(Default)]
pub(crate) struct Ended(Vec<f64>);

impl Ended {
    pub(crate) fn took(&mut self, reply: Reply) -> Reply {
        self.0.push(reply.took);
        reply
    }
}

impl Caller {
    pub(crate) async fn new(address: &str, token: String) -> Result<Self, String> {
        let told = |e: &dyn std::fmt::Display| format!("{address}: {e}");
        let stream = TcpStream::connect(address).await.map_err(|e| told(&e))?;
        stream.set_nodelay(true).map_err(|e| told(&e))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| told(&e))?;
        // Its error is that of the request under way.
        tokio::spawn(async move { _ = connection.await });
        Ok(Self { sender, address: address.into(), authorization: format!("Bearer {token}") })
    }

    pub(crate) async fn call(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Result<Reply, String> {
        let told = |e: &dyn std::fmt::Display| format!("{method} {path}: {e}");
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.address)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.unwrap_or_default().to_owned())))
            .map_err(|e| told(&e))?;
        let begin = Instant::now();
        self.sender.ready().await.map_err(|e| told(&e))?;
        let response = self.sender.send_request(request).await.map_err(|e| told(&e))?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(|e| told(&e))?.to_bytes();
        Ok(Reply { status, body, took: begin.elapsed().as_secs_f64() })
    }
}

impl Reply {
    /// The reply, if it has this status.
    pub(crate) fn expect(self, status: u16) -> Result<Self, String> {
        if self.status == status {
            return Ok(self);
        }
        let why: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        Err(format!("{} in place of {status}: {why}", self.status))
    }

    /// A text field of the body, the last of its name.
    pub(crate) fn field(&self, name: &str) -> Result<String, String> {
        let text = std::str::from_utf8(&self.body).map_err(|e| e.to_string())?;
        let found = text.rsplit_once(&format!("\"{name}\":\"")).and_then(|(_, rest)| rest.split('"').next());
        found.map(str::to_owned).ok_or_else(|| format!("no {name} in {text}"))
    }
}

/// Lets each client do its rounds until time is up. Gives the seconds it took and how long each request took.
pub(crate) async fn run_for<F, R>(
    span: Duration,
    clients: Vec<(Caller, F)>,
) -> Result<(f64, Vec<f64>), String>
where
    F: Fn(Caller, u64, Ended) -> R + Send + 'static,
    R: Future<Output = Result<(Caller, Ended), String>> + Send,
{
    let begin = Instant::now();
    let work = |(mut caller, round): (Caller, F)| {
        tokio::spawn(async move {
            let (mut ended, mut n) = (Ended::default(), 0);
            while begin.elapsed() < span {
                (caller, ended) = round(caller, n, ended).await?;
                n += 1;
            }
            Ok::<_, String>(ended.0)
        })
    };
    let tasks: Vec<_> = clients.into_iter().map(work).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.map_err(|e| e.to_string())??);
    }
    Ok((begin.elapsed().as_secs_f64(), times))
}
