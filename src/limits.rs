//! The one place for numbers that are not settings, each with its reason.

use std::time::Duration;

/// Longest wait of a client for an answer; everything inside is shorter.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(5);

/// `statement_timeout` of store connections: below the request deadline, so a worker cannot hang on a dead caller.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(4);

/// The same for imports, where nobody waits for a single statement.
pub const BULK_STATEMENT_TIMEOUT: Duration = Duration::from_mins(1);

/// Wait for a pooled Postgres connection; the permit count equals the pool, so it is short.
pub const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(2);

/// One Redis round trip; slower than this, Postgres would have answered.
pub const REDIS_TIMEOUT: Duration = Duration::from_millis(100);

/// How long the shared cache is left alone after a failure: requests must not pay for Redis' time-outs.
pub const REDIS_BREAKER_OPEN: Duration = Duration::from_secs(1);

/// Refusals by Redis closer together than this are one trouble, told once: one bad key must not fill the log.
pub const REDIS_REFUSALS_APART: Duration = Duration::from_secs(10);

/// Life of a shared cache entry; only bounds Redis' memory, correctness comes from stamps.
pub const SHARED_TTL: Duration = Duration::from_hours(24);

/// Life of a shared cache entry that says *nothing there*: long enough to spare Postgres a crowd that follows a dead link,
/// short enough that a scan over made-up ids leaves Redis to what exists.
pub const SHARED_ABSENT_TTL: Duration = Duration::from_mins(1);

/// How often an edit that collides with others is tried. The second time it queues, so more are for bad luck; each may cost
/// the second after which the database looks for those who wait for each other.
pub const EDIT_ATTEMPTS_MAX: u32 = 3;

/// Largest admin request body: a product at every limit below is about 1 MB.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Longest path and query of a request: cursors and names at their limits fit several times.
pub const URI_BYTES_MAX: usize = 8 * 1024;

/// Longest wait for a complete request body, so that a slow sender cannot hold a handler.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers that took longer are logged: an operator asks about them first.
pub const SLOW_REQUEST: Duration = Duration::from_secs(1);

/// Page size of lists when not asked for.
pub const PAGE_SIZE_DEFAULT: u16 = 20;

/// Largest page of lists.
pub const PAGE_SIZE_MAX: u16 = 200;

/// Most products of one batch: as many as a page has.
pub const BATCH_MAX: usize = 200;

/// Most products that are waited for and read by one statement. Sixteen share most of what a statement costs; with more, a
/// burst over a cold disk would read one after the other what several actors read at once.
pub const TOGETHER_MAX: usize = 16;

/// Matches of a list are counted up to here: nobody pages further, and what is counted can be stated at a glance.
pub const TOTAL_MAX: u32 = 10_000;

/// Values of one facet, those with most products: more fit on no page, and a rare one is found by searching.
pub const FACET_VALUES_MAX: usize = 100;

/// Values of one filter: what a shopper ticks, many times over.
pub const FILTER_VALUES_MAX: usize = 100;

/// Facets counted for one page: each is a pass over all that match.
pub const FACETS_MAX: usize = 10;

/// Longest text that is searched for, in characters.
pub const SEARCH_TEXT_MAX: usize = 200;

/// Products, brands and categories suggested when not asked for.
pub const SUGGESTIONS_DEFAULT: u16 = 8;

/// The same at most.
pub const SUGGESTIONS_MAX: u16 = 20;

/// Changes of products that are kept to tell which pages they leave alone: some seconds of edits.
pub const RECENT_CHANGES_MAX: usize = 4096;

/// How long a page waits for the index of lists while that is read: small catalogues are read in less.
pub const LISTS_PATIENCE: Duration = Duration::from_secs(2);

/// How often it looks.
pub const LISTS_POLL: Duration = Duration::from_millis(5);

/// Between the last connection that is let in and the end of the sockets: the rest of its handshake across a network, and the
/// moment until it is accepted.
pub const CLOSING_PAUSE: Duration = Duration::from_millis(200);

