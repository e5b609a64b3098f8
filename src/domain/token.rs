//! Admin tokens as text: `aisle_<id>_<secret>`, of which only the hash of the secret is stored.
//!
//! The id finds the stored hash by its key, so that the comparison that follows can take constant time.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What every stored token starts with, so that secret scanners know it.
const PREFIX: &str = "aisle_";

/// SHA-256 of a token's secret. The secret has 256 random bits, so a slow hash would add nothing.
pub type SecretHash = [u8; 32];

/// A secret of 43 characters (base64url) from random bytes.
pub fn secret(random: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// The text of a token, to be shown once.
pub fn format(id: Uuid, secret: &str) -> String {
    format!("{PREFIX}{}_{secret}", id.simple())
}

/// Id and secret of a token's text; `None` when it is not of the form that [`format()`] makes.
pub fn parse(text: &str) -> Option<(Uuid, &str)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let well_formed = id.len() == 32 && !secret.is_empty() && secret.bytes().all(plain);
    well_formed.then(|| Uuid::try_parse(id).ok().map(|id| (id, secret)))?
}

/// What is stored of a secret, and compared.
pub fn hash(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        let text = format(id, "s3cret");
        assert_eq!(text, "aisle_01900000000070008000000000000001_s3cret");
        assert_eq!(parse(&text), Some((id, "s3cret")));
        assert_ne!(hash("s3cret"), hash("s3cret2"));
    }

    #[test]
    fn any_secret_can_be_read_back() {
        let id = Uuid::from_u128(7);
        for byte in 0..=u8::MAX {
            let secret = secret(&[byte; 32]);
            assert_eq!(secret.len(), 43);
            assert_eq!(parse(&format(id, &secret)), Some((id, secret.as_str())));
        }
    }

    #[test]
    fn refuses_other_forms() {
        for bad in [
            "",
            "aisle_",
            "aisle_01900000000070008000000000000001",
            "aisle_01900000000070008000000000000001_",
            "aisle_0190000000007000800000000000000_s",
            "aisle_01900000-0000-7000-8000-000000000001_s",
            "aisle_01900000000070008000000000000001_a b",
            "other_01900000000070008000000000000001_s",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
