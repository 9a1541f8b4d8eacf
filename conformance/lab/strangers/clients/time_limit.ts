/**
 * The limit on how long a client waits for news.
 *
 * @module
 */

/** A limit that passes unless it is renewed in time. */
export interface TimeLimit {
  /** Aborts when the limit has passed. */
  readonly signal: AbortSignal;
  /** Restarts the limit, because there is news. */
  readonly renew: () => void;
  /** Restarts the limit, because bytes have arrived, unless it is held. */
  readonly touch: () => void;
  /** Holds the limit: bytes alone do not restart it until there is news. */
  readonly hold: () => void;
  /** Cancels the limit. */
  readonly end: () => void;
}

/** How many parts a limit is divided into. */
const PARTS = 10;

/**
 * Starts a limit. It passes in parts, one per turn of the event loop, so that a process that is suspended on
 * a busy machine does not mistake that for silence of the server.
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
