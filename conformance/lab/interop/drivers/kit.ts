/**
 * Our own client as a command, the same file in Deno, Bun and Node: prints each snapshot of `pull` as a
 * line of JSON.
 *
 * @module
 */

import process from "node:process";
import { pull } from "../../../../mod.ts";
import { messageOf } from "../../../../src/text.ts";

const controller = new AbortController();
process.once("SIGINT", () => {
  process.exitCode = 130;
  controller.abort(new Error("Interrupted"));
});

const { OLLAMA_HOST: host = "", STALL_TIMEOUT_MS: limit } = process.env;
const options = {
  host,
  signal: controller.signal,
  ...(limit !== undefined && { stallTimeoutMs: Number(limit), silenceTimeoutMs: Number(limit) }),
};
try {
  for await (const progress of pull(process.argv.at(-1) ?? "", options)) {
    console.log(JSON.stringify(progress));
  }
} catch (error) {
  console.error(messageOf(error));
  process.exitCode ??= 1;
}
