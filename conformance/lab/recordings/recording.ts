/**
 * Recordings of real servers: what they sent, byte by byte, and when. Each is a file in the format that
 * `mock/recordings/recording.ts` describes, in the folder of its dialect, named after its scenario.
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseRecording } from "../../../mock/recordings/parse.ts";
import type { RecordedExchange, Recording } from "../../../mock/recordings/recording.ts";
import type { DialectName } from "../../../src/dialects.ts";

/** All recordings of a server. */
export interface RecordedServer {
  /** Its name and version. */
  readonly server: string;
  /** The dialect of the mock that should behave like it. */
  readonly dialect: DialectName;
  /** The recordings, by scenario. */
  readonly recordings: ReadonlyMap<string, Recording>;
}

/** Their folder. */
export const RECORDINGS = fileURLToPath(new URL(".", import.meta.url));

const EXTENSION = ".jsonl";

/** The name of the file for a scenario. */
export function fileOf(scenario: string): string {
  return scenario.replaceAll(" ", "-") + EXTENSION;
}

/** Reads all recordings. */
export async function readRecordings(): Promise<RecordedServer[]> {
  const entries = await readdir(RECORDINGS, { withFileTypes: true });
  const dialects = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
  return await Promise.all(dialects.map((dialect) => readServer(dialect as DialectName)));
}

async function readServer(dialect: DialectName): Promise<RecordedServer> {
  const folder = new URL(`${dialect}/`, import.meta.url);
  const recordings = new Map<string, Recording>();
  for (const file of (await readdir(folder)).sort()) {
    const scenario = file.slice(0, -EXTENSION.length).replaceAll("-", " ");
    recordings.set(scenario, parseRecording(await readFile(new URL(file, folder), "utf8")));
  }
  const [{ server } = {}] = recordings.values();
  if (server === undefined) throw new Error(`The recordings of ${dialect} do not tell the server`);
  return { server, dialect, recordings };
}

/** The body of an answer as text. */
export function textOf({ chunks }: RecordedExchange): string {
  const utf8 = new TextDecoder();
  return chunks.map(({ bytes }) => utf8.decode(bytes, { stream: true })).join("");
}

/** Whether an answer is a stream of objects, and not a single one. */
export function isStream({ request, answer }: RecordedExchange): boolean {
  return answer?.status === 200 && Object(request.body).stream !== false;
}
