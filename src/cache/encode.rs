//! Content codings and entity tags, made once per version of a body.

use std::io::Write;

use actix_web::http::header::HeaderValue;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::catalog::messages::Coding;

/// Below this a coding saves less than its header costs.
pub const CODING_BYTES_MIN: usize = 256;

/// Brotli quality: about gzip's time at a better ratio; 11 would take 50 times as long.
const BROTLI_QUALITY: i32 = 5;

/// Brotli window, 2^18 bytes: bodies are a few kilobytes.
const BROTLI_WINDOW: i32 = 18;

/// Zstandard level, its own default.
const ZSTD_LEVEL: i32 = 3;

/// Tag text of a body: its version and the start of its content's hash. The hash covers what the version does not
/// count, such as the name of an embedded brand; equal bytes have equal tags on every instance.
pub fn tag(version: i64, body: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut tag = format!("v{version}-");
    for byte in Sha256::digest(body).iter().take(8) {
        // Writing to a string cannot fail.
        let _written = write!(tag, "{byte:02x}");
    }
    tag
}

/// The strong entity tag of a body in a coding.
pub fn etag(tag: &str, coding: Coding) -> HeaderValue {
    let suffix = match coding {
        Coding::Identity => "",
        Coding::Gzip => "-gz",
        Coding::Brotli => "-br",
        Coding::Zstd => "-zs",
    };
    HeaderValue::from_str(&format!("\"{tag}{suffix}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Encodes a body; `None` when that does not make it smaller.
pub fn encode(body: &[u8], coding: Coding) -> Option<Bytes> {
    let encoded = match coding {
        Coding::Identity => None,
        Coding::Gzip => gzip(body).ok(),
        Coding::Brotli => brotli(body).ok(),
        Coding::Zstd => zstd::bulk::compress(body, ZSTD_LEVEL).ok(),
    }?;
    // Copied to exact size: a grown vector would keep its slack for as long as it is cached.
    (encoded.len() < body.len()).then(|| Bytes::copy_from_slice(&encoded))
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

fn brotli(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        ..Default::default()
    };
    let mut encoded = Vec::new();
    brotli::BrotliCompress(&mut &body[..], &mut encoded, &parameters)?;
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn codings_decode_to_the_body() {
        let body = "catalogue ".repeat(100).into_bytes();
        let mut plain = Vec::new();
        let gzip = encode(&body, Coding::Gzip).unwrap();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, body);
        let brotli = encode(&body, Coding::Brotli).unwrap();
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut &brotli[..], &mut plain).unwrap();
        assert_eq!(plain, body);
        let zstd = encode(&body, Coding::Zstd).unwrap();
        assert_eq!(zstd::bulk::decompress(&zstd, 10_000).unwrap(), body);
    }

    #[test]
    fn a_coding_that_does_not_pay_is_not_kept() {
        assert_eq!(encode(b"ab", Coding::Gzip), None);
        assert_eq!(encode(b"anything", Coding::Identity), None);
    }

    #[test]
    fn tags_differ_by_content_and_coding() {
        assert_ne!(tag(1, b"a"), tag(1, b"b"));
        assert_ne!(etag("v1-00", Coding::Gzip), etag("v1-00", Coding::Identity));
    }
}
