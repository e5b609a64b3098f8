//! The way to the fill actors: which one has a key, and how to reach the one that lives.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::Arc,
};

use actix::{Addr, MailboxError};

use super::{
    error::CatalogError,
    fill::{Envelope, FillActor, FillMessage, SharedSettings},
    loader::Loader,
    messages::Key,
};
use crate::{
    limits::REQUEST_DEADLINE,
    supervision::{Heal, Restarts, Slot, intensity::Kind},
};

/// Handles of all fill actors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Fillers {
    slots: Arc<[Slot<FillActor>]>,
}

impl Fillers {
    /// Starts `count` fill actors (at least one), each on its own thread. Needs a running system.
    pub fn start(
        count: usize,
        loader: &Loader,
        shared: Option<&SharedSettings>,
        restarts: &Restarts,
    ) -> Self {
        let slots = (0..count.max(1)).map(|_| {
            let (loader, shared, own) = (loader.clone(), shared.cloned(), restarts.clone());
            Slot::start(Kind::Fill, restarts.clone(), move || {
                FillActor::new(loader.clone(), shared.clone(), own.clone())
            })
        });
        Self { slots: slots.collect() }
    }

    /// Sends a message to the actor of a key. The message carries its own permit where it makes work.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the handle: fills carry permits, which bound the rest"
    )]
    pub async fn ask<M: FillMessage>(&self, key: &Key, message: M) -> Result<M::Reply, CatalogError> {
        let Some(address) = self.address(key) else {
            return Err(CatalogError::Unavailable("no fill actor".to_owned()));
        };
        match address.send(Envelope(message)).timeout(REQUEST_DEADLINE).await {
            Ok(answer) => answer,
            Err(MailboxError::Closed) => Err(CatalogError::Unavailable("fill actor lost".to_owned())),
            Err(MailboxError::Timeout) => Err(CatalogError::DeadlineExceeded),
        }
    }

    fn address(&self, key: &Key) -> Option<Arc<Addr<FillActor>>> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        let count = u64::try_from(self.slots.len()).ok()?;
        let index = usize::try_from(hash.checked_rem(count)?).ok()?;
        self.slots.get(index).map(Slot::address)
    }
}

impl Heal for Fillers {
    fn heal(&self) {
        for slot in &*self.slots {
            slot.heal();
        }
    }
}
