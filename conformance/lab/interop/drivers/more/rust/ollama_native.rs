//! ollama-native as a client: prints each status of the stream of `pull_model` as a line of JSON.
//! The server is in OLLAMA_HOST, the model is the last argument.

use std::{error::Error, process::ExitCode};

use ollama_native::{Ollama, action::IntoStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    driver::run(pull()).await
}

async fn pull() -> Result<(), Box<dyn Error>> {
    let ollama = Ollama::new(&driver::host());
    let model = driver::model();
    driver::print(ollama.pull_model(&model).stream().await?).await
}
