/**
 * Pulls that no server has sent, made line by line: what they are like is known beforehand.
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

/** A pull with a line for each of a number of updates, and what comes before and after them. */
function pullOf(updates: number, lineOf: (update: number) => string): string {
  const lines = ['{"status":"pulling manifest"}'];
  for (let update = 0; update < updates; update++) lines.push(lineOf(update));
  return `${[...lines, ...CLOSING].join("\n")}\n`;
}

/** The digest of a layer, whose first digits tell it from the others, as those of a hash do. */
export function digestOf(layer: number): string {
  // A multiplicative hash, so that the digits of neighbours have nothing in common.
  const digits = Math.imul(layer + 1, 0x9e3779b1) >>> 0;
  return `sha256:${digits.toString(16).padStart(8, "0").repeat(8)}`;
}

/** Layers that take turns: whose turn it is at an update, and what there is to say of it. */
function updateOf(update: number, updates: number, layers: number) {
  const digest = digestOf(update % layers);
  const total = Math.floor(MODEL_BYTES / layers);
  const turns = Math.ceil(updates / layers);
  const completed = Math.floor(total * (Math.floor(update / layers) + 1) / turns);
  return { status: `pulling ${shortDigest(digest)}`, digest, total, completed };
}

/** A pull whose layers take turns, written in some way. */
export function roundRobin(
  lines: number,
  layers: number,
  write: (update: ReturnType<typeof updateOf>) => string = JSON.stringify,
): string {
  return pullOf(lines, (update) => write(updateOf(update, lines, layers)));
}

/** Layers one after another, of as many lines each. */
export function inSequence(lines: number, layers: number): string {
  const linesOfEach = Math.ceil(lines / layers);
  return pullOf(lines, (update) => {
    const digest = digestOf(Math.floor(update / linesOfEach));
    const total = Math.floor(MODEL_BYTES / layers);
    const completed = Math.floor(total * (update % linesOfEach + 1) / linesOfEach);
    return JSON.stringify({ status: `pulling ${shortDigest(digest)}`, digest, total, completed });
  });
}

/** Pulls that a fast path could be slow at, or wrong about, by what is hostile in them. */
export const HOSTILE: Readonly<Record<string, (lines: number) => string>> = {
  // As many as the package follows.
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
