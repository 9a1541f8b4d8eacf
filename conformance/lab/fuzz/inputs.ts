/**
 * Makes streams that a server might send, and many that no server should: lines of the corpus and new ones,
 * changed as JSON and as bytes, framed and cut into chunks in every way.
 *
 * @module
 */

import type { Corpus } from "./corpus.ts";
import type { Dice } from "./dice.ts";
import { type Bytes, inUtf8, toBytes } from "./text.ts";
import { DIGEST_OF_ALL_LAYERS } from "../../../src/status.ts";
import { escapeUnits } from "../../../src/text.ts";

/** The bytes to decode, and how to decode them. */
export interface Input {
  readonly bytes: Bytes;
  /** Where the bytes are cut into chunks, in bytes from the start. A repeated place makes an empty chunk. */
  readonly cuts: readonly number[];
  /** What to do with malformed lines: fail, skip them, or report them. */
  readonly onMalformed: "error" | "skip" | "tell";
  /** The longest line that is accepted, in bytes, or `undefined` for the default. */
  readonly maxLineBytes: number | undefined;
  /** Which of the combined streams it goes through, besides the plain steps. */
  readonly through: "decodePull" | "decodeProgress";
}

const MAX_LINES = 160;
const MAX_CUTS = 32;

/** Number literals at and beyond every limit. */
const NUMBERS = [
  ...["0", "-0", "1", "-1", "7", "10", "99", "100", "65535", "4294967296", "2019377376"],
  ...["9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740991"],
  ...["18446744073709551616", "1e3", "1E3", "1e+3", "1e-3", "1e400", "-1e400", "1.0", "1.5"],
  ...["12345678901234567890123456789012345678901234567890", "0.1e-7", "5e-324", "2.0e0"],
];

/** String literals, with their quotes. */
const STRINGS = [
  ...["success", "pulling manifest", "verifying sha256 digest", "writing manifest"],
  ...["removing any unused layers", "removing unused layers", "couldn't remove unused layers: x"],
  ...[
    DIGEST_OF_ALL_LAYERS,
    "sha256:aaaa",
    "sha256:bbbb",
    "__proto__",
    "constructor",
    "toString",
    "",
  ],
  ...["\ud83d\ude00", "gr\u00f6\u00dfe", "\u2028", "\ufeff", "\u0085", "a\\b", 'a"b', "\u001b[2J"],
].map((text) => inUtf8(JSON.stringify(text))).concat(['"\\u0073uccess"', '"\\ud83d"', '"\x80"']);

/** Text that looks like a number or a string, but is not JSON. */
const IMPOSTORS = [
  ...["00", "01", "007", "+1", "1.", ".5", "0x10", "1_000", "NaN", "Infinity", "--1", "1e", ""],
  ...['"\\x"', '"\\u12"', '"\t"', '"\u0000"', '"', "'a'", "nul", "undefined"],
];

const KEYS = [
  ...["status", "digest", "total", "completed", "error"],
  ...["kind", "extra", "eta", "__proto__", "constructor", "\\u0073tatus", "Status", ""],
].map((key) => `"${key}"`);

const SCRAPS = [
  "null",
  "true",
  "[]",
  "{}",
  "[1]",
  '{"a":1}',
  "[[[[[]]]]]",
  '{"__proto__":{"p":1}}',
];

/** Bytes that mean something to a decoder. */
const BYTES = [...'{}[]:,"\\ \t\r0159eE+-.ntfu\x00\x7f\x80\xbf\xc2\xe2\xed\xf0\xff'];

const MARK = "\xef\xbb\xbf";

/** Makes an input. */
export function makeInput(corpus: Corpus, dice: Dice): Input {
  const lines = makeLines(corpus, dice);
  const bytes = toBytes(frame(lines, dice));
  return {
    bytes,
    cuts: makeCuts(bytes, dice),
    onMalformed: dice.pick(["tell", "tell", "tell", "skip", "error"]),
    maxLineBytes: dice.isOneIn(8) ? dice.pick([atLineLength(lines, dice), Infinity]) : undefined,
    through: dice.pick(["decodePull", "decodeProgress"]),
  };
}

