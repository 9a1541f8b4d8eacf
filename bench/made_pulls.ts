/**
 * Artificial pulls, made line by line, whose properties are known.
 *
 * @module
 */
import { shortDigest } from "../src/digest.ts";

/** A large model: the bytes of it are 40 GB, whatever the number of lines. */
export const MODEL_BYTES = 40e9;

/** The end of every pull. */
const CLOSING = [
  '{"status":"verifying sha256 digest"}',
  '{"status":"writing manifest"}',
  '{"status":"success"}',
];

/** A pull with a line for each of a number of updates, between its first and last lines. */
function pullOf(updates: number, lineOf: (update: number) => string): string {
  const lines = ['{"status":"pulling manifest"}'];
  for (let update = 0; update < updates; update++) lines.push(lineOf(update));
  return `${[...lines, ...CLOSING].join("\n")}\n`;
}

/** The digest of a layer. Its first digits identify it, as those of a hash do. */
export function digestOf(layer: number): string {
  // A multiplicative hash, so that consecutive layers have unrelated digits.
  const digits = Math.imul(layer + 1, 0x9e3779b1) >>> 0;
  return `sha256:${digits.toString(16).padStart(8, "0").repeat(8)}`;
}

/** Layers that take turns: which one is next at an update, and what its line reports. */
function updateOf(update: number, updates: number, layers: number) {
  const digest = digestOf(update % layers);
  const total = Math.floor(MODEL_BYTES / layers);
  const turns = Math.ceil(updates / layers);
  const completed = Math.floor(total * (Math.floor(update / layers) + 1) / turns);
  return { status: `pulling ${shortDigest(digest)}`, digest, total, completed };
}

/** A pull whose layers take turns, in some JSON style. */
export function roundRobin(
  lines: number,
  layers: number,
  write: (update: ReturnType<typeof updateOf>) => string = JSON.stringify,
): string {
  return pullOf(lines, (update) => write(updateOf(update, lines, layers)));
}

/** Layers one after another, each with the same number of lines. */
export function inSequence(lines: number, layers: number): string {
  const linesOfEach = Math.ceil(lines / layers);
  return pullOf(lines, (update) => {
    const digest = digestOf(Math.floor(update / linesOfEach));
    const total = Math.floor(MODEL_BYTES / layers);
    const completed = Math.floor(total * (update % linesOfEach + 1) / linesOfEach);
    return JSON.stringify({ status: `pulling ${shortDigest(digest)}`, digest, total, completed });
  });
}

/** Pulls on which a fast path could be slow or wrong, by what makes them difficult. */
export const HOSTILE: Readonly<Record<string, (lines: number) => string>> = {
  // As many layers as the package follows.
  "every line another digest": (lines) => roundRobin(lines, Math.min(lines, 10_000)),
  "2,000 layers in turn": (lines) => roundRobin(lines, 2_000),
  "keys in another order": (lines) =>
    roundRobin(
      lines,
      1,
      ({ status, digest, total, completed }) =>
        JSON.stringify({ completed, total, digest, status }),
    ),
  "spaces inside the JSON": (lines) =>
    roundRobin(lines, 1, (update) => JSON.stringify(update, null, 1).replaceAll(/\n */g, " ")),
  "escapes in the status": (lines) =>
    roundRobin(
      lines,
      1,
      (update) => JSON.stringify(update).replace("pulling", '\\u0070ulling \\"it\\" \\/'),
    ),
};
