/**
 * Waiting on the runtime's clock.
 *
 * @module
 */

/** The longest delay that `setTimeout` supports; a longer one fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits for a number of milliseconds, or rejects with the reason of the signal when that aborts. */
export function sleepOnTimer(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    let timer: ReturnType<typeof setTimeout>;
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const wait = (left: number) => {
      const part = Math.min(left, LONGEST_TIMER_MS);
      timer = setTimeout(() => {
        if (left > part) return wait(left - part);
        signal.removeEventListener("abort", abort);
        resolve();
      }, part);
    };
    signal.addEventListener("abort", abort);
    wait(milliseconds);
  });
}
