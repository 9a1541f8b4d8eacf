/**
 * A signal that knows who listens to it: whoever still does at the end was forgotten.
 *
 * @module
 */

/** An `AbortController` whose signal counts its listeners. */
export class ListenedController extends AbortController {
  readonly #listeners = new Set<unknown>();

  constructor() {
    super();
    const { signal } = this;
    const listeners = this.#listeners;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => {
      const [, listener, options] = parameters;
      listeners.add(listener);
      // How a listener goes when its own signal aborts cannot be seen in every runtime.
      const { signal: gone } = Object(options) as AddEventListenerOptions;
      gone?.addEventListener("abort", () => listeners.delete(listener));
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
      listeners.delete(parameters[1]);
      remove(...parameters);
    };
  }

  /** How many listen to the signal, and may yet be called. */
  get listeners(): number {
    return this.signal.aborted ? 0 : this.#listeners.size;
  }
}
