/**
 * Measures how long this process was not running, because that alone may make things late.
 *
 * @module
 */

import { builtinModule } from "../../../mock/runtime/builtin.ts";

/** A measurement in progress. */
export interface Lag {
  /** Ends it. Returns the longest time without progress, in milliseconds. */
  readonly stop: () => number;
}

const TICK_MS = 50;

const measurements = new Set<{ worstMs: number }>();
let stopTicking: (() => void) | undefined;
let lastTick = 0;

function tick(): void {
  const now = performance.now();
  const lateMs = now - lastTick - TICK_MS;
  lastTick = now;
  for (const measurement of measurements) {
    measurement.worstMs = Math.max(measurement.worstMs, lateMs);
  }
}

/** Starts measuring. All measurements share one timer. */
export function measureLag(): Lag {
  const measurement = { worstMs: 0 };
  if (measurements.size === 0) {
    lastTick = performance.now();
    // Its timer can be kept from holding the process open, in each runtime that has processes.
    const timer = builtinModule("node:timers")?.setInterval(tick, TICK_MS);
    timer?.unref();
    stopTicking = () => timer?.[Symbol.dispose]();
  }
  measurements.add(measurement);
  return {
    stop() {
      if (measurements.size > 0) tick();
      measurements.delete(measurement);
      if (measurements.size === 0) stopTicking?.();
      return measurement.worstMs;
    },
  };
}
