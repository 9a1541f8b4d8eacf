//! ollama-rs as a client: prints each status of `pull_model_stream` as a line of JSON.
//! The server is in OLLAMA_HOST, the model is the last argument.

use std::{env, error::Error, iter, process::ExitCode};

use ollama_rs::Ollama;
use tokio::signal;
use tokio_stream::StreamExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tokio::select! {
        result = pull() => match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}", describe(error.as_ref()));
                ExitCode::FAILURE
            }
        },
        // The pull is dropped, and its connection with it.
        _ = signal::ctrl_c() => ExitCode::from(130),
    }
}

async fn pull() -> Result<(), Box<dyn Error>> {
    let ollama = Ollama::try_new(env::var("OLLAMA_HOST")?)?;
    let model = env::args().next_back().unwrap_or_default();
    let mut statuses = ollama.pull_model_stream(model, false).await?;
    while let Some(status) = statuses.next().await {
        println!("{}", serde_json::to_string(&status?)?);
    }
    Ok(())
}

/// An error with what has caused it.
fn describe(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |&error| error.source());
    let words: Vec<_> = causes.map(ToString::to_string).collect();
    words.join(": ")
}
