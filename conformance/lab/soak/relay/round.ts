/**
 * One pull, the crowd that watches it, and what goes wrong meanwhile:
 *
 *     crowd comes ──▶ pull gets on ──▶ strike ──▶ pull gets on ──▶ strike ──▶ … ──▶ all have ended
 *
 * What strikes, and how far the pull is by then, follows from the seed. The first of the crowd, which stays to
 * the end, sees how far the pull is.
 *
 * @module
 */

import { realClock } from "../../../../mock/mod.ts";
import { PullError, type PullProgress } from "../../../../mod.ts";
import { cancelPull } from "../../../../src/relay/mod.ts";
import { Dice } from "../../fuzz/dice.ts";
import { describeError, orHang } from "../hang.ts";
import { ONE_REQUEST_A_CONNECTION, type Stage, type Strike, STRIKES } from "./stage.ts";
import type { Tally } from "./tally.ts";
import { decideHabit, type Sight, Viewer, type ViewerCounts } from "./viewer.ts";

/** What the crowd does at once. */
const CROWD_STRIKES = [
  "half of the viewers leave",
  "all viewers leave",
  "a flood of viewers",
  "cancelled",
] as const;

type AnyStrike = Strike | typeof CROWD_STRIKES[number];

/** All that may happen. */
export const ALL_STRIKES: readonly AnyStrike[] = [...STRIKES, ...CROWD_STRIKES];

const MOST_STRIKES = 4;
const LATEST_PERCENT = 90;
const LEAST_BYTES = 1_000_000_000;
const MOST_BYTES = 3_000_000_000;
/** One viewer in so many never reads. */
const SLEEPERS = 8;
/** One viewer in so many starts the pull, if it does not run. */
const STARTERS = 8;
/** How long something may take before it counts as hanging, in milliseconds of the stage. */
const HANG_MS = 3_000_000;
/** How long the relay may take to notice that its last viewer has left, in milliseconds of the stage. */
const NOTICE_MS = 500_000;
/** How often to look whether the relay has noticed that all have left, in milliseconds. */
const LOOK_EVERY_MS = 5;

/** What is counted over all rounds. */
export interface RelayCounts extends ViewerCounts {
  /** What went wrong on the stage, and what the crowds did at once. */
  readonly strikes: Tally;
  readonly ends: Tally;
  rounds: number;
  viewers: number;
  /** Viewers that never read, through HTTP and without. */
  sleepers: number;
}

/** What a round is given. */
export interface RoundOptions {
  readonly stage: Stage;
  readonly model: string;
  /** How many come at the beginning, and in a flood. */
  readonly crowd: number;
  /** What may happen. */
  readonly deck: Deck;
  /** What all chance of this round follows from. */
  readonly keys: readonly (string | number)[];
  readonly counts: RelayCounts;
}

/** A strike, and the share of the pull from which on it happens. */
interface PlannedStrike {
  readonly strike: AnyStrike;
  readonly fraction: number;
}

/** What may happen, dealt like cards: each kind once, in a random order, before any comes again. */
export class Deck {
  readonly #dice: Dice;
  #cards: AnyStrike[] = [];

