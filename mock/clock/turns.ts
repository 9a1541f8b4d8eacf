/**
 * Runs code later: in a microtask, or in another turn of the event loop. Tests that fake timers (Vitest,
 * Jest) must not stop the mock.
 *
 * @module
 */

import { builtinModule } from "../runtime/builtin.ts";

interface Timers {
  setImmediate?: (run: () => void) => unknown;
  setTimeout: (run: () => void, milliseconds: number) => unknown;
}

// Taken when this module loads, because tests usually fake timers later. Jest's `fakeTimers: {
// enableGlobally: true }` has faked the globals by then, but the runtime's own module still has the real
// ones.
const { setImmediate, setTimeout }: Timers = builtinModule("node:timers") ??
  globalThis as unknown as Timers;

const settled = Promise.resolve();

/** Runs a function in a microtask: after the current code and the microtasks already queued. */
export const next: (run: () => void) => void = (run) => {
  void settled.then(run); // Jest fakes `queueMicrotask`, too
};

/** Runs a function in the next turn of the event loop. */
export const soon: (run: () => void) => void = setImmediate
  ? (run) => void setImmediate(run)
  : (run) => void setTimeout(run, 0);
