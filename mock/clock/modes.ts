/**
 * Clocks by name.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { realClock } from "./real.ts";
import { SteppedClock } from "./stepped.ts";
import { VirtualClock } from "./virtual.ts";

/** Makes a clock, by name. */
const CLOCKS = {
  /** The machine's clock. */
  real: (): Clock => realClock,
  /** Waits end at once. */
  virtual: (): Clock => new VirtualClock(),
  /** Time moves only when it is told to. */
  step: (): Clock => new SteppedClock(),
};

/** The name of a built-in clock. */
export type ClockMode = keyof typeof CLOCKS;

/** The names of all built-in clocks. */
export const clockModes = Object.keys(CLOCKS) as readonly ClockMode[];

/** The clock with a name. */
export function clockOf(mode: ClockMode): Clock {
  return CLOCKS[mode]();
}

/** The name of a clock, or `"custom"` if it is not a built-in one. */
export function modeOf(clock: Clock): ClockMode | "custom" {
  if (clock === realClock) return "real";
  if (clock instanceof SteppedClock) return "step";
  return clock instanceof VirtualClock ? "virtual" : "custom";
}
