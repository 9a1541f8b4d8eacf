/**
 * The time left, rounded as people say it: figures that change all the time tell them no more.
 *
 * @module
 */

import { isAmount } from "./amounts.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From how many seconds on a time says nothing: nobody waits for so long. */
const TOO_LONG = 100 * DAY;

/** To how many seconds a time is rounded, below how many. Each step goes into the next limit. */
const STEPS = [
  { below: 10, step: 1 },
  { below: MINUTE, step: 5 },
  { below: HOUR, step: MINUTE },
  { below: 10 * HOUR, step: 10 * MINUTE },
  { below: 2 * DAY, step: HOUR },
  { below: Infinity, step: DAY },
];

/** Rounds a time left in seconds. It is at least a second, as there is something left. */
export function roundTimeLeft(seconds: number | undefined): number | undefined {
  if (!isAmount(seconds) || seconds >= TOO_LONG) return undefined;
  const { step } = STEPS.find(({ below }) => seconds < below)!;
  return Math.max(1, Math.round(seconds / step) * step);
}