/// How often the files of the certificate are looked at: renewals come days before the old one ends.
pub const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(1);

/// How often the index of lists is brought near the log's head where no read does it.
pub const FEED_INTERVAL: Duration = Duration::from_millis(20);

/// Changes after which the index of lists is saved again: applying so many at the next start takes seconds.
pub const SNAPSHOT_CHANGES: i64 = 20_000;

/// Time between two savings: each holds up edits for as long as the index takes to be written to memory of the system.
pub const SNAPSHOT_APART: Duration = Duration::from_mins(10);

/// How long an orderly stop waits for the index of lists to be saved; the snapshot before is kept then.
pub const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(20);

/// Largest money amount in minor units: exact in a double, so JavaScript clients read it right.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;

/// Longest title, name, label or code, in characters; fits an index row in any script.
pub const NAME_LENGTH_MAX: usize = 255;

/// Longest name of a variant: three option values and their separators.
pub const VARIANT_TITLE_LENGTH_MAX: usize = 1000;

/// Longest description, in characters.
pub const DESCRIPTION_LENGTH_MAX: usize = 100_000;

/// Longest barcode, in characters; the longest printed codes (GS1) have 48.
pub const BARCODE_LENGTH_MAX: usize = 64;

/// Longest description for search engines and longest text of a picture, in characters.
pub const SUMMARY_LENGTH_MAX: usize = 1000;

/// Longest URL, in bytes; longer ones fail in browsers and exceed an index row.
pub const URL_LENGTH_MAX: usize = 2048;

/// Most options of a product; storefronts offer three selectors.
pub const OPTIONS_MAX: usize = 3;

/// Most variants of a product, and values of an option.
pub const VARIANTS_MAX: usize = 250;

/// Most media of a product.
pub const MEDIA_MAX: usize = 250;

/// Most tags of a product.
pub const TAGS_MAX: usize = 250;

/// Most categories of a product.
pub const CATEGORIES_MAX: usize = 50;

/// Deepest category path; real trees have seven levels.
pub const CATEGORY_DEPTH_MAX: usize = 10;

/// Most prices of a variant: every ISO 4217 currency.
pub const PRICES_MAX: usize = 200;

/// Most stock locations of a variant.
pub const LOCATIONS_MAX: usize = 100;

/// Times a slug is derived from a name: each one lost means that somebody else has just taken it.
pub const SLUG_TRIES: usize = 32;

/// Most units of stock at one location, and least when negative; sums over all locations stay 64-bit.
pub const STOCK_MAX: i64 = 1_000_000_000;

/// Most languages of a product.
pub const TRANSLATIONS_MAX: usize = 100;

/// Most attributes of a product or a variant, and items of a list attribute.
pub const ATTRIBUTES_MAX: usize = 100;

/// Longest name of an attribute, in characters.
pub const ATTRIBUTE_NAME_LENGTH_MAX: usize = 100;

/// Longest text in an attribute, in characters.
pub const ATTRIBUTE_TEXT_LENGTH_MAX: usize = 5000;

/// Largest magnitude of a number in an attribute; integers up to it are exact in a double.
pub const ATTRIBUTE_NUMBER_MAX: i64 = AMOUNT_MAX;

/// Most values of an enum attribute; a longer list is a noun of its own.
pub const ENUM_VALUES_MAX: usize = 500;

/// Most attributes of a product type: as many as a product can have.
pub const TYPE_ATTRIBUTES_MAX: usize = ATTRIBUTES_MAX;

/// Products that one request looks over for values that do not fit their type: some ten milliseconds of the database.
pub const MISFITS_EXAMINED_MAX: u16 = 1000;

/// Least and most words of a set of synonyms; each word of a search becomes as many.
pub const SYNONYM_WORDS_MIN: usize = 2;

/// See [`SYNONYM_WORDS_MIN`].
pub const SYNONYM_WORDS_MAX: usize = 20;

