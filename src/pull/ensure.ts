/**
 * Pulls a model only if the server does not have it: checks first.
 *
 * @module
 */

import { PullError } from "../errors.ts";
import type { LayerSize, PullProgress } from "../snapshot.ts";
import type { Producer } from "../streams/producer.ts";
import type { PullStream } from "../streams/pull_stream.ts";
import type { Emit } from "../streams/step.ts";
import { fetchManifestDocument, readManifest } from "./manifest.ts";
import { compareModel, registryOptions } from "./model_state.ts";
import type { EnsureModelOptions, ModelStateOptions } from "./model_state_options.ts";
import { startPull } from "./pull.ts";
import { type ListedModel, ServerClient } from "./server.ts";

/**
 * Pulls a model unless the server has it. With `update`, it also pulls a model that the server has but that
 * is not known to be `current` (see {@link modelState}): an outdated one, or one that cannot be compared
 * because the registry does not answer. The stream is that of {@link pull}. If there is nothing to do, it
 * has one snapshot, `success`, whose `layers` are empty unless the registry was asked for them.
 *
 * The server is asked when the stream is first read. Cancelling the stream or aborting `signal` ends all
 * requests. A failure is retried as `pull` would retry it.
 *
 * ```ts
 * import { ensureModel } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const { client } = createMockServer({ installed: ["llama3.2"] });
 * for await (const { phase, fraction } of ensureModel("llama3.2", client)) {
 *   console.log(phase, `${Math.floor(fraction * 100)} %`); // only "success 100 %"
 * }
 * ```
 *
 * @param model The model's name: `[host[:port]/][namespace/]name[:tag]`.
 * @param options Where to pull from, and how.
 * @return The progress.
 * @throws {TypeError} If the model is not a name, or the host, a header or a layer cannot be used.
 * @throws {RangeError} If `maxLineBytes`, `maxBytes` or `timeoutMs` is not above 0.
 */
export function ensureModel(
  model: string,
  options: EnsureModelOptions = {},
): PullStream<PullProgress> {
  const need = new Need(model, options);
  const pullOptions = { ...options, layers: options.layers ?? need.layers, stream: true };
  return startPull(
    model,
    pullOptions,
    (attempt, signal) => new CheckedAttempt(need, attempt, signal),
  );
}

/** Whether a model needs to be pulled, which is determined once. */
class Need {
  readonly #model: string;
  readonly #options: EnsureModelOptions;
  /** The layers of the model, once the registry has listed them. */
  readonly layers: Promise<readonly LayerSize[]>;
  #tellLayers!: (layers: readonly LayerSize[]) => void;
  /** Whether the check is done: later attempts need not repeat it. */
  isKnown = false;

  constructor(model: string, options: EnsureModelOptions) {
    this.#model = model;
    this.#options = options;
    this.layers = new Promise((resolve) => this.#tellLayers = resolve);
  }

  /** The options for asking the server, with a signal. */
  optionsWith(signal: AbortSignal): ModelStateOptions {
    return { ...this.#options, signal };
  }

  /** The only snapshot, if there is nothing to pull; otherwise `undefined`. */
  async ask(server: ServerClient, signal: AbortSignal): Promise<PullProgress | undefined> {
    const listed = await server.run(() => server.find(this.#model));
    const success = listed && await this.#successOf(server, listed, signal);
    this.isKnown = true;
    return success;
  }

  async #successOf(
    server: ServerClient,
    listed: ListedModel,
    signal: AbortSignal,
  ): Promise<PullProgress | undefined> {
    if (!this.#options.update) return successOf([], listed.size);
    const document = await this.#fetchManifest(signal);
    if (!document) return undefined;
    const { layers, size } = readManifest(document);
    const state = await server.run(() => compareModel(server, listed, document));
    if (state === "current") return successOf(layers, size);
    this.#tellLayers(layers);
    return undefined;
  }

  /** The registry's manifest; `undefined` if it cannot be had from here, where the server may still get it. */
  async #fetchManifest(signal: AbortSignal) {
    try {
      return await fetchManifestDocument(this.#model, registryOptions(this.optionsWith(signal)));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof PullError) return undefined;
      throw error;
    }
  }
}

/** An attempt to pull that first checks whether it is needed. */
class CheckedAttempt implements Producer<PullProgress> {
  readonly #need: Need;
  readonly #attempt: Producer<PullProgress>;
  readonly #signal: AbortSignal;
  readonly #server: ServerClient;
  #success: PullProgress | undefined;

  constructor(need: Need, attempt: Producer<PullProgress>, signal: AbortSignal) {
    this.#need = need;
    this.#attempt = attempt;
    this.#signal = signal;
    this.#server = new ServerClient(need.optionsWith(signal));
  }

  async read(): Promise<unknown> {
    if (!this.#need.isKnown) this.#success = await this.#need.ask(this.#server, this.#signal);
    return this.#success ?? await this.#attempt.read();
  }

  take(input: unknown, emit: Emit<PullProgress>): boolean {
    if (!this.#success) return this.#attempt.take(input, emit);
    emit(this.#success);
    return false;
  }

  fail(error: unknown): void {
    this.#attempt.fail(error);
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#attempt.cancel(reason);
  }
}

/** The only snapshot for a model that the server already has. */
function successOf(layers: readonly LayerSize[], size: number | undefined): PullProgress {
  return {
    phase: "success",
    status: "success",
    completed: size ?? 0,
    total: size ?? 0,
    totalIsKnown: size !== undefined,
    fraction: 1,
    layers: layers.map(({ digest, size }) => ({
      digest,
      total: size,
      completed: size,
      done: true,
    })),
  };
}
