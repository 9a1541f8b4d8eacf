/**
 * Fuzzes the decoders and the mock: `deno task fuzz --minutes 5`. With `--lines`, until so many lines
 * were tried; `--seed` makes other inputs. What is found is made small, printed with its seed, kept in
 * `corpus/` to be tried with every test from then on, and makes the exit code 1.
 *
 * @module
 */

import process from "node:process";
import { createTask } from "../../../.ci/task.ts";
import { keep, readCorpus } from "./corpus.ts";
import { type Failure, fuzz, type FuzzCount } from "./fuzz.ts";
import { toText } from "./text.ts";

const REPORT_MS = 10_000;

/** How long one input may take. */
const HANG_MS = 60_000;

const program = createTask("fuzz")
  .description(
    "tries the decoders and the mock with inputs made by chance, and keeps what breaks them",
  )
  .option("--lines <number>", "until so many lines were tried", "Infinity")
  .option("--minutes <number>", "for how long (default: 1, or without end if --lines is given)")
  .option("--seed <number>", "what all chance follows from", "1")
  .parse();
const values = program.opts<{ lines: string; minutes?: string; seed: string }>();
const seed = Number(values.seed);
const maxLines = Number(values.lines);
const minutes = Number(values.minutes ?? (maxLines < Infinity ? Infinity : 1));
if (!(seed >= 0 && maxLines > 0 && minutes > 0)) {
  program.error("error: --lines and --minutes must be numbers above 0, and --seed 0 or more");
}

// Most of the time would be spent on the stacks of errors about malformed lines.
Error.stackTraceLimit = 0;
const startedAt = performance.now();

function describe(count: FuzzCount): string {
  const seconds = (performance.now() - startedAt) / 1000;
  return `seed ${seed}: ${count.lines} lines in ${count.inputs} inputs, ` +
    `${(count.bytes / 1e6).toFixed(1)} MB, ${count.requests} requests, ${seconds.toFixed(0)} s, ` +
    `${Math.round(count.lines / seconds)} lines/s`;
}

async function tell({ number, message, input, conversation }: Failure): Promise<void> {
  console.error(`FOUND with seed ${seed}, in input ${number}: ${message}`);
  if (conversation) console.error(JSON.stringify(conversation, null, 2));
  if (!input) return;
  const { bytes, ...options } = input;
  console.error(JSON.stringify({ ...options, bytes: toText(bytes) }, null, 2));
  console.error(`Kept in ${await keep(bytes)}`);
}

let current = 0;
let reportedAt = startedAt;
let beganAt = startedAt;
const watch = setInterval(() => {
  if (performance.now() - beganAt < HANG_MS) return;
  console.error(`FOUND with seed ${seed}, in input ${current}: it does not end`);
  process.exit(1);
}, 1_000);

const { count, failure } = await fuzz({
  corpus: await readCorpus(),
  seed,
  isEnough: (count) => {
    const now = performance.now();
    [current, beganAt] = [count.inputs, now];
    if (now - reportedAt > REPORT_MS) {
      reportedAt = now;
      console.log(describe(count));
    }
    return count.lines >= maxLines || now - startedAt >= minutes * 60_000;
  },
});
clearInterval(watch);
console.log(`${describe(count)}, ${failure ? "1 finding" : "no findings"}`);
if (failure) await tell(failure);
process.exitCode = failure ? 1 : 0;
