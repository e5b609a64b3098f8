//! Closes listening sockets so that no request is lost.
//!
//! A connection waits for a moment between its handshake, which the kernel does, and the server that accepts it. One that
//! waits while its socket is closed is reset, and whoever has sent an edit on it cannot know whether that was made; no load
//! balancer may send it elsewhere. So packets that open a connection are dropped first; what has come before is accepted,
//! and then the sockets are closed. Whoever was not let in asks again after a second, as TCP does, and is refused: balancers
//! take that for what it is, nothing was sent.

use std::{io, net::TcpListener};

use socket2::SockRef;

use crate::limits::CLOSING_PAUSE;

/// Further handles of the listening sockets.
#[derive(Debug)]
pub struct Doors(Vec<TcpListener>);

impl Doors {
    /// Takes further handles of these sockets.
    pub(crate) fn of<'a>(sockets: impl Iterator<Item = &'a TcpListener>) -> io::Result<Self> {
        sockets.map(TcpListener::try_clone).collect::<io::Result<_>>().map(Self)
    }

    /// Lets nobody in any more, and waits until those who were are accepted. The server closes the sockets afterwards.
    pub async fn close(self) {
        for socket in &self.0 {
            if let Err(error) = drop_openings(&SockRef::from(socket)) {
                log::warn!("connections are still let in while the server stops reason={error}");
            }
        }
        tokio::time::sleep(CLOSING_PAUSE).await;
    }
}

/// Lets the kernel drop packets that open a connection, those with SYN and without ACK, before it answers them.
#[cfg(target_os = "linux")]
fn drop_openings(socket: &SockRef<'_>) -> io::Result<()> {
    use socket2::SockFilter;

    // The filter sees the TCP header; its flags are at byte 13 (RFC 9293 §3.1). Codes of classic BPF: load a byte, and,
    // jump if equal, return how much of the packet to keep.
    const FLAGS_AT: u32 = 13;
    const SYN: u32 = 0x02;
    const SYN_ACK: u32 = 0x12;
    socket.attach_filter(&[
        SockFilter::new(0x30, 0, 0, FLAGS_AT),
        SockFilter::new(0x54, 0, 0, SYN_ACK),
        SockFilter::new(0x15, 0, 1, SYN),
        SockFilter::new(0x06, 0, 0, 0),
        SockFilter::new(0x06, 0, 0, u32::MAX),
    ])
}

/// Other systems have no such filter: there, connections of the last moment may be reset.
#[cfg(not(target_os = "linux"))]
fn drop_openings(_socket: &SockRef<'_>) -> io::Result<()> {
    Ok(())
}
