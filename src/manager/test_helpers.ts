/**
 * What the tests of this folder share.
 *
 * @module
 */

import { stub } from "@std/testing/mock";
import type { PullProgress } from "../snapshot.ts";

/** A snapshot of a download of so many bytes, out of a hundred unless told. */
export function progressAt(completed: number, more: Partial<PullProgress> = {}): PullProgress {
  const total = more.total ?? 100;
  return {
    phase: completed < total ? "downloading" : "success",
    status: "",
    completed,
    total,
    totalIsKnown: true,
    fraction: completed / total,
    layers: [],
    ...more,
  };
}

/** The errors that are reported while some work is done, as those of event listeners are. */
export async function reportedErrors(work: () => unknown): Promise<unknown[]> {
  const errors: unknown[] = [];
  using _ = stub(globalThis, "queueMicrotask", (report: () => void) => {
    try {
      report();
    } catch (error) {
      errors.push(error);
    }
  });
  await work();
  return errors;
}

/** Has everything collected that nothing holds any more. Where a runtime cannot, the test means nothing. */
export async function collectGarbage(): Promise<boolean> {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  const collect = Bun ? () => Bun.gc(true) : gc;
  if (!collect) return false;
  for (let turn = 0; turn < 3; turn++) {
    // What a weak reference has given is held until the turn of the event loop ends.
    await new Promise((resolve) => setTimeout(resolve));
    collect();
  }
  return true;
}
