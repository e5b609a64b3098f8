//! Reads and edits of admin tokens.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Edit, Query};
use crate::{
    domain::token,
    store::{
        Connection,
        error::StoreError,
        tokens::{self, Scope, SecretHash, Token},
    },
};

/// Reads a working token with the hash of its secret.
#[derive(Debug, Clone)]
pub struct FindToken {
    /// Which token.
    pub id: Uuid,
}

impl Query for FindToken {
    type Reply = Option<(Token, SecretHash)>;
    const NAME: &'static str = "find_token";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        tokens::find(connection, self.id)
    }
}

/// Reads all tokens, newest first.
#[derive(Debug, Clone)]
pub struct ListTokens;

impl Query for ListTokens {
    type Reply = Vec<Token>;
    const NAME: &'static str = "list_tokens";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        tokens::list(connection)
    }
}

/// Stores a new token.
#[derive(Debug, Clone)]
pub struct CreateToken {
    /// Label given by its maker.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// Of its secret.
    pub hash: SecretHash,
    /// When it stops working, if ever.
    pub expires_at: Option<DateTime<Utc>>,
}

impl CreateToken {
    /// The edit that stores a new token, and its secret of 244 random bits, which is kept nowhere.
    pub fn with_new_secret(name: String, scope: Scope, expires_at: Option<DateTime<Utc>>) -> (Self, String) {
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let hash = token::hash(&secret);
        (Self { name, scope, hash, expires_at }, secret)
    }
}

impl Edit for CreateToken {
    type Reply = Token;
    const NAME: &'static str = "create_token";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        tokens::create(connection, &self.name, self.scope, &self.hash, self.expires_at)
    }
}

/// Revokes a token.
#[derive(Debug, Clone)]
pub struct RevokeToken {
    /// Which token.
    pub id: Uuid,
}

impl Edit for RevokeToken {
    type Reply = Token;
    const NAME: &'static str = "revoke_token";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        tokens::revoke(connection, self.id)
    }
}
