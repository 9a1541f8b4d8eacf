/**
 * The faults of a mock, which may change while it runs, and how often each one has struck.
 *
 * @module
 */

import type { ModelName } from "../models/model_name.ts";
import { randomFault } from "./chance.ts";
import { type ArmedFault, armFault, type Fault, PULL_PATH, type RandomFaults } from "./faults.ts";
import { Hold, type PullHold } from "./hold.ts";
import { type FaultKind, faultKinds } from "./kinds.ts";
import type { FaultPoint } from "./points.ts";
import { isMeantFor } from "./targets.ts";

/** Where a pull should wait. */
export interface HoldOptions {
  /** The point. @default half-way */
  at?: FaultPoint | undefined;
  /** The model whose pull waits. @default the first to be pulled */
  model?: string | undefined;
}

/** The faults of a mock. */
export class FaultSet {
  readonly #nextRandom: () => number;
  readonly #strikes = new Map<Fault, number>();
  /** How many pulls or requests each fault has skipped. */
  readonly #passes = new Map<Fault, number>();
  readonly #holds = new Map<Hold, HoldOptions>();
  #faults: readonly Fault[] = [];
  #random: RandomFaults | undefined;

  /**
   * Creates the set from faults that were already checked.
   *
   * @param faults The faults.
   * @param nextRandom A source of random numbers, for random faults.
   */
  constructor(faults: readonly Fault[] | RandomFaults, nextRandom: () => number) {
    this.#nextRandom = nextRandom;
    this.set(faults);
  }

  /** Replaces all faults. */
  set(faults: readonly Fault[] | RandomFaults): void {
    this.#random = "chance" in faults ? faults : undefined;
    this.#faults = "chance" in faults ? [] : faults;
  }

  /** Adds a fault. */
  add(fault: Fault): void {
    this.#faults = [...this.#faults, fault];
  }

  /** The faults, or the random ones. */
  get current(): readonly Fault[] | RandomFaults {
    return this.#random ?? this.#faults;
  }

  /** All faults, except random ones. */
  get all(): readonly Fault[] {
    return this.#faults;
  }

  /** The faults that have not struck yet. */
  get unstruck(): readonly Fault[] {
    return this.#faults.filter((fault) => !this.#strikes.has(fault));
  }

  /** Makes the next pull of a model wait at a point. */
  hold(options: HoldOptions): PullHold {
    const hold = new Hold();
    this.#holds.set(hold, options);
    return hold;
  }

  /** All holds, in the order in which they were set. */
  get holds(): readonly (readonly [PullHold, HoldOptions])[] {
    return [...this.#holds];
  }

  /** Releases all holds: waiting pulls go on, and no later pull waits. */
  releaseHolds(): void {
    for (const hold of this.#holds.keys()) hold.release();
  }

  /** The faults and holds for a pull that begins now. */
  forPull(name: ModelName): readonly ArmedFault[] {
    const armed = this.#dueAt(PULL_PATH).filter((fault) => isMeantFor(fault, name));
    const due = armed.filter((fault) => this.#isItsTurn(fault));
    return [
      ...due.map((fault) => armFault(fault, this.#strikes)),
      ...this.#holdsFor(name),
      ...this.#byChance(),
    ];
  }

  /** The faults for a request to another endpoint. */
  forRequest(path: string): readonly ArmedFault[] {
    if (path === PULL_PATH) return [];
    return this.#dueAt(path).filter((fault) => this.#isItsTurn(fault))
      .map((fault) => armFault(fault, this.#strikes));
  }

  #dueAt(path: string): readonly Fault[] {
    return this.#faults.filter((fault) => (fault.path ?? PULL_PATH) === path);
  }

  /** Counts a pull or request. Returns whether the fault has skipped as many as its `after` says. */
  #isItsTurn(fault: Fault): boolean {
    const passes = this.#passes.get(fault) ?? 0;
    this.#passes.set(fault, passes + 1);
    return passes >= (fault.after ?? 0);
  }

  #holdsFor(name: ModelName): readonly ArmedFault[] {
    return [...this.#holds].filter(([hold, options]) => !hold.isOver && isMeantFor(options, name))
      .map(([hold, { at = { completed: "50%" } }]) => ({
        kind: "hold",
        scope: "point",
        at,
        parameters: { hold },
        isSpent: () => hold.isOver,
        strike: () => !hold.isOver,
      }));
  }

  #byChance(): readonly ArmedFault[] {
    if (!this.#random || this.#nextRandom() / 2 ** 32 >= this.#random.chance) return [];
    const kinds = this.#random.kinds ?? Object.keys(faultKinds) as FaultKind[];
    return [randomFault(kinds, this.#nextRandom)];
  }
}
