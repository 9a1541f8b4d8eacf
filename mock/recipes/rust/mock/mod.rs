//! A mock of Ollama. Each test has its own, because tests run in parallel.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const COMMAND: &str = "npx --yes @ollama-pull/kit mock --json --control --port 0 --rate unlimited";

/// A mock of Ollama. It ends when its standard input closes, as when this is dropped.
pub struct Mock {
    pub url: String,
    control: String,
    _process: Child,
}

impl Mock {
    pub fn start() -> io::Result<Mock> {
        let (program, args) = COMMAND.split_once(' ').unwrap();
        let mut process = Command::new(program)
            .args(args.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line)?;
        let started: serde_json::Value = serde_json::from_str(&line)?;
        Ok(Mock {
            url: started["url"].as_str().unwrap().into(),
            control: started["control"].as_str().unwrap().into(),
            _process: process,
        })
    }

    /// The address of an endpoint of the control interface.
    pub fn control(&self, path: &str) -> String {
        format!("{}{path}", self.control)
    }
}
