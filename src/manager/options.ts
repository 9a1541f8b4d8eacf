/**
 * The options of {@link PullManager}.
 *
 * @module
 */

import type { EnsureModelOptions } from "../pull/model_state_options.ts";
import type { PullOptions } from "../pull/options.ts";
import type { PullProgress } from "../snapshot.ts";

/** The options that a {@link StartPull} is called with. */
export interface StartPullOptions extends PullOptions {
  /** Makes the requests, including those of {@link ensureModel}. */
  fetch?: EnsureModelOptions["fetch"];
  /** Aborts when the pull is cancelled, however it is cancelled. */
  signal: AbortSignal;
}

/** Begins a pull when it is its turn, as {@link pull} and {@link ensureModel} do. */
export type StartPull = (
  model: string,
  options: StartPullOptions,
) => ReadableStream<PullProgress> | PromiseLike<ReadableStream<PullProgress>>;

/** Options of {@link PullManager.start}. Those of `pull` mean what they mean there. */
export interface PullStartOptions extends PullOptions {
  /**
   * Makes the requests: the runtime's `fetch`, a mock's, or one with a proxy or logging. It is called with
   * the URL and the options, whose `headers` are a plain object. If the option `pull` is `ensureModel`, it
   * also gets the requests of `ensureModel`.
   *
   * @default {fetch}
   */
  fetch?: EnsureModelOptions["fetch"];
  /**
   * Begins the pull, instead of `pull`: `ensureModel`, or a function that asks your app's own endpoint. It is
   * called when it is the pull's turn, with the options of the manager and of this pull. If it throws, the
   * pull fails with that error.
   *
   * @default {pull}
   */
  pull?: StartPull | undefined;
  /**
   * How long the pull goes on after the last watcher of its hub has left, in milliseconds; see
   * {@link PullHubOptions.lingerMs}.
   *
   * @default {Infinity}
   */
  lingerMs?: number | undefined;
}

/** Options of {@link PullManager}. Those of {@link PullStartOptions} are the defaults of all pulls. */
export interface PullManagerOptions extends Omit<PullStartOptions, "layers"> {
  /**
   * How many pulls may run at the same time, over all servers. The rest wait, in the order of their starts.
   *
   * @default {Infinity}
   */
  maxConcurrent?: number | undefined;
  /**
   * The least time between two calls of a listener, in milliseconds, and so the longest delay before a change
   * is reported.
   *
   * @default {100}
   */
  updateEveryMs?: number | undefined;
}

/** Identifies a server. */
export interface PullServer {
  /**
   * The address of the server, as people write it; see {@link parseHost}. If it is empty or absent, that
   * of the manager's options is used.
   */
  host?: string | URL | undefined;
}
