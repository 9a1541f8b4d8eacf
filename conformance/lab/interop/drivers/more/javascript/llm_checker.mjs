/**
 * The client of npm's `llm-checker` as a command: prints each progress that `pullModel` tells as a line of
 * JSON. The model is the last argument.
 */

import { createRequire } from "node:module";
import process from "node:process";

const OllamaClient = createRequire(import.meta.url)("llm-checker/src/ollama/client");

try {
  const client = new OllamaClient(process.env.OLLAMA_HOST);
  await client.pullModel(process.argv.at(-1), (progress) => console.log(JSON.stringify(progress)));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
