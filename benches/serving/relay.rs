//! Postgres behind a slow network: a relay that passes every answer on a little later.

use std::{
    net::{SocketAddr, TcpListener},
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    runtime::Builder,
};
use url::Url;

use crate::support::outcome::Outcome;

/// Starts a relay to the Postgres of this address, which is reached over a socket of the file system; the address through the
/// relay. It lives as long as the process.
pub(crate) fn start(url: &str, delay: Duration) -> Outcome<String> {
    let mut url = Url::parse(url)?;
    let value =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let folder = value("host").ok_or("a Postgres without a socket")?;
    let (port, user) =
        (value("port").unwrap_or_else(|| "5432".to_owned()), value("user").unwrap_or_default());
    let socket = format!("{folder}/.s.PGSQL.{port}");
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address: SocketAddr = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let (client, _) = listener.accept().await?;
                let server = UnixStream::connect(&socket).await?;
                tokio::spawn(pass(client, server, delay));
            }
            #[expect(unreachable_code, reason = "tells the type of the errors above")]
            Outcome::Ok(())
        })
    });
    url.set_query(Some(&format!("host=127.0.0.1&port={}&user={user}", address.port())));
    Ok(url.to_string())
}

async fn pass(client: TcpStream, server: UnixStream, delay: Duration) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::spawn(copy(from_client, to_server, Duration::ZERO));
    copy(from_server, to_client, delay).await
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: Duration,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        to.write_all(buffer.get(..read).unwrap_or_default()).await?;
    }
}
