//! What instances tell each other over Redis pub/sub: changes and acknowledgements. For speed only: whatever is lost, the
//! log and the table of members tell again.

use futures_util::StreamExt;
use redis::Client;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{coherence::Change, domain::dependency::Dependency, limits::ANNOUNCEMENT_DEPENDENCIES_MAX};

/// Version of what travels. Part of the channel's name: instances of different releases do not hear each other.
const FORMAT: u8 = 2;

#[derive(Serialize, Deserialize)]
enum Message {
    /// An edit was committed. Without dependencies (too many to carry) it is a mere doorbell.
    Change { era: Uuid, position: i64, nonce: Uuid, committed_us: i64, dependencies: Option<Vec<i64>> },
    /// A member has applied the log up to a position.
    Ack { era: Uuid, member: Uuid, position: i64 },
}

/// What a subscriber hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A whole change, and its era.
    Change(Uuid, Change),
    /// A member has applied the log up to a position.
    Ack {
        /// Era of the position.
        era: Uuid,
        /// The member.
        member: Uuid,
        /// The position.
        position: i64,
    },
    /// Something changed, or messages may have been missed: look at the log.
    Doorbell,
}

/// The channel of a catalogue.
pub fn channel(catalogue: Uuid) -> String {
    format!("aisle:{FORMAT}:{}:events", catalogue.simple())
}

/// The message that announces a change; `None` if it cannot be encoded. Who came and went is told by the log alone.
pub fn change(era: Uuid, change: &Change) -> Option<Vec<u8>> {
    let few = change.dependencies.len() <= ANNOUNCEMENT_DEPENDENCIES_MAX
        && change.joined.is_empty()
        && change.departed.is_empty();
    let dependencies = few.then(|| change.dependencies.iter().map(|dependency| dependency.0).collect());
    let Change { position, nonce, committed_us, .. } = *change;
    postcard::to_allocvec(&Message::Change { era, position, nonce, committed_us, dependencies }).ok()
}

/// The message that acknowledges the log up to a position; `None` if it cannot be encoded.
pub fn ack(era: Uuid, member: Uuid, position: i64) -> Option<Vec<u8>> {
    postcard::to_allocvec(&Message::Ack { era, member, position }).ok()
}

fn read(message: &[u8]) -> Heard {
    match postcard::from_bytes::<Message>(message) {
        Ok(Message::Change { era, position, nonce, committed_us, dependencies: Some(dependencies) }) => {
            let dependencies = dependencies.into_iter().map(Dependency).collect();
            let (joined, departed) = (Vec::new(), Vec::new());
            Heard::Change(era, Change { position, nonce, dependencies, joined, departed, committed_us })
        }
        Ok(Message::Ack { era, member, position }) => Heard::Ack { era, member, position },
        Ok(Message::Change { dependencies: None, .. }) | Err(_) => Heard::Doorbell,
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
    use proptest::prelude::*;

    use super::*;

    fn touching(count: i64) -> Change {
        Change {
            position: 7,
            nonce: Uuid::from_u128(9),
            dependencies: (0..count).map(Dependency).collect(),
            joined: Vec::new(),
            departed: Vec::new(),
            committed_us: 5,
        }
    }

    #[test]
    fn what_cannot_travel_whole_travels_as_a_doorbell() {
        let era = Uuid::from_u128(1);
        let small = touching(1);
        assert_eq!(read(&change(era, &small).unwrap()), Heard::Change(era, small.clone()));
        let count = i64::try_from(ANNOUNCEMENT_DEPENDENCIES_MAX).unwrap() + 1;
        assert_eq!(read(&change(era, &touching(count)).unwrap()), Heard::Doorbell);
        let joining = Change { joined: vec![era], ..small };
        assert_eq!(read(&change(era, &joining).unwrap()), Heard::Doorbell);
        assert_eq!(read(b"noise"), Heard::Doorbell);
    }

    #[test]
    fn acknowledgements_survive_the_round_trip() {
        let (era, member) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(read(&ack(era, member, 7).unwrap()), Heard::Ack { era, member, position: 7 });
    }

    proptest! {
        /// Whatever anybody publishes, hearing it never panics; what is not understood is a reason to look at the log.
        #[test]
        fn hostile_messages_are_doorbells_at_worst(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in any::<usize>()) {
            let _heard = read(&bytes);
            let real = change(Uuid::from_u128(1), &touching(20)).unwrap();
            let cut = cut % real.len();
            prop_assert_eq!(read(&real[..cut]), Heard::Doorbell);
        }
    }
}
