//! Reads of the audit log.

use super::Query;
use crate::{
    domain::list::Place,
    store::{
        Connection,
        audit_log::{self, AuditPage},
        error::StoreError,
    },
};

/// Reads a page of the audit log, newest first.
#[derive(Debug, Clone)]
pub struct ListAuditEntries {
    /// Only entries of this path; see [`crate::domain::origin::canonical_path`].
    pub path: Option<String>,
    /// Place after which the page starts; absent: at the newest.
    pub after: Option<Place>,
    /// How many at most.
    pub limit: u16,
}

impl Query for ListAuditEntries {
    type Reply = AuditPage;
    const NAME: &'static str = "list_audit_entries";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        audit_log::page(connection, self.path.as_deref(), self.after.as_ref(), self.limit)
    }
}
