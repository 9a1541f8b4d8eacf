//! Tests code that pulls models with `ollama-rs`. Needs its feature `stream`, `reqwest` with `json`, `tokio` with
//! `macros` and `rt`, `tokio-stream` and `serde_json`.

mod mock;

use std::error::Error;

use mock::Mock;
use ollama_rs::{Ollama, error::OllamaError, models::pull::PullModelStatus};
use serde_json::Value;
use tokio_stream::StreamExt;

async fn pull(ollama: &Ollama) -> Result<Vec<PullModelStatus>, OllamaError> {
    let statuses = ollama.pull_model_stream("llama3.2".into(), false).await?;
    statuses.collect().await
}

#[tokio::test]
async fn a_full_disk_is_reported() -> Result<(), Box<dyn Error>> {
    let mock = Mock::start()?;
    let http = reqwest::Client::new();
    let faults = http.post(mock.control("/faults"));
    let added = faults.json("disk-full@50%,times=1").send().await?;
    added.error_for_status()?;
    let ollama = Ollama::try_new(mock.url.as_str())?;

    let failure = pull(&ollama).await.unwrap_err().to_string();
    let statuses = pull(&ollama).await?;

    assert!(failure.contains("no space left on device"), "{failure}");
    assert_eq!(statuses.last().unwrap().message, "success");
    let requests = http.get(mock.control("/requests?path=/api/pull"));
    let log: Value = requests.send().await?.json().await?;
    assert_eq!(log["requests"][0]["outcome"], "faulted");
    assert_eq!(log["requests"][1]["outcome"], "finished");
    Ok(())
}
