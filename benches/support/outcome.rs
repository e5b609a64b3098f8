//! How the benchmark fails: loudly, with whatever went wrong.

/// Anything that went wrong; nothing is retried, the run ends.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A value, or the end of the run.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// How a benchmark's process ends.
pub(crate) fn ended(outcome: Outcome<()>) -> std::process::ExitCode {
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// What a thread of a scope gave; its panic is a failure too.
pub(crate) fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, Outcome<T>>) -> Outcome<T> {
    thread.join().map_err(|_panic| "a thread of the benchmark panicked")?
}
