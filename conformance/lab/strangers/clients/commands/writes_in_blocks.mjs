/**
 * Keeps its output until there is a block of it, as the standard output of many languages does for a pipe.
 */

import process from "node:process";
import { main } from "./client.mjs";

const BLOCK = 4096;

let kept = "";

function flush() {
  process.stdout.write(kept);
  kept = "";
}

process.on("exit", flush);

await main({
  print(line) {
    kept += line;
    if (kept.length >= BLOCK) flush();
  },
});
