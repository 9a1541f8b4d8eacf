/**
 * Recordings of real servers: what they sent, byte by byte, and when.
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { LayerSize } from "../../../mod.ts";
import type { DialectName } from "../../../src/dialects.ts";

/** The server's answer to one request. */
export interface RecordedAnswer {
  /** The body of the request. */
  readonly request: string;
  /** When the request was made, in milliseconds since the scenario began. */
  readonly startedAtMs: number;
  /** The HTTP status. */
  readonly status: number;
  /** The `Content-Type`. */
  readonly contentType: string | null;
  /** The body, chunk by chunk: when each one arrived, in milliseconds since the request, and its text. */
  readonly chunks: readonly (readonly [atMs: number, text: string])[];
  /** How it ended: as HTTP says, or because the client left. */
  readonly ending: "end" | "left";
}

/** A scenario, as one server has played it. */
export interface Recording {
  /** The scenario. */
  readonly scenario: string;
  /** The layers of the model when the scenario began, the config last. */
  readonly layers: readonly LayerSize[];
  /** The answers, in the order of their requests. */
  readonly answers: readonly RecordedAnswer[];
}

/** All recordings of a server. */
export interface RecordedServer {
  /** Its name and version. */
  readonly server: string;
  /** The dialect of the mock that is to be like it. */
  readonly dialect: DialectName;
  /** The recordings. */
  readonly recordings: readonly Recording[];
}

/** Where they are. */
export const RECORDINGS = fileURLToPath(new URL(".", import.meta.url));

/** Reads all recordings. */
export async function readRecordings(): Promise<RecordedServer[]> {
  const files = (await readdir(RECORDINGS)).filter((file) => file.endsWith(".json")).sort();
  return await Promise.all(
    files.map(async (file) =>
      JSON.parse(await readFile(new URL(file, import.meta.url), "utf8")) as RecordedServer
    ),
  );
}

/** The body of an answer as text. */
export function textOf({ chunks }: RecordedAnswer): string {
  return chunks.map(([, text]) => text).join("");
}

/** Whether an answer is a stream of objects, and not a single one. */
export function isStream({ request, status }: RecordedAnswer): boolean {
  return status === 200 && !request.includes('"stream":false');
}
