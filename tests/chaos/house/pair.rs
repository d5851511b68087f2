//! A primary of `PostgreSQL` with a synchronous standby, which takes its place when it dies.

use std::net::SocketAddr;
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::patroni::Patroni;
use crate::haproxy::Member;
use crate::postgres::Postgres;

/// A server that takes longer to say what it is, is not the primary.
const PATIENCE: Duration = Duration::from_millis(700);

pub enum Pair {
    Ours(Box<Ours>),
    Patronis(Box<Patroni>),
}

/// One that the test promotes.
pub struct Ours {
    primary: Postgres,
    /// There, but while a new one is being made.
    standby: Option<Postgres>,
    roles: [Role; 2],
}

impl Pair {
    /// Of the test, or with `HOUSE=patroni` of Patroni; or a word why there is none.
    pub async fn start() -> Result<Self, String> {
        if std::env::var("HOUSE").is_ok_and(|house| house == "patroni") {
            return Ok(Self::Patronis(Box::new(Patroni::start().await?)));
        }
        let primary = Postgres::start(&["synchronous_commit=on"]).await?;
        let standby = primary.start_standby().await;
        let roles = [Role::of(primary.address()).await, Role::of(standby.address()).await];
        Ok(Self::Ours(Box::new(Ours { primary, standby: Some(standby), roles })))
    }

    pub fn members(&self) -> [Member; 2] {
        match self {
            Self::Ours(ours) => ours.roles.each_ref().map(|role| role.member),
            Self::Patronis(patroni) => patroni.members(),
        }
    }

    /// How much longer than the test somebody else needs until the standby is the primary.
    pub fn takes_longer_by(&self) -> Duration {
        match self {
            Self::Ours(_) => Duration::ZERO,
            Self::Patronis(_) => Duration::from_secs(30),
        }
    }

    /// SIGKILL of the primary.
    pub async fn kill_primary(&mut self) {
        match self {
            Self::Ours(ours) => ours.primary.kill(),
            Self::Patronis(patroni) => patroni.kill_primary().await,
        }
    }

    /// The standby takes the place of the primary, and gets a standby of its own.
    pub async fn promote_standby(&mut self) {
        match self {
            Self::Ours(ours) => ours.promote_standby().await,
            Self::Patronis(patroni) => patroni.until_promoted().await,
        }
    }
}

impl Ours {
    /// What was the primary never comes back: a new standby takes its address.
    async fn promote_standby(&mut self) {
        let Some(standby) = self.standby.take() else { return };
        standby.promote().await;
        let former = std::mem::replace(&mut self.primary, standby);
        let address = former.address();
        drop(former);
        self.standby = Some(self.primary.start_standby_at(address).await);
    }
}

/// Says over HTTP whether a server is the primary, as Patroni's REST API does.
struct Role {
    member: Member,
    answering: JoinHandle<()>,
}

impl Role {
    async fn of(address: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let member = Member { address, role: listener.local_addr().unwrap() };
        let answering = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, address));
            }
        });
        Self { member, answering }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

async fn answer(mut stream: TcpStream, address: SocketAddr) {
    let _ = stream.read(&mut [0; 1024]).await;
    let is_primary = timeout(PATIENCE, is_primary(address)).await.is_ok_and(|found| found == Some(true));
    let status = if is_primary { "200 OK" } else { "503 Service Unavailable" };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn is_primary(address: SocketAddr) -> Option<bool> {
    let url = format!("postgres://postgres@{address}/postgres?sslmode=disable");
    let mut connection = PgConnection::connect(&url).await.ok()?;
    let asking = sqlx::query_scalar("SELECT NOT pg_is_in_recovery()").fetch_one(&mut connection);
    asking.await.ok()
}
