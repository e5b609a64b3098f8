//! What a check found.

use serde::Serialize;
use uuid::Uuid;

use super::{member::Member, subject::Content};
use crate::cli::{error::CliError, output};

/// Most differences and unverified answers that a report lists; all are counted.
const LISTED_MAX: usize = 100;

/// Counts, and what was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Chooses the products.
    seed: u32,
    /// Products asked for.
    products: usize,
    /// The last position among the answers.
    position: i64,
    /// Answers that equal the database.
    equal: usize,
    /// Answers that do not.
    different: usize,
    /// Answers nobody vouched for.
    unverified: usize,
    members: Vec<MemberReport>,
    differences: Vec<Difference>,
    not_verified: Vec<NotVerified>,
}

/// One instance.
#[derive(Debug, Serialize)]
struct MemberReport {
    id: Option<Uuid>,
    url: String,
    ready: bool,
    reached: bool,
    problem: Option<String>,
}

/// An answer that is not what the database has.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    member: String,
    path: String,
    /// What was answered, and the position that the answer names.
    answer: String,
    answer_version: Option<i64>,
    answer_position: i64,
    /// What the database has, and where it was read.
    database: String,
    database_version: Option<i64>,
    database_position: i64,
}

/// An answer that could not be compared.
#[derive(Debug, Serialize)]
pub(super) struct NotVerified {
    member: String,
    path: String,
    reason: String,
}

impl Difference {
    /// Of an instance and a path: position and content of the answer, then those of the database.
    pub(super) fn new(
        member: &str,
        path: String,
        (answer_position, answer): (i64, &Content),
        (database_position, database): (i64, &Content),
    ) -> Self {
        let (answer_version, database_version) = (answer.version(), database.version());
        let (mut said, has) = (answer.words(), database.words());
        if said == has {
            said.push_str(" with other contents");
        }
        Self {
            member: member.to_owned(),
            path,
            answer: said,
            answer_version,
            answer_position,
            database: has,
            database_version,
            database_position,
        }
    }
}

impl NotVerified {
    pub(super) fn new(member: &Member, path: &str, reason: &str) -> Self {
        Self { member: member.url.clone(), path: path.to_owned(), reason: reason.to_owned() }
    }
}

impl Report {
    pub(super) fn new(seed: u32, products: usize) -> Self {
        Self {
            seed,
            products,
            position: 0,
            equal: 0,
            different: 0,
            unverified: 0,
            members: Vec::new(),
            differences: Vec::new(),
            not_verified: Vec::new(),
        }
    }

    pub(super) fn add_member(&mut self, member: &Member, problem: Option<&str>) {
        self.members.push(MemberReport {
            id: member.id,
            url: member.url.clone(),
            ready: problem.is_none(),
            reached: true,
            problem: problem.map(str::to_owned),
        });
    }

    pub(super) fn unreachable(&mut self, member: &Member, problem: &str) {
        for known in self.members.iter_mut().filter(|known| known.url == member.url) {
            known.ready = false;
            known.reached = false;
            known.problem = Some(problem.to_owned());
        }
    }

    /// Drops unreachable instances that are members no more.
    pub(super) fn forget_departed(&mut self, has_left: impl Fn(Uuid) -> bool) {
        self.members.retain(|member| member.reached || !member.id.is_some_and(&has_left));
    }

    pub(super) fn equal(&mut self, position: i64) {
        self.equal += 1;
        self.position = self.position.max(position);
    }

    pub(super) fn differs(&mut self, difference: Difference) {
        self.different += 1;
        self.position = self.position.max(difference.answer_position);
        if self.differences.len() < LISTED_MAX {
            self.differences.push(difference);
        }
    }

    pub(super) fn not_verified(&mut self, answer: NotVerified) {
        self.unverified += 1;
        if self.not_verified.len() < LISTED_MAX {
            self.not_verified.push(answer);
        }
    }

    /// Writes it for people.
    pub(super) fn tell(&self) -> Result<(), CliError> {
        for Difference { member, path, answer, answer_position, database, database_position, .. } in
            &self.differences
        {
            output::line(format_args!(
                "different     {member}{path}: {answer} at position {answer_position}, \
                 the database has {database} at {database_position}"
            ))?;
        }
        for MemberReport { url, reached, problem, .. } in &self.members {
            match (problem, reached) {
                (Some(problem), false) => output::line(format_args!("unreachable   {url}: {problem}"))?,
                (Some(problem), true) => output::line(format_args!("not ready     {url}: {problem}"))?,
                (None, _) => output::line(format_args!("asked         {url}"))?,
            }
        }
        for NotVerified { member, path, reason } in &self.not_verified {
            output::line(format_args!("not verified  {member}{path}: {reason}"))?;
        }
        let Self { seed, products, equal, different, unverified, position, .. } = self;
        output::line(format_args!(
            "{equal} answers equal the database, {different} different, {unverified} not verified \
             ({products} products, position {position}, seed {seed})"
        ))
    }

    /// How the command ends.
    pub(super) fn verdict(&self) -> Result<(), CliError> {
        let lost: Vec<&str> =
            self.members.iter().filter(|member| !member.reached).map(|member| member.url.as_str()).collect();
        if self.different > 0 {
            return Err(CliError::Differs(self.different));
        }
        if self.members.is_empty() {
            return Err(CliError::MemberUnreachable("every instance has left meanwhile".to_owned()));
        }
        if !lost.is_empty() {
            return Err(CliError::MemberUnreachable(format!("cannot be reached: {}", lost.join(", "))));
        }
        if self.unverified > 0 {
            return Err(CliError::NotVerified(self.unverified));
        }
        Ok(())
    }
}
