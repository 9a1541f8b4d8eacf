/**
 * When code runs next: at once, or in another turn of the event loop.
 *
 * @module
 */

interface Scheduler {
  setImmediate?: (run: () => void) => unknown;
  setTimeout: (run: () => void, milliseconds: number) => unknown;
  queueMicrotask: (run: () => void) => void;
}

// Taken when this module loads. A test that fakes timers, as those of Vitest and Jest do, replaces them later,
// and does not mean to stop the mock.
const { setImmediate, setTimeout, queueMicrotask }: Scheduler = globalThis as unknown as Scheduler;

/** Runs a function once the code that runs now, and what waits for it already, has run. */
export const next: (run: () => void) => void = (run) => queueMicrotask(run);

/** Runs a function in the next turn of the event loop. */
export const soon: (run: () => void) => void = setImmediate
  ? (run) => void setImmediate(run)
  : (run) => void setTimeout(run, 0);
