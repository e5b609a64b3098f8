//! `aisle token`: makes, lists and revokes admin tokens.

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use uuid::Uuid;

use super::{error::CliError, output, services};
use crate::{
    catalog::edits::{CreateToken, Edit, RevokeToken},
    domain::{origin::Origin, token},
    settings::ServiceSettings,
    store::{
        Connection,
        audit_log::NewEntry,
        edit, pool,
        tokens::{self, Scope},
    },
};

/// Where the admin API has tokens: the audit log tells of these commands as of its requests.
const PATH: &str = "/v1/admin/tokens";

/// Make, list and revoke admin tokens
#[derive(Debug, Args)]
pub(super) struct Token {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Make a token and print it; this is the only time it can be read
#[derive(Debug, Args)]
struct Create {
    /// What the token is for
    #[arg(long, value_parser = parse_name)]
    name: String,

    /// What it may do
    #[arg(long, value_enum, default_value_t = ScopeName::Write)]
    scope: ScopeName,

    /// Days until it stops working; absent: never
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    expires_days: Option<u32>,

    #[command(flatten)]
    common: Common,
}

/// List tokens, newest first, without their secrets
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    common: Common,
}

/// Revoke a token: it stops working at once
#[derive(Debug, Args)]
struct Revoke {
    /// Id of the token, as `list` shows it
    id: Uuid,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    services: ServiceSettings,
}

/// A scope as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScopeName {
    /// Read the catalogue
    Read,
    /// Read and edit the catalogue
    Write,
    /// Also make, list and revoke tokens, and read the audit log
    Manage,
}

impl From<ScopeName> for Scope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Read => Self::Read,
            ScopeName::Write => Self::Write,
            ScopeName::Manage => Self::Manage,
        }
    }
}

/// A new token with its secret, as `--json` shows it.
#[derive(Debug, Serialize)]
struct Created {
    #[serde(flatten)]
    stored: tokens::Token,
    token: String,
}

impl Token {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.action {
            Action::Create(create) => create.run(),
            Action::List(list) => list.run(),
            Action::Revoke(revoke) => revoke.run(),
        }
    }
}

impl Create {
    fn run(self) -> Result<(), CliError> {
        let expires_at =
            self.expires_days.and_then(|days| Utc::now().checked_add_signed(TimeDelta::days(days.into())));
        let json = self.common.json;
        self.common.with_connection(|connection| {
            let (stored, token) = issue(connection, &self.name, self.scope.into(), expires_at)?;
            if json { output::json(&Created { stored, token }) } else { output::line(token) }
        })
    }
}

impl List {
    fn run(self) -> Result<(), CliError> {
        let json = self.common.json;
        self.common.with_connection(|connection| {
            let found = tokens::list(connection)?;
            if json {
                return output::json(&found);
            }
            output::line(format_args!(
                "{:<36}  {:<6}  {:<8}  {:<16}  {:<16}  name",
                "id", "scope", "state", "created", "last used"
            ))?;
            found.iter().try_for_each(|token| output::line(row(token, Utc::now())))
        })
    }
}

impl Revoke {
    fn run(self) -> Result<(), CliError> {
        let json = self.common.json;
        self.common.with_connection(|connection| {
            let origin = Origin::command(&format!("{PATH}/{}", self.id));
            let entry = NewEntry { origin: &origin, action: RevokeToken::NAME };
            let (revoked, _) =
                edit::retried(connection, entry, |connection| tokens::revoke(connection, self.id))?;
            if json { output::json(&revoked) } else { output::line(format_args!("revoked {}", revoked.id)) }
        })
    }
}

impl Common {
    fn with_connection(
        self,
        work: impl FnOnce(&mut Connection) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let opened = services::join(&self.services)?;
        work(&mut pool::connect(&opened.backends.database_url)?)
    }
}

/// Makes a token and stores the hash of its secret; the text is not kept anywhere.
pub(super) fn issue(
    connection: &mut Connection,
    name: &str,
    scope: Scope,
    expires_at: Option<DateTime<Utc>>,
) -> Result<(tokens::Token, String), CliError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| CliError::Failed(format!("no randomness: {error}")))?;
    let secret = token::secret(&random);
    let hash = token::hash(&secret);
    let entry = NewEntry { origin: &Origin::command(PATH), action: CreateToken::NAME };
    let create = |connection: &mut Connection| tokens::create(connection, name, scope, &hash, expires_at);
    let (stored, _) = edit::retried(connection, entry, create)?;
    let text = token::format(stored.id, &secret);
    Ok((stored, text))
}

/// Whether a token can be used.
pub(super) fn works(token: &tokens::Token, now: DateTime<Utc>) -> bool {
    token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > now)
}

fn row(token: &tokens::Token, now: DateTime<Utc>) -> String {
    let scope = token.scope.name();
    let state = match (token.revoked_at, works(token, now)) {
        (Some(_), _) => "revoked",
        (None, false) => "expired",
        (None, true) => "works",
    };
    let minute = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M").to_string();
    let created = minute(token.created_at);
    let last_used = token.last_used_at.map_or_else(|| "-".to_owned(), minute);
    // Names may come from anywhere: no control character reaches the terminal.
    let name: String = token.name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{:<36}  {scope:<6}  {state:<8}  {created:<16}  {last_used:<16}  {name}", token.id)
}

fn parse_name(name: &str) -> Result<String, String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(format!("must have 1 to {NAME_CHARS_MAX} characters, none of them a control character"));
    }
    Ok(name.to_owned())
}

/// A label, not a document.
const NAME_CHARS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn token(expires_at: Option<DateTime<Utc>>, revoked_at: Option<DateTime<Utc>>) -> tokens::Token {
        let created_at = DateTime::UNIX_EPOCH;
        tokens::Token {
            id: Uuid::nil(),
            name: "a\u{1b}[2J".into(),
            scope: Scope::Read,
            created_at,
            expires_at,
            revoked_at,
            last_used_at: None,
        }
    }

    #[test]
    fn rows_say_whether_a_token_works() {
        let (past, now) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::days(1));
        assert!(row(&token(None, None), now).contains("works"));
        assert!(row(&token(Some(past), None), now).contains("expired"));
        assert!(row(&token(None, Some(past)), now).contains("revoked"));
        assert!(!row(&token(None, None), now).contains('\u{1b}'));
    }

    #[test]
    fn names_are_short_plain_labels() {
        assert_eq!(parse_name(" ops "), Ok("ops".to_owned()));
        for bad in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert!(parse_name(bad).is_err(), "{bad:?}");
        }
    }
}
