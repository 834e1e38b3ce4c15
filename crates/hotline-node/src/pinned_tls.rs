//! TLS 1.3 where each side shows a raw Ed25519 public key (RFC 7250) and accepts only pinned ones: for QUIC, and for TCP.

use crate::NodeError;
use hotline_ledger::{PartyName, SigningKey, VerifyingKey};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{Endpoint, TransportConfig, VarInt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_rustls::{TlsAcceptor, TlsConnector};

const PROTOCOL: &[u8] = b"hotline/2";
/// The most streams that a peer may open: one for each lane.
const MAX_STREAMS: u32 = 3;
const KEEP_ALIVE: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(6);

/// The header of an Ed25519 SubjectPublicKeyInfo (RFC 8410).
const SPKI_HEADER: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The header of an Ed25519 PKCS #8 private key (RFC 8410).
const PKCS8_HEADER: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

fn spki(key: &VerifyingKey) -> Vec<u8> {
    [&SPKI_HEADER[..], key.as_bytes()].concat()
}

/// The parties by the keys that their nodes may show now: as keys are rotated and members come and go, so do these.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pinned(Arc<RwLock<Vec<Pin>>>);

/// A party and the key that its node may show.
type Pin = (PartyName, Vec<u8>);

impl Pinned {
    /// From now on these keys count, and no others.
    pub(crate) fn set(&self, keys: &[(PartyName, VerifyingKey)]) {
        let keys = keys.iter().map(|(party, key)| (party.clone(), spki(key))).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    pub(crate) fn party(&self, shown: &CertificateDer<'_>) -> Option<PartyName> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().find(|(_, key)| key.as_slice() == shown.as_ref()).map(|(party, _)| party.clone())
    }
}

/// Accepts exactly the pinned keys: any party's on answering, the called party's on calling.
#[derive(Debug)]
struct PinVerifier {
    pinned: Pinned,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinVerifier {
    fn check(&self, shown: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        match self.pinned.party(shown) {
            Some(_) => Ok(()),
            None => {
                Err(rustls::Error::General("the key that was shown is not that of a paired party".into()))
            }
        }
    }

    fn signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = SubjectPublicKeyInfoDer::from(shown.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }
}

const NO_TLS12: rustls::Error =
    rustls::Error::PeerIncompatible(rustls::PeerIncompatible::Tls13RequiredForQuic);

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(shown).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(NO_TLS12)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for PinVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(shown).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(NO_TLS12)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

fn trouble(e: impl std::fmt::Display) -> NodeError {
    NodeError::Link(e.to_string())
}

fn transport() -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    transport
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(Some(VarInt::from_u32(IDLE.as_millis() as u32).into()))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(MAX_STREAMS));
    Arc::new(transport)
}

/// The set-up of both ends: the same key answers and calls.
pub(crate) struct Tls {
    server: rustls::ServerConfig,
    client: rustls::ClientConfig,
}

impl Tls {
    pub(crate) fn new(key: &SigningKey, pinned: &Pinned) -> Result<Self, NodeError> {
        let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::ring::default_provider());
        let secret = PrivatePkcs8KeyDer::from([&PKCS8_HEADER[..], &key.to_bytes()].concat());
        let signer = provider.key_provider.load_private_key(PrivateKeyDer::from(secret)).map_err(trouble)?;
        let shown = CertificateDer::from(spki(&key.verifying_key()));
        let own = Arc::new(CertifiedKey::new(vec![shown], signer));
        let algorithms = provider.signature_verification_algorithms;
        let verifier = Arc::new(PinVerifier { pinned: pinned.clone(), algorithms });

        let tls13 = &[&rustls::version::TLS13];
        let answers = rustls::server::AlwaysResolvesServerRawPublicKeys::new(own.clone());
        let mut server = rustls::ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(tls13)
            .map_err(trouble)?
            .with_client_cert_verifier(verifier.clone())
            .with_cert_resolver(Arc::new(answers));
        server.alpn_protocols = vec![PROTOCOL.to_vec()];
        let mut client = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(tls13)
            .map_err(trouble)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::new(rustls::client::AlwaysResolvesClientRawPublicKeys::new(own)));
        client.alpn_protocols = vec![PROTOCOL.to_vec()];
        // Every connection shows its key anew: one that is no longer pinned must not come in by an old ticket.
        server.send_tls13_tickets = 0;
        client.resumption = rustls::client::Resumption::disabled();
        Ok(Self { server, client })
    }

    /// The endpoint of QUIC.
    pub(crate) fn quic(&self, listen: SocketAddr) -> Result<Endpoint, NodeError> {
        let server = QuicServerConfig::try_from(self.server.clone()).map_err(trouble)?;
        let mut server = quinn::ServerConfig::with_crypto(Arc::new(server));
        server.transport_config(transport());
        let client = QuicClientConfig::try_from(self.client.clone()).map_err(trouble)?;
        let mut client = quinn::ClientConfig::new(Arc::new(client));
        client.transport_config(transport());
        let mut endpoint = Endpoint::server(server, listen)
            .map_err(|source| NodeError::Listen { address: listen, source })?;
        endpoint.set_default_client_config(client);
        Ok(endpoint)
    }

    /// Answers over TCP.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::new(self.server.clone()))
    }

    /// Calls over TCP.
    pub(crate) fn connector(&self) -> TlsConnector {
        TlsConnector::from(Arc::new(self.client.clone()))
    }
}
