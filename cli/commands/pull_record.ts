/**
 * `pull --record`: stores what arrives in a new file.
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

/** Pulls models, stores what arrives in a file, and resolves to the exit code. */
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

/** Pulls models by a recorder, which writes nothing after that. */
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

/** Writes bytes to a file, from an offset in them on, and returns how many it has written. */
type WriteBytes = (descriptor: number, bytes: Uint8Array, offset: number) => number;

/** A new file that is written line by line, so that what was recorded is there whatever comes next. */
export class RecordingFile {
  /** Where it is. */
  readonly path: string;
  readonly #descriptor: number;
  readonly #write: WriteBytes;
  #problem: string | undefined;

  /**
   * Makes the file.
   *
   * @param path Where it is to be.
   * @param write Writes bytes to a file.
   * @throws {UsageError} If it cannot be made, or is there already: what somebody recorded is not lost.
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
          `--record: ${shown} is there already: name another file, or remove it`,
        );
      }
      throw new UsageError(`--record: ${printable(messageOf(error))}`);
    }
  }

  /** Why a line could not be written, if one could not. The pull goes on all the same. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Writes a line, unless one before could not be written. */
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
  const what = `The recording in ${printable(path)} is not whole: ${printable(problem)}`;
  stderr.write(`error: ${what}. Make room, and record again\n`);
  return EXIT.failure;
}

/** The version of the server, as it tells it, or `undefined` if it does not within a time. */
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