/** A limit that a line of an input only just meets, or only just exceeds. */
function atLineLength(lines: readonly string[], dice: Dice): number {
  return Math.max(1, dice.pick(lines).length + dice.below(3) - 1);
}

function makeLines(corpus: Corpus, dice: Dice): string[] {
  const lines: string[] = [];
  const count = 1 + dice.below(MAX_LINES);
  while (lines.length < count) lines.push(...makeRun(corpus, dice));
  const changes = dice.pick([0, 1, 2, 4, 16]);
  for (let change = 0; change < changes; change++) {
    const at = dice.below(lines.length);
    lines[at] = changeLine(lines[at]!, corpus, dice);
  }
  return lines;
}

/** Some lines that belong together. */
function makeRun(corpus: Corpus, dice: Dice): readonly string[] {
  switch (dice.below(4)) {
    case 0: {
      const session = dice.pick(corpus.sessions);
      const start = dice.below(session.length);
      return session.slice(start, start + 1 + dice.below(40));
    }
    case 1:
      return [dice.pick(corpus.lines)];
    case 2:
      return makeUpdates(dice);
    default:
      return [makeObject(dice)];
  }
}

/** Updates of one layer, all with the same beginning: the case for the fast path of a decoder. */
function makeUpdates(dice: Dice): string[] {
  const digest = dice.pick(["sha256:aaaa", DIGEST_OF_ALL_LAYERS, `sha256:${"c".repeat(64)}`]);
  const total = dice.pick([0, 1, 1000, 2_019_377_376, Number.MAX_SAFE_INTEGER]);
  const head = dice.pick([
    `{"status":"pulling","digest":"${digest}","total":${total},"completed":`,
    `{"status":"pulling","digest":"${digest}","completed":`,
    `{"digest":"${digest}","total":${total},"completed":`,
    `{"status":"pulling", "digest":"${digest}", "total":${total}, "completed":`,
    `{"status":"downloading","digest":"","total":${total},"completed":`,
    `{"status":"downloading ${dice.below(100)}%","total":${total},"completed":`,
    `{"status":"pulling manifest","error":null,"total":${total},"completed":`,
  ]);
  let completed = dice.below(1000);
  return Array.from({ length: 1 + dice.below(40) }, () => {
    completed += dice.below(2 ** 31);
    const number = dice.isOneIn(8) ? makeValue('"completed"', dice) : String(completed);
    const end = dice.isOneIn(16) ? dice.pick([" }", ',"total":5}', "}\r", "} ", "}}", ""]) : "}";
    return `${head}${number}${end}`;
  });
}

/** An object of fields, most of which are those of the protocol. */
function makeObject(dice: Dice): string {
  const fields = Array.from({ length: dice.below(6) }, () => {
    const key = dice.pick(KEYS);
    return `${key}:${makeValue(key, dice)}`;
  });
  return `{${fields.join(",")}}`;
}

function makeValue(key: string, dice: Dice): string {
  if (dice.isOneIn(24)) return dice.pick(IMPOSTORS);
  if (dice.isOneIn(6)) return dice.pick([...SCRAPS, dice.pick(NUMBERS), dice.pick(STRINGS)]);
  return key === '"total"' || key === '"completed"' ? dice.pick(NUMBERS) : dice.pick(STRINGS);
}

