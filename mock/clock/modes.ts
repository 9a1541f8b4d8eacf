/**
 * Clocks by name.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { realClock } from "./real.ts";
import { SteppedClock } from "./stepped.ts";
import { VirtualClock } from "./virtual.ts";

/** What makes the clock of each name. */
const CLOCKS = {
  /** The time of the machine. */
  real: (): Clock => realClock,
  /** A time that passes at once. */
  virtual: (): Clock => new VirtualClock(),
  /** A time that is moved step by step. */
  step: (): Clock => new SteppedClock(),
};

/** The name of a clock. */
export type ClockMode = keyof typeof CLOCKS;

/** The names of clocks. */
export const clockModes = Object.keys(CLOCKS) as readonly ClockMode[];

/** A clock of a name. */
export function clockOf(mode: ClockMode): Clock {
  return CLOCKS[mode]();
}

/** The name of a clock, or `"custom"` if it is one of somebody else. */
export function modeOf(clock: Clock): ClockMode | "custom" {
  if (clock === realClock) return "real";
  if (clock instanceof SteppedClock) return "step";
  return clock instanceof VirtualClock ? "virtual" : "custom";
}
