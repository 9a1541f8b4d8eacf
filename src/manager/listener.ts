/**
 * Listeners for changes.
 *
 * @module
 */

/** Called with each change. */
export type Listener<Value> = (value: Value) => void;

/** Calls a listener. An error that it throws is reported like that of an event listener, and affects nobody else. */
export function tell<Value>(listener: Listener<Value>, value: Value): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
