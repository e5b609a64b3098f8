//! Enumerations as the database spells them.

use crate::domain::draft::{MediaKind, Status};

pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Active => "active",
        Status::Archived => "archived",
    }
}

/// The database allows only these three.
pub(super) fn read_status(word: &str) -> Status {
    match word {
        "draft" => Status::Draft,
        "archived" => Status::Archived,
        _ => Status::Active,
    }
}

pub(super) fn media_kind(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Model3d => "model3d",
    }
}

/// The database allows only these three.
pub(super) fn read_media_kind(word: &str) -> MediaKind {
    match word {
        "video" => MediaKind::Video,
        "model3d" => MediaKind::Model3d,
        _ => MediaKind::Image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_api() {
        for (status, json) in
            [(Status::Draft, "\"draft\""), (Status::Active, "\"active\""), (Status::Archived, "\"archived\"")]
        {
            assert_eq!(serde_json::to_string(&status).unwrap(), json);
            assert_eq!(format!("\"{}\"", super::status(status)), json);
            assert_eq!(read_status(super::status(status)), status);
        }
        for kind in [MediaKind::Image, MediaKind::Video, MediaKind::Model3d] {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", media_kind(kind)));
            assert_eq!(read_media_kind(media_kind(kind)), kind);
        }
    }
}
