/**
 * Clients that are wrong about time: order, cancelling, limits.
 *
 * @module
 */

import type { ClientRun } from "../../../client/subject.ts";
import {
  FINAL_STATUSES,
  type PullObject,
  pullWith,
  RIGHT_PARTS,
  watchFor,
} from "./right_client.ts";
import { type StrangerClient, strangerOf, withStatuses } from "./specimen.ts";
import type { TimeLimit } from "./time_limit.ts";

/** Ends the time limit, which not every client has. */
function withoutLimit(limit: TimeLimit): () => void {
  limit.end();
  return () => {};
}

/** Hands an abort on until the final phases begin. */
async function pullDeafAtTheEnd(run: ClientRun): Promise<void> {
  const controller = new AbortController();
  const abort = () => controller.abort(run.signal.reason);
  run.signal.addEventListener("abort", abort, { once: true });
  if (run.signal.aborted) abort();
  await pullWith({ watch: withoutLimit })({
    ...run,
    signal: controller.signal,
    onUpdate(update) {
      const { status } = update as PullObject;
      if (FINAL_STATUSES.includes(status)) run.signal.removeEventListener("abort", abort);
      run.onUpdate(update);
    },
  });
}

/** Reports phases at once, and downloads together, when the program has time for them. */
async function pullInBatches(run: ClientRun): Promise<void> {
  let batch: unknown[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const updates = batch;
    batch = [];
    updates.forEach(run.onUpdate);
  };
  const onUpdate = (update: unknown) => {
    if ((update as PullObject).digest === undefined) return run.onUpdate(update);
    batch.push(update);
    timer ??= setTimeout(flush);
  };
  await pullWith()({ ...run, onUpdate }).finally(flush);
}

/** Clients that are wrong about time: order, cancelling, limits. */
export const timeClients: readonly StrangerClient[] = [
  strangerOf(
    {
      name: "cannot be cancelled once the final phases have begun",
      breaks: "C-CANCEL-1: a cancelled pull closes its connection soon, and ends",
      how:
        "The user leaves while a large model is verified, which takes minutes: the window hangs.",
      difficulty: "hard",
    },
    pullDeafAtTheEnd,
    { timeLimitMs: undefined },
  ),

  withStatuses({
    name: "has no time limit once the final phases have begun",
    breaks: "C-TIME-1: a server that goes silent does not hang a client with a time limit",
    how: "The connection is lost while a large model is verified: the client waits for ever.",
    difficulty: "hard",
  }, {
    watch(limit) {
      const watch = RIGHT_PARTS.watch(limit);
      return (object) => {
        watch(object);
        if (FINAL_STATUSES.includes(object.status)) limit.end();
      };
    },
  }),

  withStatuses({
    name: "takes two layers that stand still for progress",
    breaks: "C-TIME-2: a stuck download does not hang a client with a time limit",
    how:
      "Layers run in parallel and both stall: their lines take turns, so each line differs from " +
      "the one before.",
    difficulty: "hard",
  }, {
    watch: watchFor(() => {
      let newest = "";
      return (object) => {
        const before = newest;
        newest = JSON.stringify(object);
        return newest !== before;
      };
    }),
  }),

  strangerOf({
    name: "reports downloads in batches, which phases overtake",
    breaks: "C-FRAME-1: every object of the stream is reported, in order",
    how: "State is set together, as in React, but for phases: the bar goes back from verifying.",
    difficulty: "easy",
  }, pullInBatches),
];
