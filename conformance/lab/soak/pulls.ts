/**
 * Pulls that are cancelled, fail and go on, and whose every snapshot is looked at.
 *
 * @module
 */

import {
  pull,
  PullError,
  type PullLayer,
  type PullOptions,
  type PullProgress,
} from "../../../mod.ts";
import type { Dice } from "../fuzz/dice.ts";

/** How a pull ended. */
export type Ending = "success" | "cancelled" | "refused";

/** What came of a pull. */
export interface PullResult {
  readonly ending: Ending;
  /** The bytes of the model that were there when it ended. */
  readonly completed: number;
}

/** A pull that broke a promise. */
export class BrokenPromise extends Error {
  /** Always `"BrokenPromise"`. */
  override readonly name = "BrokenPromise";
}

/** When a pull is cancelled: after so many snapshots, by its stream or by its signal, or never. */
export interface Cancelling {
  readonly by: "stream" | "signal" | "nobody";
  readonly afterSnapshots: number;
}

/** Decides by chance whether and when a pull is cancelled. */
export function decideCancelling(dice: Dice): Cancelling {
  const by = dice.pick(["stream", "signal", "nobody", "nobody", "nobody"] as const);
  return { by, afterSnapshots: dice.below(12) };
}

/** What a layer is known by. */
function keyOf({ digest, status }: PullLayer): string {
  return digest ?? `words: ${status}`;
}

/** Holds the snapshots of one pull to what is promised of them. */
export class Watch {
  #last: PullProgress | undefined;

  /** The latest snapshot. */
  get last(): PullProgress | undefined {
    return this.#last;
  }

  /**
   * Looks at the next snapshot.
   *
   * @throws {BrokenPromise} If it must not follow the one before, or is wrong in itself.
   */
  see(now: PullProgress): void {
    const { phase, completed, total, fraction, layers } = now;
    const before = this.#last;
    this.#last = now;
    if (fraction < 0 || fraction > 1) throw new BrokenPromise(`The fraction is ${fraction}`);
    if ((fraction === 1) !== (phase === "success")) {
      throw new BrokenPromise(`The fraction is ${fraction} at ${phase}`);
    }
    if (completed > total) throw new BrokenPromise(`There are ${completed} of ${total} bytes`);
    if (phase === "success" && layers.some(({ done }) => !done)) {
      throw new BrokenPromise("A layer is not done at success");
    }
    if (!before) return;
    if (before.phase === "success") throw new BrokenPromise("Something follows success");
    if (completed < before.completed) throw new BrokenPromise("completed falls");
    if (fraction < before.fraction) throw new BrokenPromise("The fraction falls");
    const later = new Map(layers.map((layer) => [keyOf(layer), layer.completed]));
    for (const layer of before.layers) {
      // A list that turns out to be of something else is dropped, with the layers that nothing came of.
      const completed = later.get(keyOf(layer)) ?? 0;
      if (completed < layer.completed) throw new BrokenPromise("A layer falls");
    }
  }
}

/** Pulls until the model is there, the pull is cancelled, or the server refuses to go on. */
export async function pullOnce(
  model: string,
  options: PullOptions,
  { by, afterSnapshots }: Cancelling,
): Promise<PullResult> {
  const watch = new Watch();
  const controller = new AbortController();
  const reason = new Error("enough");
  const reader = pull(model, { ...options, signal: controller.signal }).getReader();
  const result = (ending: Ending) => ({ ending, completed: watch.last?.completed ?? 0 });
  try {
    for (let snapshots = 0;; snapshots++) {
      if (by === "signal" && snapshots === afterSnapshots) controller.abort(reason);
      if (by === "stream" && snapshots === afterSnapshots) {
        await reader.cancel(reason);
        return result("cancelled");
      }
      const { done, value } = await reader.read();
      if (done) break;
      watch.see(value);
    }
  } catch (error) {
    if (error === reason) return result("cancelled");
    // What the server has said will not go away by itself.
    const isRefusal = error instanceof PullError &&
      (error.code === "server" || error.code === "malformed");
    if (isRefusal) return result("refused");
    throw error;
  }
  if (watch.last?.phase !== "success") throw new BrokenPromise("It ends without success");
  return result("success");
}
