//! ollama-rest as a client: prints each status of `pull_model_streamed` as a line of JSON.
//! The server is in OLLAMA_HOST, the model is the last argument.

use std::{error::Error, process::ExitCode};

use ollama_rest::{Ollama, models::model::ModelSyncRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // By `Debug`, since `Display` of its errors calls itself until the stack is full.
    driver::run(async { pull().await.map_err(|error| format!("{error:?}")) }).await
}

async fn pull() -> Result<(), Box<dyn Error>> {
    let ollama: Ollama = driver::host().parse()?;
    // As its example makes one.
    let request = serde_json::json!({ "name": driver::model() });
    let request: ModelSyncRequest = serde_json::from_value(request)?;
    driver::print(ollama.pull_model_streamed(&request).await?).await
}
