//! Where an edit comes from, as the audit log tells it.

use uuid::Uuid;

/// Actor of edits with the token of the settings.
const SETTINGS: &str = "settings";

/// Actor of edits by commands.
const COMMAND: &str = "command";

/// Who makes an edit, of what, and by which request. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The token, if it is a stored one.
    pub token_id: Option<Uuid>,
    /// Name of the token; without one, what stands for it.
    pub actor: String,
    /// What is edited, as a path of the admin API; see [`canonical_path`].
    pub path: String,
    /// The request; absent where a command makes the edit.
    pub request: Option<RequestOrigin>,
}

/// The request of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestOrigin {
    /// Its method.
    pub method: String,
    /// Its id, as the answer carries it.
    pub id: String,
    /// Address it came from, if it came from one.
    pub address: Option<String>,
}

impl Origin {
    /// An edit by a command of what the admin API has at this path.
    pub fn command(path: &str) -> Self {
        Self { token_id: None, actor: COMMAND.to_owned(), path: canonical_path(path), request: None }
    }

    /// An edit by a request with a stored token, or with that of the settings.
    pub fn request(token: Option<(Uuid, &str)>, path: &str, request: RequestOrigin) -> Self {
        let (token_id, actor) = token.map_or((None, SETTINGS), |(id, name)| (Some(id), name));
        Self { token_id, actor: actor.to_owned(), path: canonical_path(path), request: Some(request) }
    }
}

/// A path with the ids in it as answers write them. Clients may write them in other ways, and one path is to lead to all
/// entries of an object.
pub fn canonical_path(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        Uuid::try_parse(segment).map_or_else(|_no_id| segment.to_owned(), |id| id.hyphenated().to_string())
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01900000-0000-7000-8000-00000000000a";

    #[test]
    fn ids_have_one_spelling() {
        let path = format!("/v1/admin/variants/{ID}/stock/default");
        let simple = ID.replace('-', "");
        for spelling in [ID, &ID.to_uppercase(), &simple, &format!("urn:uuid:{ID}"), &format!("{{{ID}}}")] {
            assert_eq!(canonical_path(&format!("/v1/admin/variants/{spelling}/stock/default")), path);
        }
        for other in ["", "/", "//", "/v1/admin/products", "/a%2Fb/\u{e9}/"] {
            assert_eq!(canonical_path(other), other);
        }
    }

    #[test]
    fn every_edit_has_an_actor() {
        let request = || RequestOrigin { method: "PUT".to_owned(), id: "1".to_owned(), address: None };
        let stored = Origin::request(Some((Uuid::nil(), "robot")), "/x", request());
        assert_eq!((stored.token_id, stored.actor.as_str()), (Some(Uuid::nil()), "robot"));
        let settings = Origin::request(None, "/x", request());
        assert_eq!((settings.token_id, settings.actor.as_str()), (None, "settings"));
        assert_eq!(Origin::command("/x").actor, "command");
    }
}
