/**
 * How fast pulls are decoded, compared with the npm package `ollama`: `deno task bench`.
 *
 * The bytes come from memory and nothing is shown, so this is the cost of decoding alone. What a
 * decoder gives for it differs, and stands beside the figures.
 *
 * @module
 */

import { type Decoder, DECODERS, REFERENCE } from "./decoders.ts";
import { makePull, type PullBytes, streamOf } from "./pull_bytes.ts";
import { measureInRounds, quantile } from "./rounds.ts";

const ROUNDS = 11;
const WARM_UP_ROUNDS = 2;
const UPDATES = 50_000;

/** Makes sure that a decoder reads a pull to its end before its speed is worth anything. */
async function checkDecoder({ name, decode }: Decoder, pull: PullBytes): Promise<void> {
  const { items, lastStatus } = await decode(streamOf(pull));
  if (lastStatus !== "success" || items > pull.lines) {
    throw new Error(`${name} gave ${items} items of ${pull.lines} lines and ended "${lastStatus}"`);
  }
}

function printResults(pull: PullBytes, times: number[][]): void {
  const medians = times.map((values) => quantile(values, 0.5));
  const reference = medians[DECODERS.indexOf(REFERENCE)]!;
  const rows = DECODERS.map(({ name, gives }, index) => {
    const median = medians[index]!;
    const spread = quantile(times[index]!, 0.75) - quantile(times[index]!, 0.25);
    return [name, {
      "gives": gives,
      "ns a line": Math.round(median * 1e6 / pull.lines),
      "MB/s": Math.round(pull.bytes / 1e3 / median),
      "spread in %": Math.round(spread / median * 100),
      "times as fast": Number((reference / median).toFixed(2)),
    }];
  });
  console.log(`\n${pull.name}: ${pull.lines} lines, ${(pull.bytes / 1e6).toFixed(1)} MB`);
  console.table(Object.fromEntries(rows));
}

console.log(
  `Deno ${Deno.version.deno}, ${Deno.build.target}: medians of ${ROUNDS} rounds in which the ` +
    `decoders take turns.\nThe spread is that of the middle half of the rounds.`,
);
for (
  const pull of [
    makePull("One layer", 1, UPDATES),
    makePull("Eight layers at once", 8, UPDATES),
  ]
) {
  for (const decoder of DECODERS) await checkDecoder(decoder, pull);
  const work = DECODERS.map(({ decode }) => () => decode(streamOf(pull)));
  await measureInRounds(work, WARM_UP_ROUNDS);
  printResults(pull, await measureInRounds(work, ROUNDS));
}
