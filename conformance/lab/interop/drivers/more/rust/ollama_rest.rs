//! ollama-rest as a client: prints each status of `pull_model_streamed` as a line of JSON.
//! The server is in OLLAMA_HOST, the model is the last argument.

use std::process::ExitCode;

use ollama_rest::{Ollama, models::model::ModelSyncRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    driver::run(async {
        let ollama: Ollama = driver::host().parse()?;
        // As its example makes one.
        let request = serde_json::json!({ "name": driver::model() });
        let request: ModelSyncRequest = serde_json::from_value(request)?;
        driver::print(ollama.pull_model_streamed(&request).await?).await
    })
    .await
}
