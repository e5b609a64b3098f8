//! Room for connections: systems give a process 1,024 open files unless it asks for more.
//!
//! The low limit is there for programs that use `select`; a server with a thousand clients needs the high one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than any machine serves; some systems refuse "unlimited".
const WANTED: u64 = 1 << 20;

/// What macOS allows at most when it says "unlimited".
const MODEST: u64 = 10_240;

/// Raises the limit of open files of this process as far as it may.
pub fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = [WANTED, MODEST].map(|wanted| wanted.min(maximum.unwrap_or(wanted)));
    let enough = |limit: u64| current.is_none_or(|current| current >= limit);
    let set = raised.iter().any(|limit| {
        enough(*limit) || setrlimit(Resource::Nofile, Rlimit { current: Some(*limit), maximum }).is_ok()
    });
    if !set {
        log::warn!("the limit of open files stays at {}", current.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_as_high_as_it_may_be() {
        raise_limit();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let least = MODEST.min(maximum.unwrap_or(MODEST));
        assert!(current.is_none_or(|current| current >= least), "{current:?} of {maximum:?}");
    }
}
