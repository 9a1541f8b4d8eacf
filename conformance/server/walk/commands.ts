/**
 * The commands of walks, as data. A single command can have several callers who join and then leave in some
 * order or stay. Random single requests would hardly ever overlap like that.
 *
 * @module
 */

import fc from "fast-check";
import type { Arbitrary } from "../../generators/arbitrary.ts";

/** The percentage at which a caller "leaves" that stays to the end. */
export const TO_THE_END = 100;

/** One who pulls the model. */
export interface PullingCaller {
  /** The percentage of the model that is downloaded when it joins. The first caller joins at once. */
  readonly joinsAt: number;
  /** The percentage when it leaves, or {@link TO_THE_END} if it stays. */
  readonly leavesAt: number;
  /** Whether it asks for a stream. */
  readonly stream: boolean;
}

/**
 * What others do: a request that must be refused, a pull of a model that the registry does not have, a pull
 * of another model, or a request for the list of models.
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

/** Whether an act is a request that cannot succeed. */
export function isRefused(act: string): act is Refused | "absent" {
  return act === "absent" || Object.hasOwn(REFUSED_BODIES, act);
}

/** An act of others at some point. */
export interface Meanwhile {
  /** The percentage of the model that is downloaded then. */
  readonly at: number;
  /** What they do. */
  readonly act: Act;
}

/** Overlapping pulls of the model. */
export interface PullCommand {
  readonly do: "pull";
  /** The callers, in the order in which they start. */
  readonly callers: readonly PullingCaller[];
  /** What others do meanwhile. */
  readonly meanwhile?: readonly Meanwhile[] | undefined;
}

/** A step of a walk. */
export type Command =
  | PullCommand
  /** Nothing happens, for a percentage of the time that a whole pull takes. */
  | { readonly do: "wait"; readonly percent: number }
  /** Nothing happens, for a fixed time. */
  | { readonly do: "idle"; readonly milliseconds: number }
  /** An act while nobody pulls. */
  | { readonly do: Act }
  /** The model is deleted. */
  | { readonly do: "delete" }
  /** Another version of the model is published, in which one layer is larger. */
  | { readonly do: "publish"; readonly layer: number };

/** A walk: the sizes in bytes of the model's layers, and the commands. It ends with a whole pull. */
export interface Journey {
  readonly layers: readonly number[];
  readonly commands: readonly Command[];
}

/** What a server supports. */
export interface Abilities {
  /** Whether the server can have part of the model. */
  readonly isFresh: boolean;
  /** Whether there is another model. */
  readonly hasOther: boolean;
  /** Whether the model can be deleted. */
  readonly deletes: boolean;
  /** Whether another version of the model can be published. */
  readonly publishes: boolean;
  /** Whether its time is virtual, so that waiting takes no real time. */
  readonly isVirtual: boolean;
}

/** The longest wait for a server in real time, in milliseconds. */
const LONGEST_REAL_IDLE_MS = 1_000;

/** Whether a server supports a command. */
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

/** An event during a pull command. */
export interface PullEvent {
  /** The percentage of the model that is downloaded then. */
  readonly at: number;
  /** What happens. */
  readonly what:
    | { readonly do: "join" | "leave"; readonly caller: number }
    | { readonly do: "act"; readonly act: Act };
}

const RANK = { join: 0, act: 1, leave: 2 } as const;

/** The events of a pull command, in order. Callers that stay have no leave event. */
export function eventsOf({ callers, meanwhile = [] }: PullCommand): PullEvent[] {
  const events: PullEvent[] = callers.flatMap(({ joinsAt, leavesAt }, caller) => {
    const join: PullEvent = { at: caller === 0 ? 0 : joinsAt, what: { do: "join", caller } };
    if (leavesAt >= TO_THE_END) return [join];
    return [join, { at: Math.max(join.at, leavesAt), what: { do: "leave", caller } }];
  });
  for (const { at, act } of meanwhile) events.push({ at, what: { do: "act", act } });
  return events.sort((a, b) => a.at - b.at || RANK[a.what.do] - RANK[b.what.do]);
}

/** The layers of the walks in every run: two slow ones and a small one. */
const TOUR_LAYERS: readonly number[] = [90_000_000, 60_000_000, 5_000];

/** So large that bytes skipped or downloaded without a caller cannot be explained by a fast network. */
const LARGE_LAYER: readonly number[] = [180_000_000];

/** A caller that joins at one percentage and leaves at another. */
function caller(joinsAt: number, leavesAt: number, stream = true): PullingCaller {
  return { joinsAt, leavesAt, stream };
}

function pullBy(...callers: readonly PullingCaller[]): PullCommand {
  return { do: "pull", callers };
}

const WHOLE = pullBy(caller(0, TO_THE_END));

/** Joins, and leaves as soon as a line reports a partial layer. */
const VISIT = pullBy(caller(0, 1));

/** In milliseconds: longer than a server needs to notice that a caller has left, and than lines are late. */
const IDLE: Command = { do: "idle", milliseconds: LONGEST_REAL_IDLE_MS };

/** A walk that is made in every run. */
interface TourStop {
  readonly layers?: readonly number[];
  readonly commands: readonly Command[];
}

/**
 * The walks that are made in every run, the simplest and most informative first. Each download of a real
 * server takes time, so most walks test several things.
 */
const TOUR: readonly TourStop[] = [
  { commands: [WHOLE] },
  {
    // Bytes that a server skips at each visit add up, and so do bytes that it downloads without callers.
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
    // The first callers to join are the first to leave, one after another.
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
    // The first one asks for no stream; of the others, the last to join are the first to leave, and another
    // joins later.
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

/** The walks of every run that a server supports. */
export function tour(can: Abilities): Journey[] {
  return TOUR.filter(({ commands }) => commands.every((command) => isPossible(command, can)))
    .map(({ layers = TOUR_LAYERS, commands }) => ({ layers, commands }));
}

/** Random walks. */
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
