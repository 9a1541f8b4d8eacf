/**
 * The npm `ollama` client as a command: prints each update of a pull as a line of JSON. The model is
 * the last argument.
 */

import process from "node:process";
import { Ollama } from "ollama";

const client = new Ollama({ host: process.env.OLLAMA_HOST });
process.once("SIGINT", () => {
  process.exitCode = 130;
  client.abort();
});

try {
  const stream = await client.pull({ model: process.argv.at(-1), stream: true });
  for await (const progress of stream) console.log(JSON.stringify(progress));
} catch (error) {
  // The client keeps the HTTP status out of its message, and `fetch` the reason out of its own.
  const { message, status_code: status, cause } = error;
  console.error([message, status, cause?.message].filter(Boolean).join(": "));
  process.exitCode ??= 1;
}
