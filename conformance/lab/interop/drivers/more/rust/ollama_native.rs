//! ollama-native as a client: prints each status of the stream of `pull_model` as a line of JSON.
//! The server is in OLLAMA_HOST, the model is the last argument.

use std::process::ExitCode;

use ollama_native::{Ollama, action::IntoStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    driver::run(async {
        let ollama = Ollama::new(&driver::host());
        let model = driver::model();
        let statuses = ollama.pull_model(&model).stream().await?;
        driver::print(statuses).await
    })
    .await
}
