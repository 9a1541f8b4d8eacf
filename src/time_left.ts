/**
 * Rounds the time left as people would: digits that change all the time are of no use to them.
 *
 * @module
 */

import { isAmount } from "./amounts.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From this many seconds on, no time is shown: nobody waits that long. */
const TOO_LONG = 100 * DAY;

/** Times below each limit are rounded to this step, in seconds. Each step divides its limit. */
const STEPS = [
  { below: 10, step: 1 },
  { below: MINUTE, step: 5 },
  { below: HOUR, step: MINUTE },
  { below: 10 * HOUR, step: 10 * MINUTE },
  { below: 2 * DAY, step: HOUR },
  { below: Infinity, step: DAY },
];

/** Rounds a time left, in seconds. The result is at least 1, because something is left to do. */
export function roundTimeLeft(seconds: number | undefined): number | undefined {
  if (!isAmount(seconds) || seconds >= TOO_LONG) return undefined;
  const { step } = STEPS.find(({ below }) => seconds < below)!;
  return Math.max(1, Math.round(seconds / step) * step);
}
