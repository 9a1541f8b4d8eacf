/**
 * The downloads of a service, in Node, Deno or Bun: one per model for any number of callers, and updates about
 * all of them for everyone connected.
 *
 * @module
 */

import {
  type EnsureModelOptions,
  formatProgress,
  modelState,
  PullError,
  PullManager,
} from "@ollama-pull/kit";

/** The result of a download, for a remote caller. */
export interface Result {
  readonly ok: boolean;
  readonly message: string;
  /** Whether another attempt may succeed. */
  readonly mayRetry: boolean;
}

/**
 * Makes a service.
 *
 * @param broadcast Sends updates to everyone connected. Called at most every 500 ms.
 * @param options Where Ollama is, and how to reach it.
 */
export function createDownloads(
  broadcast: (news: object[]) => void,
  options: EnsureModelOptions = {},
) {
  const manager = new PullManager({ ...options, updateEveryMs: 500 });
  manager.subscribe(({ entries }) => {
    broadcast(entries.map(({ model, state, progress }) => (
      { model, state, ...(progress && formatProgress(progress)) }
    )));
  });

  async function download(model: string): Promise<Result> {
    try {
      if (await modelState(model, options) !== "missing") {
        return { ok: true, message: `${model} is already installed`, mayRetry: false };
      }
      await manager.start(model).done;
      return { ok: true, message: `${model} is installed`, mayRetry: false };
    } catch (error) {
      const mayRetry = PullError.from(error)?.retryable ?? false;
      return { ok: false, message: (error as Error).message, mayRetry };
    }
  }
  return { download, cancel: manager.cancel };
}
