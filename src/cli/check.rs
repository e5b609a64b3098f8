//! `aisle check`: asks every instance and the database the same, and compares by log position.
//!
//! An observer from outside: it knows the store's HTTP interface and the tables, and nothing of leases or fences. An answer
//! that differs from the database is wrong only if nothing changed in between, which the log tells; else both are asked again.

mod member;
mod report;
mod subject;

use std::time::Duration;

use clap::Args;
use uuid::Uuid;

use self::{
    member::{Answer, Member, NoAnswer, Readiness},
    report::{Difference, NotVerified, Report},
    subject::{Subject, Truth},
};
use super::{error::CliError, output, plain_http, services};
use crate::{
    domain::money::Currency,
    settings::{ServiceSettings, parse_currency},
    store::{Connection, error::StoreError, members, pool, reads::audit},
};

/// How often one answer is compared while edits keep changing what is asked for.
const TRIES: usize = 20;

/// An instance that cannot vouch for this many answers in a row is asked no more: each may take a second.
const UNVERIFIED_MAX: usize = 5;

/// What the help says below the options.
const AFTER_HELP: &str = "\
The instances are those that the database lists; each must have told an address that can be reached from here \
(AISLE_ADVERTISE). Half of the products were recently changed, some are hidden or deleted; each is asked for by id, by \
its slugs and by a SKU, and the category tree, the brands and the first page of the lists besides. Edits may go on meanwhile.

Exit codes: 0 every answer equals the database, 6 one does not, 7 an instance cannot be reached (or there is none), \
8 an instance could not vouch for its answers; the first of these that applies. Others as in `aisle --help`.";

/// Compare the answers of every running instance with the database
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Check {
    /// How many products to ask for
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    samples: u32,

    /// Chooses the products; absent: a random one, which the report tells
    #[arg(long)]
    seed: Option<u32>,

    /// Address of an instance or a load balancer to ask instead of the listed ones, http only; may be repeated
    #[arg(long = "url", value_name = "URL", value_parser = plain_http::parse_url)]
    urls: Vec<String>,

    /// Currency of the answers to compare; that of the instances, so that their usual answers are looked at
    #[arg(long, env = "AISLE_CURRENCY", default_value = "USD", value_parser = parse_currency)]
    currency: Currency,

    /// Longest wait for one answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    services: ServiceSettings,
}

impl Check {
    pub(super) fn run(self) -> Result<(), CliError> {
        let opened = services::join(&self.services)?;
        let mut connection = pool::connect(&opened.backends.database_url)?;
        let seed = match self.seed {
            Some(seed) => seed,
            None => random()?,
        };
        let members = self.members(&mut connection)?;
        let products = audit::sample(&mut connection, seed.into(), self.samples.into())?;
        let mut audit = Audit { connection: &mut connection, report: Report::new(seed, products.len()) };
        for member in members {
            audit.member(member, &products)?;
        }
        let mut report = audit.report;
        if self.urls.is_empty() {
            // Who has left meanwhile owes no answer.
            let listed = members::list(&mut connection)?;
            report.forget_departed(|id| !listed.iter().any(|member| member.id == id));
        }
        if self.json {
            output::json(&report)?;
        } else {
            report.tell()?;
        }
        report.verdict()
    }

    /// Whom to ask: of several incarnations with one address the last.
    fn members(&self, connection: &mut Connection) -> Result<Vec<Member>, CliError> {
        let timeout = Duration::from_secs(self.timeout);
        let member = |id: Option<Uuid>, url: &str| Member::new(id, url, self.currency, timeout);
        if !self.urls.is_empty() {
            return Ok(self.urls.iter().map(|url| member(None, url)).collect());
        }
        let listed = members::list(connection)?;
        let mut members: Vec<Member> = Vec::with_capacity(listed.len());
        for row in &listed {
            members.retain(|earlier| earlier.url != row.url.trim_end_matches('/'));
            members.push(member(Some(row.id), &row.url));
        }
        if members.is_empty() {
            return Err(CliError::MemberUnreachable("no instance runs on this database".to_owned()));
        }
        Ok(members)
    }
}

