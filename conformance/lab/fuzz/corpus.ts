/**
 * The material for inputs: lines from real servers, lines designed to do harm, and
 * inputs with which the fuzzer has found something.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readRecordings, textOf } from "../recordings/recording.ts";
import { inUtf8, toText } from "./text.ts";

const FOLDER = new URL("corpus/", import.meta.url);

/** A stored input. */
export interface CorpusFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The material for inputs. Strings have one character per byte. */
export interface Corpus {
  readonly files: readonly CorpusFile[];
  /** The answers of real servers, each as its lines. */
  readonly sessions: readonly (readonly string[])[];
  /** All different lines. */
  readonly lines: readonly string[];
}

/** Reads the corpus. */
export async function readCorpus(): Promise<Corpus> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith(".ndjson")).sort();
  const files = await Promise.all(names.map(async (name) => ({
    name,
    bytes: new Uint8Array(await readFile(new URL(name, FOLDER))),
  })));
  const recordings = (await readRecordings()).flatMap(({ recordings }) => [...recordings.values()]);
  const sessions = recordings.flatMap(({ exchanges }) => exchanges)
    .map((answer) => inUtf8(textOf(answer)).split("\n").filter((line) => line !== ""));
  const kept = files.flatMap(({ bytes }) => toText(bytes).split("\n"));
  return { files, sessions, lines: [...new Set([...kept, ...sessions.flat()])] };
}

/** Stores an input, and returns the name of its file. */
export async function keep(bytes: Uint8Array): Promise<string> {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const file = new URL(`found-${hash}.ndjson`, FOLDER);
  await mkdir(FOLDER, { recursive: true });
  await writeFile(file, bytes);
  return fileURLToPath(file);
}
