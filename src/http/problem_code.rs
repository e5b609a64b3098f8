//! The kinds of problems: names and meanings that other people's scripts rely on.

use actix_web::http::StatusCode;

/// Declares the kinds in one list, so that none can lack a name, a status or a meaning.
macro_rules! codes {
    ($($variant:ident $status:ident $name:literal $title:literal $meaning:literal)*) => {
        /// Kind of a problem. Names are never changed nor reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// All kinds, by status.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Stable name, in snake case.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Status of answers of this kind.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// The kind in words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What it means and what a client can do.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    MalformedRequest BAD_REQUEST "malformed_request" "The request is malformed"
        "The request could not be understood."
    InvalidParameter BAD_REQUEST "invalid_parameter" "A parameter or header is wrong"
        "A path or query parameter or a header is unknown, given twice or not of its form. `errors` names each."
    MalformedBody BAD_REQUEST "malformed_body" "The body is not JSON"
        "The body is empty, not UTF-8, not JSON or nested too deeply. `errors` names line and column."
    Unauthorized UNAUTHORIZED "unauthorized" "A working token is required"
        "Send `Authorization: Bearer <token>` with a token that exists, has not expired and was not revoked."
    Forbidden FORBIDDEN "forbidden" "The token may not do this"
        "The token has too small a scope; `WWW-Authenticate` names the one that is needed."
    NotFound NOT_FOUND "not_found" "Not found"
        "Nothing is there, or it is not in the store."
    MethodNotAllowed METHOD_NOT_ALLOWED "method_not_allowed" "The method is not allowed here"
        "`Allow` names the methods of this path."
    NotAcceptable NOT_ACCEPTABLE "not_acceptable" "No acceptable content coding"
        "`Accept-Encoding` refuses every coding the answer can be sent in, identity too."
    RequestTimeout REQUEST_TIMEOUT "request_timeout" "The body came too slowly"
        "The body was not complete in time."
    Duplicate CONFLICT "duplicate" "A unique value is taken"
        "A value that must be unique belongs to something else; `errors` names it. Nothing was changed."
    VersionConflict PRECONDITION_FAILED "version_conflict" "The object has another version"
        "Somebody edited it since. `ETag` and `current_version` name its version: read it again, then repeat."
    BodyTooLarge PAYLOAD_TOO_LARGE "body_too_large" "The body is too large"
        "The body is longer than this server takes."
    UriTooLong URI_TOO_LONG "uri_too_long" "Path and query are too long"
        "Path and query together are longer than this server takes."
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" "The media type is not taken here"
        "Send JSON in UTF-8 with a matching `Content-Type`; `Accept-Patch` names the types of a PATCH."
    Invalid UNPROCESSABLE_ENTITY "invalid" "The document breaks rules"
        "`errors` names every wrong place and its rule. Nothing was changed."
    PreconditionRequired PRECONDITION_REQUIRED "precondition_required" "If-Match is required"
        "Send the `ETag` of the version that was edited, or `*` to overwrite whatever is there."
    RateLimited TOO_MANY_REQUESTS "rate_limited" "Too many requests"
        "This client, or this token, has made as many requests as it may. Try again after `Retry-After` seconds."
    Internal INTERNAL_SERVER_ERROR "internal" "The server failed"
        "A defect. The server's log has the cause under `request_id`."
    Overloaded SERVICE_UNAVAILABLE "overloaded" "Too much is under way"
        "The request was refused before any work. Try again after `Retry-After` seconds."
    DeadlineExceeded SERVICE_UNAVAILABLE "deadline_exceeded" "No answer in time"
        "An edit may have been made or not: read before repeating it."
    Unavailable SERVICE_UNAVAILABLE "unavailable" "Something the server needs is away"
        "A database or an actor is away for the moment. Try again after `Retry-After` seconds."
    Unvouched SERVICE_UNAVAILABLE "unvouched" "Nobody can vouch for an answer"
        "The instance has lost the database for longer than its lease: it has nothing cached, or may not answer from it."
    PositionNotReached SERVICE_UNAVAILABLE "position_not_reached" "The position asked for has not been reached"
        "`Catalog-Min-Position` names a position of the log that did not arrive here in time, or does not exist."
}

impl Code {
    /// Stable URI of the kind, relative to the server.
    pub fn uri(self) -> String {
        format!("/problems/{}", self.name())
    }

    /// Seconds after which trying again makes sense at the earliest, where it does. A rate limit names the end of its window.
    pub fn retry_after(self) -> Option<u32> {
        let passes = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS];
        passes.contains(&self.status()).then_some(1)
    }

    /// The kind for a status that the framework answered by itself.
    pub fn of_status(status: StatusCode) -> Self {
        let known = Self::ALL.iter().copied().find(|code| code.status() == status);
        known.unwrap_or(if status.is_client_error() { Self::MalformedRequest } else { Self::Internal })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_well_formed() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code:?}");
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }

    #[test]
    fn the_framework_s_statuses_have_a_kind() {
        assert_eq!(Code::of_status(StatusCode::NOT_FOUND), Code::NotFound);
        assert_eq!(Code::of_status(StatusCode::IM_A_TEAPOT), Code::MalformedRequest);
        assert_eq!(Code::of_status(StatusCode::BAD_GATEWAY), Code::Internal);
    }
}
