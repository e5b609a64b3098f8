//! Where the server listens: taken before anything else starts, so that the members can be told of it.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use crate::{
    application::StartError, closing::Doors, http::certificate::Certificate, settings::ServeSettings,
};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 2048;

/// Open sockets, and what they speak.
pub(crate) struct Listeners {
    /// Sockets, each with the address as it was asked for.
    pub(crate) sockets: Vec<(TcpListener, String)>,
    /// Where the store is.
    pub(crate) address: SocketAddr,
    /// Where the admin API is, if not beside the store.
    pub(crate) admin_address: Option<SocketAddr>,
    /// With it, all of them speak TLS.
    pub(crate) certificate: Option<Arc<Certificate>>,
}

impl Listeners {
    /// Reads the certificate and opens the sockets that the settings ask for.
    pub(crate) fn open(settings: &ServeSettings) -> Result<Self, StartError> {
        let files = settings.tls_cert.as_deref().zip(settings.tls_key.as_deref());
        let certificate = files.map(|(chain, key)| Certificate::read(chain, key)).transpose()?;
        let (socket, address) = listen(&settings.listen)?;
        let mut sockets = vec![(socket, settings.listen.clone())];
        let admin = settings.admin_listen.as_ref();
        let admin_address = admin
            .map(|asked| {
                let (socket, address) = listen(asked)?;
                sockets.push((socket, asked.clone()));
                Ok::<_, StartError>(address)
            })
            .transpose()?;
        Ok(Self { sockets, address, admin_address, certificate })
    }

    /// Further handles of the sockets, to close them by.
    pub(crate) fn doors(&self, settings: &ServeSettings) -> Result<Doors, StartError> {
        Doors::of(self.sockets.iter().map(|(socket, _)| socket)).map_err(cannot_listen(&settings.listen))
    }

    /// How URLs begin.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.certificate.is_some() { "https" } else { "http" }
    }
}

/// Opens a socket; the error names its address.
fn listen(address: &str) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = TcpListener::bind(address).map_err(cannot_listen(address))?;
    // The standard library's backlog is short.
    rustix::net::listen(&listener, BACKLOG).map_err(|error| cannot_listen(address)(error.into()))?;
    let own = listener.local_addr().map_err(cannot_listen(address))?;
    Ok((listener, own))
}

/// The error of an address.
pub(crate) fn cannot_listen(address: &str) -> impl Fn(io::Error) -> StartError + '_ {
    |error| StartError::Listen { address: address.to_owned(), error }
}