  /** @param dice What the order follows from. */
  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** Deals some. */
  deal(count: number): AnyStrike[] {
    return Array.from({ length: count }, () => {
      if (this.#cards.length === 0) this.#cards = [...ALL_STRIKES];
      return this.#cards.splice(this.#dice.below(this.#cards.length), 1)[0]!;
    });
  }

  /** Takes back what did not happen, since the pull had ended. */
  takeBack(strikes: readonly AnyStrike[]): void {
    this.#cards.push(...strikes);
  }
}

/** One pull and its crowd. */
export class Round {
  readonly #options: RoundOptions;
  readonly #dice: Dice;
  readonly #plan: PlannedStrike[];
  readonly #viewers: Viewer[] = [];
  readonly #watching: Promise<void>[] = [];
  /** What happens in a round happens one after another. */
  #striking: Promise<void> = Promise.resolve();
  /** Aborts when those who never read leave. */
  #over = new AbortController();
  readonly #failures: string[] = [];

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#dice = new Dice(...options.keys, "round");
    this.#plan = options.deck.deal(1 + this.#dice.below(MOST_STRIKES))
      .map((strike) => ({ strike, fraction: this.#dice.below(LATEST_PERCENT) / 100 }))
      .sort((a, b) => a.fraction - b.fraction);
  }

  /** Plays until the last viewer has ended. Returns what broke. */
  async play(): Promise<readonly string[]> {
    const { stage, model, crowd, counts, deck } = this.#options;
    counts.rounds++;
    await stage.start(model, LEAST_BYTES + this.#dice.below(MOST_BYTES - LEAST_BYTES));
    this.#come((progress) => this.#strikeAt(progress));
    this.#comeAtOnce(crowd - 1);
    // Whoever comes meanwhile is waited for as well.
    for (const work of this.#watching) await work;
    await this.#striking;
    for (const work of this.#watching) await work;
    this.#over.abort();
    stage.forget(model);
    deck.takeBack(this.#plan.map(({ strike }) => strike));
    return this.#failures;
  }

  #comeAtOnce(count: number): void {
    for (let index = 0; index < count; index++) {
      if (this.#dice.isOneIn(SLEEPERS)) this.#sleep();
      else this.#come();
    }
  }

  /** A viewer comes, and watches to the end. */
  #come(onProgress?: (progress: PullProgress) => void): void {
    const { stage, model, keys, counts } = this.#options;
    const number = this.#viewers.length;
    const dice = new Dice(...keys, "viewer", number);
    const viewer = new Viewer(
      stage,
      model,
      decideHabit(dice, dice.isOneIn(STARTERS)),
      counts,
      dice,
    );
    counts.viewers++;
    this.#viewers.push(viewer);
    const watching = this.#orHang(viewer.watch(onProgress), `viewer ${number} watches`)
      .then((sight) => this.#check(sight))
      .catch((error) => this.#fail(`viewer ${number}`, error));
    this.#watching.push(watching);
  }

  /** A viewer comes that never reads: without HTTP, nobody but the relay can notice. */
  #sleep(): void {
    const { stage, model, counts } = this.#options;
    counts.sleepers++;
    const url = `${stage.url}/pulls/${model}`;
    if (this.#dice.isOneIn(2)) return void stage.handle(new Request(url));
    const { signal } = this.#over;
    const answered = fetch(url, { headers: ONE_REQUEST_A_CONNECTION, signal });
    // To abort the fetch is not enough in Deno, once the answer itself was dropped.
    const leave = () => answered.then(({ body }) => body?.cancel());
    const ignore = () => {}; // the wire may be cut
    answered.catch(ignore);
    signal.addEventListener("abort", () => void leave().catch(ignore), { once: true });
  }

  #check(sight: Sight): void {
    const { stage, model, counts } = this.#options;
    const { texts, isForgotten } = stage.endsOf(model);
    counts.ends.add(sight.end === "told" ? sight.kind : sight.end);
    if (sight.end === "not running" && !isForgotten) {
      throw new Error("A viewer is told that nobody pulls, though the relay was not evicted");
    }
    if (sight.end === "told" && !texts.has(sight.text)) {
      const ends = [...texts].join(" or ") || "no end";
      throw new Error(`A viewer is told ${sight.text}, but the pull ended with ${ends}`);
    }
  }

  /** Begins what is due, now that the pull has got so far. */
  #strikeAt({ fraction }: PullProgress): void {
    while (this.#plan[0] && this.#plan[0].fraction <= fraction) {
      const { strike } = this.#plan.shift()!;
      this.#striking = this.#striking
        .then(() => this.#strike(strike))
        .catch((error) => this.#fail(strike, error));
    }
  }

  async #strike(strike: AnyStrike): Promise<void> {
    const { stage, crowd, counts } = this.#options;
    switch (strike) {
      case "half of the viewers leave":
        counts.strikes.add(strike);
        return this.#leave(() => this.#dice.isOneIn(2));
      case "all viewers leave":
        counts.strikes.add(strike);
        return await this.#desert();
      case "a flood of viewers":
        counts.strikes.add(strike);
        return this.#comeAtOnce(crowd);
      case "cancelled":
        return await this.#cancel();
      default:
        counts.strikes.add(strike);
        return await stage.strike(strike);
    }
  }

  /** Some leave, but not the first, which sees how far the pull is. */
  #leave(isLeaving: () => boolean): void {
    for (const viewer of this.#viewers.slice(1)) if (isLeaving()) viewer.leave();
  }

  /** All leave. Once the relay has noticed that, somebody else comes and sees the end. */
  async #desert(): Promise<void> {
    const { stage, model } = this.#options;
    for (const viewer of this.#viewers) viewer.leave();
    this.#over.abort();
    this.#over = new AbortController();
    const noticed = async () => {
      while (stage.watchersOf(model) > 0) await realClock.sleep(LOOK_EVERY_MS);
    };
    await stage.holdPulls(() =>
      this.#orHang(noticed(), "the relay has to notice that all have left", NOTICE_MS)
    );
    this.#come((progress) => this.#strikeAt(progress));
  }

  /** Somebody cancels the pull for all. */
  async #cancel(): Promise<void> {
    const { stage, model, counts } = this.#options;
    try {
      const options = { headers: ONE_REQUEST_A_CONNECTION };
      if (await cancelPull(stage.url, model, options)) counts.strikes.add("cancelled");
    } catch (error) {
      if (!(error instanceof PullError)) throw error;
      this.#plan.unshift({ strike: "cancelled", fraction: 0 }); // the wire was cut: once more
    }
  }

  #orHang<Value>(work: Promise<Value>, doing: string, hangMs = HANG_MS): Promise<Value> {
    const { stage } = this.#options;
    return orHang(work, () => `${doing}; ${JSON.stringify(stage.open)}`, hangMs / stage.speed);
  }

  #fail(who: string, error: unknown): void {
    const { model } = this.#options;
    this.#failures.push(`${model}, ${who}: ${describeError(error)}`);
  }
}
