//! Pictures and films of a product.

use serde_json::Value;

use super::reader::{Reader, Text};
use crate::{
    domain::draft::{MediaDraft, MediaKind},
    limits::{MEDIA_MAX, SUMMARY_LENGTH_MAX, URL_LENGTH_MAX},
};

const FIELDS: &[&str] = &["id", "url", "alt", "width", "height", "kind"];

/// Largest width or height, in pixels.
const PIXELS_MAX: i32 = 100_000;

/// The media of a product, each URL and id once.
pub(super) fn media(reader: &mut Reader, value: &Value) -> Option<Vec<MediaDraft>> {
    let media = reader.list(value, MEDIA_MAX, medium)?;
    for (position, (index, medium)) in media.iter().enumerate() {
        for (first, earlier) in media.iter().take(position) {
            let field = if earlier.url == medium.url {
                "url"
            } else if medium.id.is_some() && earlier.id == medium.id {
                "id"
            } else {
                continue;
            };
            let detail = format!("must be unique; medium {first} has the same");
            reader.invalid_at(&[&index.to_string(), field], "duplicate", detail);
            break;
        }
    }
    Some(media.into_iter().map(|(_, medium)| medium).collect())
}

fn medium(reader: &mut Reader, value: &Value) -> Option<MediaDraft> {
    let map = reader.object(value, FIELDS, &[])?;
    let pixels = |r: &mut Reader, v: &_| r.small_integer(v, 1, PIXELS_MAX);
    let id = reader.field(map, "id", Reader::id);
    let url = reader.required(map, "url", url);
    let alt = reader.field(map, "alt", |r, v| r.text(v, Text::lines(SUMMARY_LENGTH_MAX)));
    let width = reader.field(map, "width", pixels);
    let height = reader.field(map, "height", pixels);
    let kind = reader.field(map, "kind", |r, v| {
        r.word(
            v,
            &[("image", MediaKind::Image), ("video", MediaKind::Video), ("model3d", MediaKind::Model3d)],
        )
    });
    Some(MediaDraft {
        id,
        url: url?,
        alt: alt.unwrap_or_default(),
        width,
        height,
        kind: kind.unwrap_or_default(),
    })
}

/// An absolute `http` or `https` URL, kept as written.
fn url(reader: &mut Reader, value: &Value) -> Option<String> {
    let text = reader.name(value, Text::line(URL_LENGTH_MAX))?;
    if text.len() > URL_LENGTH_MAX {
        reader.invalid("too_long", format!("must have at most {URL_LENGTH_MAX} bytes, has {}", text.len()));
        return None;
    }
    // The parser mends `http:host` and `http:/host`; what is stored must be absolute as it stands.
    let absolute = text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    });
    if !absolute || url::Url::parse(&text).is_err() {
        reader.invalid("not_a_url", "must be an absolute http or https URL");
        return None;
    }
    Some(text)
}
