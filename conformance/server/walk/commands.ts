/**
 * What can be done in a walk, as data. A command is composite: several callers who join, leave in some
 * order or stay are one command, since single requests drawn by chance would hardly ever meet.
 *
 * @module
 */

import fc from "fast-check";
import type { Arbitrary } from "../../generators/arbitrary.ts";

/** The share at which a caller is who stays to the end, in percent. */
export const TO_THE_END = 100;

/** One who pulls the model. */
export interface PullingCaller {
  /** How much of the model is downloaded when it joins, in percent. The first caller joins at once. */
  readonly joinsAt: number;
  /** How much of it is when it leaves: {@link TO_THE_END} if it stays. */
  readonly leavesAt: number;
  /** Whether it asks for a stream. */
  readonly stream: boolean;
}

/**
 * What others do: a request that is refused, a pull of a model that the registry does not have, one of
 * another model, and a look at the list of models.
 */
export type Act = Refused | "absent" | "other" | "list";

/** What is refused. */
export type Refused = "no body" | "no JSON" | "wrong type" | "invalid name";

/** The bodies that are refused. */
export const REFUSED_BODIES: Readonly<Record<Refused, unknown>> = {
  "no body": "",
  "no JSON": "{",
  "wrong type": { model: 5 },
  "invalid name": { model: "a b" },
};

/** Whether an act is a request that cannot be met. */
export function isRefused(act: string): act is Refused | "absent" {
  return act === "absent" || Object.hasOwn(REFUSED_BODIES, act);
}

/** Something that others do at some time. */
export interface Meanwhile {
  /** How much of the model is downloaded then, in percent. */
  readonly at: number;
  /** What they do. */
  readonly act: Act;
}

/** Pulls of the model that meet each other. */
export interface PullCommand {
  readonly do: "pull";
  /** Who pulls, the first one first. */
  readonly callers: readonly PullingCaller[];
  /** What others do meanwhile. */
  readonly meanwhile?: readonly Meanwhile[] | undefined;
}

/** A step of a walk. */
export type Command =
  | PullCommand
  /** Nobody does anything, for a share of the time that a whole pull takes, in percent. */
  | { readonly do: "wait"; readonly percent: number }
  /** The same for a time that does not depend on how long a pull takes. */
  | { readonly do: "idle"; readonly milliseconds: number }
  /** Something while nobody pulls. */
  | { readonly do: Act }
  /** The model is deleted. */
  | { readonly do: "delete" }
  /** Another version of the model is published, in which one layer is larger. */
  | { readonly do: "publish"; readonly layer: number };

/** A walk: the sizes in bytes of the layers of the model, and what is done. It ends with a whole pull. */
export interface Journey {
  readonly layers: readonly number[];
  readonly commands: readonly Command[];
}

/** What can be done with a server. */
export interface Abilities {
  /** Whether the model can be in part on the server. */
  readonly isFresh: boolean;
  /** Whether there is another model. */
  readonly hasOther: boolean;
  /** Whether the model can be deleted. */
  readonly deletes: boolean;
  /** Whether the model can be published anew. */
  readonly publishes: boolean;
  /** Whether its time is virtual, so that waiting takes none. */
  readonly isVirtual: boolean;
}

/** How long to wait at most for a server that lives by the clock of this machine. */
const LONGEST_REAL_IDLE_MS = 1_000;

/** Whether a server can be asked for what a command does. */
export function isPossible(command: Command, can: Abilities): boolean {
  switch (command.do) {
    case "pull":
      return (can.hasOther || !(command.meanwhile ?? []).some(({ act }) => act === "other")) &&
        (can.isFresh || command.callers.every(({ leavesAt }) => leavesAt === TO_THE_END));
    case "idle":
      return can.isVirtual || command.milliseconds <= LONGEST_REAL_IDLE_MS;
    case "other":
      return can.hasOther;
    case "delete":
      return can.deletes;
    case "publish":
      return can.publishes;
    default:
      return true;
  }
}

/** What happens during a pull command. */
export interface PullEvent {
  /** How much of the model is downloaded then, in percent. */
  readonly at: number;
  /** What happens. */
  readonly what:
    | { readonly do: "join" | "leave"; readonly caller: number }
    | { readonly do: "act"; readonly act: Act };
}

const RANK = { join: 0, act: 1, leave: 2 } as const;

/** What happens during a pull command, in order. Callers who stay have no last event. */
export function eventsOf({ callers, meanwhile = [] }: PullCommand): PullEvent[] {
  const events: PullEvent[] = callers.flatMap(({ joinsAt, leavesAt }, caller) => {
    const join: PullEvent = { at: caller === 0 ? 0 : joinsAt, what: { do: "join", caller } };
    if (leavesAt >= TO_THE_END) return [join];
    return [join, { at: Math.max(join.at, leavesAt), what: { do: "leave", caller } }];
  });
  for (const { at, act } of meanwhile) events.push({ at, what: { do: "act", act } });
  return events.sort((a, b) => a.at - b.at || RANK[a.what.do] - RANK[b.what.do]);
}

/** The layers of the walks that are made in every run: two that take long, and a small one. */
const TOUR_LAYERS: readonly number[] = [90_000_000, 60_000_000, 5_000];

/** A layer so large that what a server skips of it or downloads unasked does not pass for a fast network. */
const LARGE_LAYER: readonly number[] = [180_000_000];

/** One who joins at a share and leaves at another. */
function caller(joinsAt: number, leavesAt: number, stream = true): PullingCaller {
  return { joinsAt, leavesAt, stream };
}