/// Longest word of a set of synonyms, in characters; a few words count as one.
pub const SYNONYM_LENGTH_MAX: usize = 100;

/// Most broken rules listed for one document; a hostile one has millions.
pub const INVALIDS_MAX: usize = 200;

/// Fence slots per instance (512 KiB); with E edits since a fill the chance of a needless miss is about E / slots.
pub const FENCE_SLOTS: usize = 1 << 16;

/// Events per log pull.
pub const LOG_PULL_MAX: i64 = 1000;

/// Events of the log that are kept at most, however young: some hundred megabytes.
pub const LOG_EVENTS_MAX: i64 = 1_000_000;

/// Events pruned in one transaction: some milliseconds of the database.
pub const LOG_PRUNE_BATCH: i64 = 5000;

/// Entries of the audit log pruned in one transaction: some milliseconds of the database.
pub const AUDIT_PRUNE_BATCH: i64 = 5000;

/// Time between two such transactions while there is more: faster than any log grows, and hardly noticed.
pub const LOG_PRUNE_PAUSE: Duration = Duration::from_millis(500);

/// Time between two looks whether there is anything to prune.
pub const LOG_PRUNE_INTERVAL: Duration = Duration::from_mins(1);

/// Uses of a token closer together than this are one: what is asked is whether anybody uses it still, not how often.
pub const TOKEN_USE_INTERVAL: Duration = Duration::from_mins(1);

/// Tokens whose last use a process remembers to have noted; more are not in use within a minute anywhere.
pub const TOKEN_USES_MAX: usize = 10_000;

/// How often the LISTEN connection is looked at; bounds the delay of edits that no message announced.
pub const DOORBELL_POLL: Duration = Duration::from_millis(5);

/// Longest lease, in any instance of a fleet: what those assume who do not know another's.
pub const LEASE_MAX: Duration = Duration::from_secs(5);

/// Shortest lease: renewals are a quarter of it apart, and one must fit in between.
pub const LEASE_MIN: Duration = Duration::from_millis(200);

/// Longest wait at the stop for the own row to be deleted; a dead one costs the others one lease.
pub const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest `catalog.sync()` of a command: the longest lease, with the drift and margin that others grant it, and a slow machine.
pub const SYNC_TIMEOUT: Duration = Duration::from_secs(15);

/// How often the lease keeper looks whether something is due; bounds the wait of edits whose acknowledgements no message brings.
pub const KEEPER_POLL: Duration = Duration::from_millis(5);

/// Acknowledgements over Redis are at least this far apart: several edits in a millisecond share one.
pub const ACK_INTERVAL: Duration = Duration::from_millis(1);

/// Longest wait for a position that a request names in `Catalog-Min-Position`; after it, the client may ask elsewhere.
pub const MIN_POSITION_PATIENCE: Duration = Duration::from_secs(1);

/// The database's clock and this machine's may move apart by this much between two renewals; more means that one was set or
/// that the machine stood still.
pub const CLOCK_JUMP_MAX: Duration = Duration::from_millis(100);

/// Dependencies that an answer names for caches in front, with 17 bytes each; beyond it any change purges it. More than a usual
/// page of 20 products has, and below the 8 KiB that Varnish takes for a header.
pub const SURROGATE_KEYS_MAX: usize = 256;

/// Longest readable name beside them; percent-encoded names of products fit, made-up ones of strangers need not.
pub const SURROGATE_NAME_BYTES_MAX: usize = 1024;

/// Bytes of keys in one request that purges; Varnish takes 8 KiB for a header.
pub const PURGE_HEADER_BYTES_MAX: usize = 7 * 1024;

/// Dependencies that are purged one by one; what changed more is everything, as in the log.
pub const PURGE_DEPENDENCIES_MAX: usize = 8192;

/// How often the log is read and a cache is told that nothing is missing, with or without a change; caches serve for five
/// seconds from one to the next (`deploy/varnish/default.vcl`).
pub const PURGE_INTERVAL: Duration = Duration::from_secs(1);