/** Changes a line a little. */
function changeLine(line: string, corpus: Corpus, dice: Dice): string {
  const at = dice.below(line.length + 1);
  const [before, after] = [line.slice(0, at), line.slice(at)];
  switch (dice.below(16)) {
    case 0:
      return line.replace(/-?\d+/, () => dice.pick([dice.pick(NUMBERS), dice.pick(IMPOSTORS)]));
    case 1:
      return replaceOne(line, /\d+/g, dice.pick(NUMBERS), dice);
    case 2:
      return replaceOne(line, /"[^"]*"/g, dice.pick([...STRINGS, ...KEYS]), dice);
    case 3:
      return replaceOne(line, /[,:{}]/g, dice.pick([" ", "\t", ",", ":", "{", "}", ""]), dice);
    case 4:
      return line.replace("{", () => `{${dice.pick(KEYS)}:${dice.pick(SCRAPS)},`);
    case 5:
      return line.replace(/}$/, () => `,${dice.pick(KEYS)}:${dice.pick(NUMBERS)}}`);
    case 6:
      return replaceOne(line, /[a-z]/g, escapeUnits(line.charAt(at) || "a"), dice);
    case 7:
      return before;
    case 8:
      return before + dice.pick(BYTES) + after;
    case 9:
      return before + after.slice(1 + dice.below(8));
    case 10:
      return before + String.fromCharCode(dice.below(256)).replace("\n", " ") + after.slice(1);
    case 11:
      return before + after.slice(0, dice.below(20)).repeat(1 + dice.below(3)) + after;
    case 12:
      return line + dice.pick(corpus.lines);
    case 13:
      return before + dice.pick([MARK, "\r", " \r", "\u0000", "\xe2\x80\xa8"]) + after;
    case 14:
      return `{"status":"pulling manifest","a":${nested(1 + dice.below(300), dice)}}`;
    default:
      return dice.pick([
        MARK + line,
        `${line}\r`,
        "",
        " ",
        "\t\r",
        `[${line}]`,
        JSON.stringify(line),
      ]);
  }
}

function replaceOne(line: string, pattern: RegExp, replacement: string, dice: Dice): string {
  const matches = [...line.matchAll(pattern)];
  if (matches.length === 0) return line;
  const { index, 0: text } = dice.pick(matches);
  return line.slice(0, index) + replacement + line.slice(index + text.length);
}

function nested(depth: number, dice: Dice): string {
  const [open, close] = dice.pick([["[", "]"], ['{"a":', "}"]]);
  return `${open!.repeat(depth)}0${close!.repeat(depth - (dice.isOneIn(4) ? 1 : 0))}`;
}

/** Lines as a stream. */
function frame(lines: readonly string[], dice: Dice): string {
  const newline = dice.pick(["\n", "\n", "\n", "\r\n"]);
  const mixes = dice.isOneIn(6);
  let text = dice.isOneIn(10) ? MARK : "";
  for (const [index, line] of lines.entries()) {
    if (mixes && dice.isOneIn(4)) text += dice.pick(["\n", "\r\n", " \n", "\t\r\n", "\r\r\n"]);
    const isLast = index === lines.length - 1;
    text += line + (isLast && dice.isOneIn(4) ? "" : newline);
  }
  return text;
}

function makeCuts(bytes: Bytes, dice: Dice): number[] {
  switch (dice.below(5)) {
    case 0:
      return [];
    case 1: { // at and next to newlines
      const cuts: number[] = [];
      for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) {
        if (dice.isOneIn(4)) cuts.push(at + dice.below(3));
      }
      return cuts;
    }
    case 2: { // close together
      const start = dice.below(bytes.length + 1);
      const step = 1 + dice.below(4);
      return Array.from({ length: MAX_CUTS }, (_, index) => start + index * step);
    }
    default:
      return Array.from({ length: 1 + dice.below(8) }, () => dice.below(bytes.length + 1));
  }
}

/** An input of one chunk, decoded with every malformed line reported. */
export function plainInput(bytes: Bytes, through: Input["through"]): Input {
  return { bytes, cuts: [], onMalformed: "tell", maxLineBytes: undefined, through };
}

/** The chunks of an input, each in its own buffer. */
export function chunksOf({ bytes, cuts }: Pick<Input, "bytes" | "cuts">): Bytes[] {
  const ends = cuts.filter((cut) => cut <= bytes.length).sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
}
