//! Change events over Redis pub/sub: for speed only. Whatever is lost, the log tells again.

use futures_util::StreamExt;
use redis::Client;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{coherence::log::Change, domain::dependency::Dependency, limits::ANNOUNCEMENT_DEPENDENCIES_MAX};

/// What travels. Without dependencies (too many to carry) it is a mere doorbell.
#[derive(Serialize, Deserialize)]
struct Announcement {
    position: i64,
    dependencies: Option<Vec<i64>>,
}

/// What a subscriber hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A whole change.
    Change(Change),
    /// Something changed, or messages may have been missed: look at the log.
    Doorbell,
}

/// The channel of a catalogue.
pub fn channel(catalogue: Uuid) -> String {
    format!("aisle:{}:events", catalogue.simple())
}

/// The message that announces a change; `None` if it cannot be encoded.
pub fn message(change: &Change) -> Option<Vec<u8>> {
    let few = change.dependencies.len() <= ANNOUNCEMENT_DEPENDENCIES_MAX;
    let dependencies = few.then(|| change.dependencies.iter().map(|dependency| dependency.0).collect());
    postcard::to_allocvec(&Announcement { position: change.position, dependencies }).ok()
}

fn read(message: &[u8]) -> Heard {
    match postcard::from_bytes::<Announcement>(message) {
        Ok(Announcement { position, dependencies: Some(dependencies) }) => Heard::Change(Change {
            position,
            dependencies: dependencies.into_iter().map(Dependency).collect(),
        }),
        Ok(Announcement { dependencies: None, .. }) | Err(_) => Heard::Doorbell,
    }
}

/// Hears announcements until the connection ends; returns why. A doorbell comes first: what was said before is unknown.
pub async fn listen(url: &str, channel: &str, mut heard: impl FnMut(Heard)) -> redis::RedisError {
    let subscribe = async {
        let mut subscriber = Client::open(url)?.get_async_pubsub().await?;
        subscriber.subscribe(channel).await?;
        Ok(subscriber.into_on_message())
    };
    match subscribe.await {
        Err(error) => error,
        Ok(mut messages) => {
            heard(Heard::Doorbell);
            while let Some(message) = messages.next().await {
                heard(read(message.get_payload_bytes()));
            }
            (redis::ErrorKind::Io, "subscription ended").into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_changes_travel_as_a_doorbell() {
        let small = Change { position: 7, dependencies: vec![Dependency(1)] };
        assert_eq!(read(&message(&small).unwrap()), Heard::Change(small));
        let count = i64::try_from(ANNOUNCEMENT_DEPENDENCIES_MAX).unwrap() + 1;
        let large = Change { position: 8, dependencies: (0..count).map(Dependency).collect() };
        assert_eq!(read(&message(&large).unwrap()), Heard::Doorbell);
        assert_eq!(read(b"noise"), Heard::Doorbell);
    }
}
