/**
 * A pull of what a server does not have: the state of the model is asked for first.
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
 * Pulls a model unless the server has it. With `update`, it pulls as well what the server has but is not
 * known to be `current`, as {@link modelState} tells: an old version, and one of which nothing is known
 * since the registry does not answer here. The stream is that of {@link pull}; where there is nothing to
 * do, it has one snapshot, `success`, whose `layers` are empty unless the registry has told them.
 *
 * The server is asked when the stream is first read, and whatever is asked ends with the stream: when it is
 * cancelled, or `signal` aborts. A failure is retried as `pull` would retry it.
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

/** Whether a model is to be pulled, which is found out once. */
class Need {
  readonly #model: string;
  readonly #options: EnsureModelOptions;
  /** The layers of the model, once the registry has told them. */
  readonly layers: Promise<readonly LayerSize[]>;
  #tellLayers!: (layers: readonly LayerSize[]) => void;
  /** Whether it is known that the model is to be pulled. */
  isKnown = false;

  constructor(model: string, options: EnsureModelOptions) {
    this.#model = model;
    this.#options = options;
    this.layers = new Promise((resolve) => this.#tellLayers = resolve);
  }

  /** How to ask the server, until a signal aborts. */
  optionsWith(signal: AbortSignal): ModelStateOptions {
    return { ...this.#options, signal };
  }

  /** The snapshot of a pull that need not be made, if that is so. */
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

  /** What the registry has; nothing, if it cannot be asked here: the server may get an answer. */
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

/** An attempt to pull, before which it is found out whether that is needed. */
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

/** The only snapshot of a model that is there. */
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
