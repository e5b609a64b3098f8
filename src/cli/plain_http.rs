//! How commands speak HTTP: blocking, without TLS, to the very address they were given.

use std::time::Duration;

use ureq::Agent;

/// A client that follows no redirect, uses no proxy, and takes every status for an answer.
pub(super) fn agent(timeout: Duration) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(timeout))
        .build();
    Agent::new_with_config(config)
}

/// Reads an address of the command line.
pub(super) fn parse_url(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if url.scheme() == "http" && url.host().is_some() => Ok(text.to_owned()),
        Ok(_) => Err("must be an http:// address; ask directly, not through TLS".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_is_asked() {
        assert!(parse_url("http://127.0.0.1:8080").is_ok());
        for bad in ["https://shop.example", "shop.example:80", "/", ""] {
            assert!(parse_url(bad).is_err(), "{bad}");
        }
    }
}