struct Audit<'a> {
    connection: &'a mut Connection,
    report: Report,
}

impl Audit<'_> {
    /// Asks one instance everything.
    fn member(&mut self, mut member: Member, products: &[Uuid]) -> Result<(), CliError> {
        let greeted = member.greet();
        match &greeted {
            Ok(Readiness::Ready) => self.report.add_member(&member, None),
            Ok(Readiness::Lacks(what)) => {
                self.report.add_member(&member, Some(what));
                self.report.not_verified(NotVerified::new(&member, "/readyz", what));
            }
            Err(NoAnswer::NotVerified(what) | NoAnswer::Unreachable(what)) => {
                self.report.add_member(&member, Some(what));
                self.report.unreachable(&member, what);
                return Ok(());
            }
        }
        let mut unverified = 0;
        let lists = [Subject::Tree, Subject::Brands, Subject::Attributes, Subject::Page];
        for subject in lists {
            if !self.subject(&member, &subject, &mut unverified)? {
                return Ok(());
            }
        }
        for product in products {
            for subject in Subject::of_product(self.connection, *product)? {
                if !self.subject(&member, &subject, &mut unverified)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Asks for one thing; false when there is no use in asking this instance on.
    fn subject(
        &mut self,
        member: &Member,
        subject: &Subject,
        unverified: &mut usize,
    ) -> Result<bool, StoreError> {
        match compare(self.connection, member, subject)? {
            Verdict::Equal(position) => {
                self.report.equal(position);
                *unverified = 0;
            }
            Verdict::Differs(difference) => {
                self.report.differs(*difference);
                *unverified = 0;
            }
            Verdict::None(NoAnswer::Unreachable(what)) => {
                self.report.unreachable(member, &what);
                return Ok(false);
            }
            Verdict::None(NoAnswer::NotVerified(what)) => {
                self.report.not_verified(NotVerified::new(member, &member.path(subject), &what));
                *unverified += 1;
            }
        }
        Ok(*unverified < UNVERIFIED_MAX)
    }
}

enum Verdict {
    /// The position of the answer.
    Equal(i64),
    Differs(Box<Difference>),
    None(NoAnswer),
}

/// Reads the database, then asks the instance for that position or later. What differs is compared with a second read: an
/// answer must be what one of the two had, unless the log tells of a change in between.
fn compare(connection: &mut Connection, member: &Member, subject: &Subject) -> Result<Verdict, StoreError> {
    let mut before = subject.read(connection)?;
    for _ in 0..TRIES {
        let answer = match member.ask(subject, before.position) {
            Ok(answer) => answer,
            Err(none) => return Ok(Verdict::None(none)),
        };
        let is_late_enough = answer.position >= before.position;
        if is_late_enough && answer.content == before.content(&member.view)? {
            return Ok(Verdict::Equal(answer.position));
        }
        let after = subject.read(connection)?;
        if is_late_enough && answer.content == after.content(&member.view)? {
            return Ok(Verdict::Equal(answer.position));
        }
        if !before.changed_before(&after, connection)? {
            return Ok(Verdict::Differs(Box::new(difference(member, subject, &answer, &after)?)));
        }
        before = after;
    }
    Ok(Verdict::None(NoAnswer::NotVerified("changes faster than it can be compared".to_owned())))
}

fn difference(
    member: &Member,
    subject: &Subject,
    answer: &Answer,
    truth: &Truth,
) -> Result<Difference, StoreError> {
    let wanted = truth.content(&member.view)?;
    let path = member.path(subject);
    Ok(Difference::new(&member.url, path, (answer.position, &answer.content), (truth.position, &wanted)))
}

fn random() -> Result<u32, CliError> {
    getrandom::u32().map_err(|error| CliError::Failed(format!("no randomness: {error}")))
}
