/**
 * Those who are told of changes.
 *
 * @module
 */

/** Is told of each change. */
export type Listener<Value> = (value: Value) => void;

/** Tells a listener. What it throws goes where the errors of event listeners go, and disturbs nobody else. */
export function tell<Value>(listener: Listener<Value>, value: Value): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
