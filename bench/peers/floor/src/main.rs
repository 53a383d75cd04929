//! `floor --listen ADDRESS --cert-dir DIR`: reads reviews over TLS and admits them all. It has the webhook's crates for TLS and HTTP and its
//! two threads, but parses nothing, logs nothing and limits nothing: what a review costs here, no webhook of these crates can save.

use std::convert::Infallible;
use std::env;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio_rustls::TlsAcceptor;

fn main() -> Result<()> {
    let listen = argument("--listen")?;
    let tls = tls(Path::new(&argument("--cert-dir")?))?;
    Builder::new_current_thread().enable_all().build()?.block_on(serve(&listen, tls))
}

/// The value of `name=value` or of `name value`.
fn argument(name: &str) -> Result<String> {
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.strip_prefix(name) {
            Some("") => return args.next().with_context(|| format!("{name} has no value")),
            Some(rest) if rest.starts_with('=') => return Ok(rest[1..].to_owned()),
            _ => {}
        }
    }
    anyhow::bail!("{name} is missing: floor --listen ADDRESS --cert-dir DIR")
}

/// As the webhook has it: TLS 1.3, HTTP/1.1, no tickets.
fn tls(dir: &Path) -> Result<TlsAcceptor> {
    let read = |file| fs::read(dir.join(file)).with_context(|| format!("reading {file} of {}", dir.display()));
    let chain = CertificateDer::pem_slice_iter(&read("tls.crt")?).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(&read("tls.key")?)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listen: &str, tls: TlsAcceptor) -> Result<()> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("listening on {listen}"))?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let tls = tls.clone();
        tokio::spawn(async move {
            // Whoever goes in the middle of a request or of a handshake is not missed.
            if let Ok(stream) = tls.accept(stream).await {
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(admit)).await;
            }
        });
    }
}

async fn admit(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = request.into_body().collect().await.ok().and_then(|body| answer(&body.to_bytes()));
    let Some(answer) = answer else {
        let mut refusal = Response::new(Full::default());
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(refusal);
    };
    let mut response = Response::new(Full::new(answer));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A review that admits the one with the first uid of the body: API servers write it before anything else that has one.
fn answer(body: &[u8]) -> Option<Bytes> {
    const BEFORE: &[u8] = br#""uid":""#;
    let start = body.windows(BEFORE.len()).position(|bytes| bytes == BEFORE)? + BEFORE.len();
    let length = body[start..].iter().position(|&byte| byte == b'"')?;
    let head = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":""#;
    Some([head, &body[start..start + length], br#"","allowed":true}}"#].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_uid_is_answered() {
        let review = br#"{"kind":"AdmissionReview","request":{"uid":"u1","object":{"metadata":{"uid":"u2"}}}}"#;
        let answer = answer(review).unwrap();
        assert!(answer.ends_with(br#""response":{"uid":"u1","allowed":true}}"#), "{answer:?}");
        assert_eq!(super::answer(b"{}"), None);
    }
}
