/**
 * Pulls models, one after the other, and reports how each pull ends.
 *
 * @module
 */

import {
  fetchManifest,
  type FetchManifestOptions,
  type ManifestLayer,
  modelState,
  PullError,
  pullModel,
  type PullModelOptions,
} from "../../mod.ts";
import { adviseOn, tryAgain } from "../advice.ts";
import { type CommandContext, EXIT, Interruption } from "../command.ts";
import { describeFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import { PullSummary } from "../summary.ts";
import { writeJsonFailure } from "../views/json_view.ts";
import { createView, type OutputForm } from "../views/progress_view.ts";

/** Pulls to run and show. */
export interface PullTask {
  /** The models' names. */
  readonly models: readonly string[];
  /** The address of the server. */
  readonly host: URL;
  /** What to write. */
  readonly form: OutputForm;
  /** How to pull. */
  readonly options: PullModelOptions;
  /** How to ask the registry for the layers of a model. `undefined` if it must not be asked. */
  readonly manifest?: Pick<FetchManifestOptions, "registry" | "insecure">;
  /** Whether to pull only models that the server lacks. @default {false} */
  readonly ifMissing?: boolean;
  /** Whether the server keeps what was downloaded. */
  readonly keepsBytes: boolean;
  /** A line that explains each retry, for a person. @default nothing */
  readonly retryNote?: string;
  /** Makes the requests of pulls. @default the context's `fetch` */
  readonly fetch?: CommandContext["fetch"];
  /** The command that pulls some of the models again. */
  again(models: readonly string[]): string;
}

/**
 * How long the registry may take to list the layers of a model, in milliseconds. The bars show what is known
 * meanwhile.
 */
export const MANIFEST_TIMEOUT_MS = 5_000;

/** How long the server may take to list its models, in milliseconds. */
const LIST_TIMEOUT_MS = 60_000;

/** Pulls models and resolves to the exit code. */
export async function runPulls(task: PullTask, context: CommandContext): Promise<number> {
  return await new PullRun(task, context).run();
}

class PullRun {
  readonly #task: PullTask;
  readonly #context: CommandContext;
  /** The models that are not pulled yet: failed ones, and those still to come. */
  readonly #left: Set<string>;

  constructor(task: PullTask, context: CommandContext) {
    this.#task = task;
    this.#context = context;
    this.#left = new Set(task.models);
  }

  async run(): Promise<number> {
    const { signal } = this.#context;
    for (const model of this.#left) {
      const summary = new PullSummary(model, this.#context.now);
      try {
        if (await this.#isThere(model)) {
          this.#left.delete(model);
          this.#write(`${printable(model)}: already there\n`);
          continue;
        }
        await this.#pull(model, summary);
      } catch (error) {
        if (signal.aborted) return this.#explainEnd(model);
        // If no connection can be made now, the remaining models would fail as well.
        const isHopeless = error instanceof PullError && error.code === "network" &&
          !summary.hasBegun;
        this.#explainFailure(error, model, isHopeless ? this.#left : [model], summary);
        if (isHopeless) break;
        continue;
      }
      this.#left.delete(model);
      this.#write(`${summary}\n`);
    }
    return this.#left.size === 0 ? EXIT.success : EXIT.failure;
  }

  /** Whether the server has a model that should be pulled only if it is missing. */
  async #isThere(model: string): Promise<boolean> {
    const { host, ifMissing = false, options: { headers } } = this.#task;
    if (!ifMissing) return false;
    const { fetch, signal, sleep } = this.#context;
    const asked = { host, headers, fetch, signal, sleep, timeoutMs: LIST_TIMEOUT_MS };
    try {
      return await modelState(model, asked) !== "missing";
    } catch (error) {
      // Ignore the error: the pull reports it, and retries, since the server may just be starting.
      if (error instanceof PullError) return false;
      throw error;
    }
  }

  async #pull(model: string, summary: PullSummary): Promise<void> {
    const { models, host, form, options, retryNote, fetch = this.#context.fetch } = this.#task;
    const { signal, now, sleep } = this.#context;
    const ended = new AbortController();
    if (models.length > 1) this.#write(`${printable(model)}\n`);
    const opening = `connecting to ${host.origin}`;
    const view = await createView(this.#context, { model, form, opening });
    try {
      await pullModel(model, {
        layers: this.#fetchLayers(model, AbortSignal.any([signal, ended.signal])),
        ...options,
        host,
        fetch,
        signal,
        now,
        sleep,
        onProgress: (progress) => {
          summary.add(progress);
          view.show(progress);
        },
        onRetry: (retry) => {
          summary.addRetry();
          view.retry(retry);
          if (retryNote !== undefined) view.note(retryNote);
        },
      });
    } finally {
      ended.abort();
      view.end();
    }
  }

  /** The layers of a model from its registry. Empty, without a message, if they are not available. */
  async #fetchLayers(model: string, signal: AbortSignal): Promise<readonly ManifestLayer[]> {
    const { manifest } = this.#task;
    if (!manifest) return [];
    const { fetch, sleep } = this.#context;
    const options = { ...manifest, fetch, sleep, signal, timeoutMs: MANIFEST_TIMEOUT_MS };
    return await fetchManifest(model, options).then(({ layers }) => layers, () => []);
  }

  /** Says why a pull has failed, and how to pull some models again. */
  #explainFailure(
    error: unknown,
    model: string,
    left: Iterable<string>,
    summary: PullSummary,
  ): void {
    const { models, host, form, keepsBytes, again } = this.#task;
    const hasBytes = summary.hasBytes && keepsBytes;
    const attempt = { model, host, again: again([...left]), hasBytes };
    if (form === "json") {
      const advice = error instanceof PullError ? adviseOn(error, attempt) : "Please report it";
      writeJsonFailure(this.#context.stdout, { model, error, advice });
    }
    const name = models.length > 1 ? `${printable(model)}: ` : "";
    this.#context.stderr.write(`error: ${name}${describeFailure(error, attempt)}\n`);
  }

  /** Says how to continue after an interruption, and returns the exit code. */
  #explainEnd(model: string): number {
    const { form, keepsBytes, again } = this.#task;
    const { stdout, stderr, signal: { reason } } = this.#context;
    if (!(reason instanceof Interruption)) throw reason;
    if (reason.exitCode === EXIT.outputClosed) return reason.exitCode;
    const advice = tryAgain({ again: again([...this.#left]), hasBytes: keepsBytes });
    if (form === "json") writeJsonFailure(stdout, { model, error: reason, advice });
    stderr.write(`Cancelled. ${advice}\n`);
    return reason.exitCode;
  }

  /** Writes a line for a person who follows the pulls. */
  #write(line: string): void {
    if (this.#task.form === "suitable") this.#context.stdout.write(line);
  }
}
