/**
 * When code runs next: at once, or in another turn of the event loop. A test that fakes timers, as those of
 * Vitest and Jest do, does not mean to stop the mock.
 *
 * @module
 */

import { builtinModule } from "../runtime/builtin.ts";

interface Timers {
  setImmediate?: (run: () => void) => unknown;
  setTimeout: (run: () => void, milliseconds: number) => unknown;
}

// Taken when this module loads: timers are mostly faked later. Where Jest has faked those of the test before,
// as with `fakeTimers: { enableGlobally: true }`, the runtime's module still has the real ones.
const { setImmediate, setTimeout }: Timers = builtinModule("node:timers") ??
  globalThis as unknown as Timers;

const settled = Promise.resolve();

/** Runs a function once the code that runs now, and what waits for it already, has run. */
export const next: (run: () => void) => void = (run) => {
  void settled.then(run); // Jest fakes `queueMicrotask`, too
};

/** Runs a function in the next turn of the event loop. */
export const soon: (run: () => void) => void = setImmediate
  ? (run) => void setImmediate(run)
  : (run) => void setTimeout(run, 0);
