/**
 * How long a client waits for something new.
 *
 * @module
 */

/** A limit that passes unless it is renewed in time. */
export interface TimeLimit {
  /** Aborts when the limit has passed. */
  readonly signal: AbortSignal;
  /** Starts the limit again, because something new has come. */
  readonly renew: () => void;
  /** Starts the limit again, because bytes have come, unless it is held. */
  readonly touch: () => void;
  /** Keeps bytes alone from starting the limit again, until something new comes. */
  readonly hold: () => void;
  /** Ends the limit: it does not pass any more. */
  readonly end: () => void;
}

/** Into how many parts a limit is cut. */
const PARTS = 10;

/**
 * Starts a limit. It passes in parts, one a turn of the event loop, so that a process that stands still on
 * a busy machine does not take that for silence of the server.
 */
export function startTimeLimit(limitMs: number): TimeLimit {
  const controller = new AbortController();
  let parts = 0;
  let isHeld = false;
  const timer = setInterval(() => {
    if (++parts < PARTS) return;
    clearInterval(timer);
    controller.abort(new Error("Nothing new has come for too long"));
  }, limitMs / PARTS);
  return {
    signal: controller.signal,
    renew() {
      isHeld = false;
      parts = 0;
    },
    touch() {
      if (!isHeld) parts = 0;
    },
    hold: () => isHeld = true,
    end: () => clearInterval(timer),
  };
}
