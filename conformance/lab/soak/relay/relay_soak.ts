/**
 * Shows pulls to crowds through a relay over real HTTP, while everything around the relay goes wrong. Whatever
 * happens, no viewer may see progress fall, each must see the pull's end, and nothing may be left open.
 *
 * @module
 */

import { realClock } from "../../../../mock/mod.ts";
import { Dice } from "../../fuzz/dice.ts";
import { Deck, type RelayCounts, Round } from "./round.ts";
import { type OpenOnStage, Stage } from "./stage.ts";
import { Tally } from "./tally.ts";

/** How long it may take until nothing is open when all have ended, in milliseconds. */
const CLOSING_MS = 15_000;
const LOOK_EVERY_MS = 10;
/** In how many looks in a row nothing may be open: between two waits of a loop, no wait is open either. */
const LOOKS_IN_A_ROW = 20;

/** What has happened, with what the stage has counted. */
export interface RelaySoakCounts extends RelayCounts {
  readonly faults: Tally;
  readonly pulls: number;
  readonly connections: number;
}

/** What came of it. */
export interface RelaySoakResult {
  readonly counts: RelaySoakCounts;
  /** What broke that must not. */
  readonly failures: readonly string[];
  /** What was still open some time after all had ended. */
  readonly open: OpenOnStage;
}

/** Options of {@link soakRelay}. */
export interface RelaySoakOptions {
  readonly seed: number;
  /** How many viewers come to each pull at its beginning, and in a flood. */
  readonly crowd: number;
  /** How many pulls there are at once. */
  readonly pullsAtOnce: number;
  /** Whether that was enough. Asked before each round. */
  readonly isEnough: (counts: RelayCounts) => boolean;
}

/** Plays round after round until it was enough. */
export async function soakRelay(options: RelaySoakOptions): Promise<RelaySoakResult> {
  const { seed, crowd, pullsAtOnce, isEnough } = options;
  const counts: RelayCounts = {
    rounds: 0,
    viewers: 0,
    sleepers: 0,
    snapshots: 0,
    strikes: new Tally(),
    reconnects: new Tally(),
    ends: new Tally(),
  };
  const failures: string[] = [];
  // One crowd may be there in full, and each flood finds the house full.
  await using stage = await Stage.set(seed, crowd * pullsAtOnce, new Dice(seed, "stage"));
  const playOn = async (lane: number): Promise<void> => {
    const deck = new Deck(new Dice(seed, "deck", lane));
    for (let number = 0; !isEnough(counts) && failures.length === 0; number++) {
      const model = `m${lane}-${number}`;
      const keys = [seed, lane, number];
      failures.push(...await new Round({ stage, model, crowd, deck, keys, counts }).play());
    }
  };
  await Promise.all(Array.from({ length: pullsAtOnce }, (_, lane) => playOn(lane)));
  const open = await openInTheEnd(stage);
  const { faults, pulls, connections } = stage;
  return { counts: { ...counts, faults, pulls, connections }, failures, open };
}

/** What stays open: both sides notice a little later that the other one has left. */
async function openInTheEnd(stage: Stage): Promise<OpenOnStage> {
  const deadline = realClock.now() + CLOSING_MS;
  let open = stage.open;
  for (let looks = 0; looks < LOOKS_IN_A_ROW && realClock.now() < deadline; looks++) {
    await realClock.sleep(LOOK_EVERY_MS);
    const seen = stage.open;
    if (Object.values(seen).every((count) => count === 0)) continue;
    open = seen;
    looks = -1;
  }
  return realClock.now() < deadline ? stage.open : open;
}
