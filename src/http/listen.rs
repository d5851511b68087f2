//! Connections: bounded in number, and in how long a caller may take to say what it wants. What it wants has deadlines of its own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::{Service, service_fn};
use tracing::warn;

/// Open connections. Further ones wait until one has ended.
const MOST_CONNECTIONS: usize = 4_096;
/// Until the headers of a request have arrived; then a connection on which nothing is asked ends.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of the headers of a request. Beyond it, the answer is 431 without a body; one with a body comes before (`request_headers`).
const LARGEST_HEADERS: usize = 128 << 10;
/// After an error of the listener, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `close` is cancelled, and then those that are open until their requests are answered.
pub async fn serve(listener: TcpListener, router: Router, close: CancellationToken) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let connections = GracefulShutdown::new();
    let builder = builder();
    loop {
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let Some((permit, accepted)) = close.run_until_cancelled(accepted).await else { break };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Others may have closed theirs by then.
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        send_at_once(&stream);
        let service = TowerToHyperService::new(service_for(router.clone(), peer));
        let connection = connections.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A caller that breaks off is no error of ours.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    connections.shutdown().await;
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).max_buf_size(LARGEST_HEADERS);
    builder
}

/// The routes, for requests of this caller.
fn service_for(
    router: Router,
    peer: SocketAddr,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request.map(Body::new))
    })
}

/// The end of an answer does not wait until the client has acknowledged what came before (Nagle's algorithm).
pub fn send_at_once(connection: &TcpStream) {
    // Without it the answer comes too, only later.
    let _ = connection.set_nodelay(true);
}
