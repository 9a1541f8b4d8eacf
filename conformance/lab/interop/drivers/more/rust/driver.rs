//! Runs a client as the command that the conformance kit starts.

use std::{env, error::Error, fmt::Display, pin::pin, process::ExitCode};

use futures::{Stream, StreamExt};
use serde::Serialize;
use tokio::signal;

/// The server that a client is to use.
pub fn host() -> String {
    env::var("OLLAMA_HOST").unwrap_or_default()
}

/// The model that it is to pull.
pub fn model() -> String {
    env::args().next_back().unwrap_or_default()
}

/// Waits for a pull, and exits as the kit wants it: 0 on success, 1 with the reason on standard error,
/// and 130 when it is interrupted.
pub async fn run<E: Display>(pull: impl Future<Output = Result<(), E>>) -> ExitCode {
    tokio::select! {
        result = pull => match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        // The pull is dropped, and its connection with it.
        _ = signal::ctrl_c() => ExitCode::from(130),
    }
}

/// Prints each status of a pull as a line of JSON.
pub async fn print<T: Serialize, E: Error + 'static>(
    statuses: impl Stream<Item = Result<T, E>>,
) -> Result<(), Box<dyn Error>> {
    let mut statuses = pin!(statuses);
    while let Some(status) = statuses.next().await {
        println!("{}", serde_json::to_string(&status?)?);
    }
    Ok(())
}
