/**
 * `pull --record`: stores everything that arrives in a new file.
 *
 * @module
 */

import { closeSync, openSync, writeSync } from "node:fs";
import type { PullRequestInit } from "../../mod.ts";
import type { Recorder } from "../../mock/recordings/recorder.ts";
import { endpointOf, headersFor } from "../../src/pull/request.ts";
import { messageOf } from "../../src/text.ts";
import { type CommandContext, EXIT, UsageError } from "../command.ts";
import { printable } from "../printable.ts";
import { readVersion } from "../version.ts";
import { MANIFEST_TIMEOUT_MS, type PullTask, runPulls } from "./pull_run.ts";

/** Pulls models, records everything that arrives in a file, and resolves to the exit code. */
export async function recordPulls(
  task: PullTask,
  file: RecordingFile,
  context: CommandContext,
): Promise<number> {
  try {
    const { Recorder } = await import("../../mock/recordings/recorder.ts");
    const header = {
      recordedAt: new Date().toISOString(),
      recordedBy: `@ollama-pull/kit ${await readVersion().catch(() => "unknown")}`,
      server: await askVersion(task, context),
    };
    const { now, fetch } = context;
    const recorder = new Recorder(header, { write: (line) => file.write(line), now });
    const code = await runWith(recorder, { ...task, fetch }, context);
    return file.problem === undefined ? code : explainProblem(file, context);
  } finally {
    file.close();
  }
}

/** Pulls models through a recorder, which writes nothing after that. */
async function runWith(
  recorder: Recorder,
  task: PullTask & Pick<CommandContext, "fetch">,
  context: CommandContext,
): Promise<number> {
  const record = recorder.record(task.fetch);
  try {
    const fetch: CommandContext["fetch"] = (url, init) => record(url, init as PullRequestInit);
    return await runPulls({ ...task, fetch }, context);
  } finally {
    recorder.close();
  }
}

/** Writes bytes from an offset on to a file, and returns how many it has written. */
type WriteBytes = (descriptor: number, bytes: Uint8Array, offset: number) => number;

/** A new file that is written line by line, so that what was recorded survives whatever happens next. */
export class RecordingFile {
  /** Its path. */
  readonly path: string;
  readonly #descriptor: number;
  readonly #write: WriteBytes;
  #problem: string | undefined;

  /**
   * Creates the file.
   *
   * @param path Its path.
   * @param write Writes bytes to a file.
   * @throws {UsageError} If it cannot be created, or already exists: an earlier recording must not be lost.
   */
  constructor(path: string, write: WriteBytes = writeSync) {
    this.path = path;
    this.#write = write;
    try {
      this.#descriptor = openSync(path, "wx");
    } catch (error) {
      if ((error as { code?: unknown }).code === "EEXIST") {
        const shown = printable(path);
        throw new UsageError(
          `--record: ${shown} already exists: name another file, or delete it`,
        );
      }
      throw new UsageError(`--record: ${printable(messageOf(error))}`);
    }
  }

  /** Why a line could not be written, if so. The pull continues anyway. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Writes a line, unless an earlier one could not be written. */
  write(line: string): void {
    if (this.#problem !== undefined) return;
    const bytes = new TextEncoder().encode(line);
    try {
      for (let written = 0; written < bytes.length;) {
        written += this.#write(this.#descriptor, bytes, written);
      }
    } catch (error) {
      this.#problem = messageOf(error);
    }
  }

  /** Closes it. */
  close(): void {
    closeSync(this.#descriptor);
  }
}

function explainProblem({ path, problem = "" }: RecordingFile, { stderr }: CommandContext): number {
  const what = `The recording in ${printable(path)} is incomplete: ${printable(problem)}`;
  stderr.write(`error: ${what}. Free some space, and record again\n`);
  return EXIT.failure;
}

/** The server's version, or `undefined` if it does not answer in time. */
async function askVersion(
  { host, options }: PullTask,
  { fetch, sleep, signal }: CommandContext,
): Promise<string | undefined> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const limit = sleep(MANIFEST_TIMEOUT_MS, both).then(() => over.abort(), () => {});
  try {
    const response = await fetch(endpointOf(host, "/api/version").href, {
      method: "GET",
      headers: Object.fromEntries(headersFor(host, options.headers)),
      signal: both,
      redirect: "manual",
    });
    const { version } = await response.json();
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  } finally {
    over.abort();
    await limit;
  }
}