function pullBy(...callers: readonly PullingCaller[]): PullCommand {
  return { do: "pull", callers };
}

const WHOLE = pullBy(caller(0, TO_THE_END));

/** Comes, and leaves as soon as there is a line about a layer in part. */
const VISIT = pullBy(caller(0, 1));

/** Longer than a server needs to notice that a caller has left, and than lines are late. */
const IDLE: Command = { do: "idle", milliseconds: LONGEST_REAL_IDLE_MS };

/** A walk that is made in every run. */
interface TourStop {
  readonly layers?: readonly number[];
  readonly commands: readonly Command[];
}

/**
 * The walks that are made in every run, the simplest and most telling ones first. Each download of a real
 * server takes time, so that most of them show several things.
 */
const TOUR: readonly TourStop[] = [
  { commands: [WHOLE] },
  {
    // What a server skips at each visit adds up, and so does what it downloads while nobody is there.
    layers: LARGE_LAYER,
    commands: [
      ...[VISIT, VISIT, VISIT, VISIT, VISIT],
      pullBy(caller(0, 35), caller(28, 42)),
      IDLE,
      pullBy(caller(0, 58), caller(48, 52)),
      IDLE,
      pullBy(caller(0, 10, false)),
      IDLE,
    ],
  },
  {
    // Those who came first leave first, one after another.
    commands: [{
      ...pullBy(
        caller(0, 25),
        caller(10, 40),
        caller(13, TO_THE_END, false),
        caller(15, TO_THE_END),
      ),
      meanwhile: [{ at: 50, act: "list" }],
    }],
  },
  {
    // The first one asks for no stream; of the others, the last leave first, and another comes later.
    commands: [
      pullBy(
        caller(0, 45, false),
        caller(12, TO_THE_END),
        caller(18, 35),
        caller(20, 28),
        caller(70, TO_THE_END),
      ),
    ],
  },
  { commands: [pullBy(caller(0, 20)), pullBy(caller(0, 45)), pullBy(caller(0, 75))] },
  {
    commands: [{
      ...WHOLE,
      meanwhile: [{ at: 40, act: "invalid name" }, { at: 70, act: "absent" }],
    }],
  },
  { commands: [WHOLE, { do: "publish", layer: 1 }] },
  { commands: [pullBy(caller(0, 70)), { do: "no JSON" }, { do: "absent" }, { do: "delete" }] },
  { commands: [{ ...WHOLE, meanwhile: [{ at: 15, act: "list" }, { at: 30, act: "other" }] }] },
  { commands: [pullBy(caller(0, 30)), { do: "idle", milliseconds: 60_000 }] },
  {
    commands: [
      pullBy(caller(0, 40, false)),
      pullBy(caller(0, TO_THE_END, false), caller(70, TO_THE_END)),
    ],
  },
  {
    commands: [pullBy(caller(0, 80), caller(65, 90), caller(70, 75)), { do: "wait", percent: 50 }],
  },
  {
    commands: [pullBy(caller(0, 65)), { do: "publish", layer: 0 }, WHOLE, {
      do: "publish",
      layer: 1,
    }],
  },
  { commands: [pullBy(caller(0, TO_THE_END), caller(20, 40), caller(50, TO_THE_END, false))] },
  {
    commands: [
      WHOLE,
      { do: "no body" },
      pullBy(caller(0, TO_THE_END, false), caller(0, TO_THE_END)),
    ],
  },
  { commands: [WHOLE, { do: "delete" }, pullBy(caller(0, 45)), { do: "wait", percent: 50 }] },
];

/** The walks that are made in every run, as far as a server can be asked for them. */
export function tour(can: Abilities): Journey[] {
  return TOUR.filter(({ commands }) => commands.every((command) => isPossible(command, can)))
    .map(({ layers = TOUR_LAYERS, commands }) => ({ layers, commands }));
}

/** Walks by chance. */
export function journeys(can: Abilities): Arbitrary<Journey> {
  const layers = fc.tuple(
    fc.integer({ min: 60_000_000, max: 120_000_000 }),
    fc.array(
      fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 80_000_000 })),
      { maxLength: 3 },
    ),
    fc.nat(),
  ).map(([large, others, place]) => others.toSpliced(place % (others.length + 1), 0, large));
  const possible = commands().filter((command) => isPossible(command, can));
  return fc.record({ layers, commands: fc.array(possible, { minLength: 1, maxLength: 4 }) });
}

function commands(): Arbitrary<Command> {
  const acts = fc.constantFrom<Act[]>(
    "no body",
    "no JSON",
    "wrong type",
    "invalid name",
    "absent",
    "other",
    "list",
  );
  const share = fc.integer({ min: 1, max: 95 });
  const callers = fc.record({
    joinsAt: share,
    leavesAt: fc.oneof(share, share, fc.constant(TO_THE_END)),
    stream: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  });
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("pull" as const),
        callers: fc.array(callers, { minLength: 1, maxLength: 4 }),
        meanwhile: fc.oneof(
          { weight: 2, arbitrary: fc.constant([]) },
          fc.array(fc.record({ at: share, act: acts }), { minLength: 1, maxLength: 2 }),
        ),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        percent: fc.integer({ min: 1, max: 100 }),
      }),
    },
    { weight: 2, arbitrary: acts.map((act) => ({ do: act })) },
    { weight: 1, arbitrary: fc.constant({ do: "delete" as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("publish" as const), layer: fc.nat({ max: 3 }) }),
    },
  );
}