/// Longest wait for a cache that purges: it does so in microseconds.
pub const PURGE_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest time from an instance's answer until a cache has it: connect, first byte and pause between bytes of the backends in
/// `deploy/varnish/default.vcl`.
pub const CACHE_FETCH_MAX: Duration = Duration::from_secs(10);

/// After so long everything is purged a second time: then no answer is under way any more that was read before the change, be it
/// by an instance that may go on with what it has until its lease ends.
pub const PURGE_AGAIN_AFTER: Duration = Duration::from_secs(16);

/// Changes that are purged together the second time.
pub const PURGE_AGAIN_APART: Duration = Duration::from_secs(1);

/// Restart intensity: at most this many restarts of one kind of actor …
pub const RESTARTS_MAX: usize = 20;

/// … within this time; beyond it the process ends and its supervisor takes over.
pub const RESTARTS_WITHIN: Duration = Duration::from_secs(10);

/// Start of the private Postgres, with the recovery of what a killed machine left; normally below a second.
pub const PRIVATE_POSTGRES_START_TIMEOUT: Duration = Duration::from_mins(5);

/// Start of the private Redis, which loads nothing; normally 20 ms.
pub const PRIVATE_REDIS_START_TIMEOUT: Duration = Duration::from_secs(10);

/// Orderly end of a private server, its last checkpoint included; beyond it, it is ended by force.
pub const PRIVATE_SERVER_STOP_TIMEOUT: Duration = Duration::from_secs(30);

const _: () = assert!(STATEMENT_TIMEOUT.as_millis() < REQUEST_DEADLINE.as_millis());
const _: () = assert!(SYNC_TIMEOUT.as_millis() > 2 * LEASE_MAX.as_millis());
const _: () = assert!(CHECKOUT_TIMEOUT.as_millis() < REQUEST_DEADLINE.as_millis());
const _: () = assert!(PURGE_AGAIN_AFTER.as_millis() > LEASE_MAX.as_millis() + CACHE_FETCH_MAX.as_millis());
const _: () = assert!(REDIS_TIMEOUT.as_millis() < CHECKOUT_TIMEOUT.as_millis());

/// Dependencies an announcement carries; above it (32 KB) it is a mere doorbell and instances pull.
pub const ANNOUNCEMENT_DEPENDENCIES_MAX: usize = 4096;

/// Store reads in flight on one HTTP worker; a hit takes microseconds, so this is reached only when the worker is drowning.
pub const CATALOG_INFLIGHT_MAX: usize = 16_384;

/// Window of rate limits in seconds: limits are told per minute.
pub const RATE_LIMIT_WINDOW_SECONDS: u32 = 60;

/// Tokens that do not work, of one address in a window: far more than anybody pastes wrongly. Secrets that the server makes
/// cannot be guessed at any rate; a token of the settings, which may be short, gets under 30,000 guesses a day, and none of
/// them costs the database more than a look-up.
pub const FAILED_AUTHORIZATIONS_MAX: u32 = 20;

/// Clients counted in one window by each limit, some 8 MB: a flood of made-up addresses must not take all memory.
pub const RATE_LIMIT_KEYS_MAX: usize = 1 << 16;

/// Time between two exchanges of counts with the other instances: how long a client may go beyond a limit at several of them.
pub const RATE_LIMIT_EXCHANGE_INTERVAL: Duration = Duration::from_millis(100);

/// Counts of one exchange, for which Redis does nothing else for a few milliseconds; more wait for the next.
pub const RATE_LIMIT_EXCHANGE_KEYS_MAX: usize = 1024;

/// How long counts stay in Redis after their window: instances whose clocks are late still add to it.
pub const RATE_LIMIT_LINGER: Duration = Duration::from_mins(1);

/// How often the supervisor looks at its children.
pub const SUPERVISION_INTERVAL: Duration = Duration::from_millis(100);

/// Events read at the start to fill the fence; shared cache entries older than these are refused.
pub const LOG_TAIL_MAX: i64 = 10_000;
