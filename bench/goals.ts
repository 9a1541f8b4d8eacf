/**
 * The goals of this package, as ratios of figures measured in one run: `deno task bench --check`.
 *
 * @module
 */

import { FLOOR, type Job, NAIVE, OLLAMA, PIPED, STD_PIPED } from "./contenders.ts";
import type { ErrorsByMethod } from "./eta.ts";
import { RIVALS } from "./eta_methods.ts";
import type { Growth, Point } from "./growth.ts";
import type { Chunking } from "./pull_bytes.ts";
import { type BenchRecord, RUNTIME_NAMES, speedOf, type SpeedQuery } from "./record.ts";
import { RELAY_RUNTIMES, type RelayPoint, type RelayScale } from "./relay_cost.ts";
import type { RuntimeName } from "./runtimes.ts";

/** A figure, and its bound. */
export interface Goal {
  /** What the figure is. */
  readonly name: string;
  /** On which side of the target the figure must be. */
  readonly bound: "at least" | "at most";
  /** The target. */
  readonly target: number;
  /** The measured figure, or `undefined` if it was not measured. */
  readonly figure: (record: BenchRecord) => number | undefined;
}

/** A goal, and its result. */
export interface Verdict {
  readonly goal: Goal;
  readonly figure: number;
  readonly isMet: boolean;
}

/** A contender that must be so many times as fast as another one that does the same job. */
interface Race extends Omit<SpeedQuery, "runtime"> {
  readonly than: string;
  readonly targets: Readonly<Partial<Record<RuntimeName, number>>>;
}

/** What users would otherwise take: the client of Ollama from npm. */
const RACES: readonly Race[] = [
  {
    job: "progress",
    chunking: "replay",
    contender: "decodeProgress",
    than: OLLAMA,
    targets: { Deno: 6, Node: 5, Bun: 3 },
  },
  {
    job: "events",
    chunking: "replay",
    contender: "decodePull",
    than: OLLAMA,
    targets: { Deno: 4.5, Node: 3, Bun: 2.2 },
  },
  {
    job: "progress",
    chunking: "network",
    contender: "decodeProgress",
    than: OLLAMA,
    targets: { Deno: 3, Node: 3, Bun: 2 },
  },
  {
    job: "events",
    chunking: "network",
    contender: "decodePull",
    than: OLLAMA,
    targets: { Deno: 2.5, Node: 2, Bun: 1.5 },
  },
  {
    job: "progress",
    chunking: "live",
    contender: "decodeProgress",
    than: OLLAMA,
    targets: { Deno: 1.6, Node: 1.6, Bun: 1.3 },
  },
  {
    job: "progress",
    chunking: "replay",
    contender: PIPED,
    than: OLLAMA,
    targets: { Deno: 2.2, Node: 3, Bun: 1.7 },
  },
  {
    // The same as our three streams, also with streams.
    job: "progress",
    chunking: "replay",
    contender: PIPED,
    than: STD_PIPED,
    targets: { Deno: 1, Node: 1, Bun: 1 },
  },
];

function goalsOf({ targets, than, ...query }: Race): Goal[] {
  return (Object.entries(targets) as [RuntimeName, number][]).map(([runtime, target]) => ({
    name: `${runtime}, ${query.job}, ${query.chunking}${query.input ? `, ${query.input}` : ""}: ` +
      `${query.contender}, times as fast as ${than}`,
    bound: "at least",
    target,
    figure: (record) => speedOf(record, { runtime, ...query })?.timesAsFast[than],
  }));
}

/**
 * How far above the floor is allowed, in nanoseconds per line and as a multiple of the floor. The larger
 * value applies.
 */
const ALLOWED_NS = 100;
const ALLOWED_FLOORS = 4;

/** A decoder that produces texts must at least find their lines. */
const ABOVE_FLOOR: Goal = {
  name:
    "Deno, progress, replay: decodeProgress costs, as a part of what is allowed above the floor",
  bound: "at most",
  target: 1,
  figure(record) {
    const speed = speedOf(record, {
      runtime: "Deno",
      job: "progress",
      chunking: "replay",
      contender: "decodeProgress",
    });
    const timesAsFast = speed?.timesAsFast[FLOOR];
    if (!speed || !timesAsFast) return undefined;
    const floor = speed.nsPerLine * timesAsFast;
    return speed.nsPerLine / Math.max(floor + ALLOWED_NS, floor * ALLOWED_FLOORS);
  },
};

const EDGE: readonly Goal[] = [
  {
    name: "workerd: milliseconds for a pull of an hour from memory",
    bound: "at most",
    target: 700,
    figure: ({ edge }) => edge?.followMs,
  },
  {
    name: "workerd: microseconds for a live line",
    bound: "at most",
    target: 75,
    figure: ({ edge }) => edge?.live.followUs,
  },
];

/** Our contender for each job. */
const OURS: Readonly<Record<Job, string>> = { events: "decodePull", progress: "decodeProgress" };

/** No input may make us slower than the loop that anybody would write, however it arrives. */
function raceAgainstLoop(input: string, chunking: Chunking): Race[] {
  return (["events", "progress"] as const).map((job) => ({
    job,
    input,
    chunking,
    contender: OURS[job],
    than: NAIVE,
    targets: { Deno: 1, Node: 1, Bun: 1 },
  }));
}

/** How much more the last of some points costs than the cheapest one before it. */
function rise(points: readonly Point[]): number {
  const before = points.slice(0, -1).map(({ ns }) => ns);
  return (points.at(-1)?.ns ?? NaN) / Math.min(...before);
}

const GROWTH: readonly {
  readonly name: string;
  readonly target: number;
  readonly figure: (growth: Growth) => number;
}[] = [
  {
    name: "megabytes by which the longest pull grows",
    target: 8,
    figure: ({ grownBytes }) => grownBytes / 1e6,
  },
  {
    name: "a line of the longest pull costs, in lines of the cheapest",
    target: 1.25,
    figure: ({ lines }) => rise(lines),
  },
  {
    name: "a line with 2,000 layers one after another costs, in lines with one",
    target: 1.5,
    figure: ({ layersInSequence }) => rise(layersInSequence),
  },
  {
    name: "a line with 2,000 layers in turn costs, in lines with two",
    target: 2,
    figure: ({ layersInTurn }) => rise(layersInTurn),
  },
  {
    name: "a byte of the longest line, one by one, costs, in bytes of one a quarter as long",
    target: 1.5,
    figure: ({ longLine }) => rise(longLine),
  },
];

/** Our time left must be better than that of each other method, over all traces. */
const ETA: readonly Goal[] = (["all", "heldOut"] as const).flatMap((traces) =>
  RIVALS.map((rival): Goal => ({
    name: `time left, ${traces === "all" ? "all" : "held-out"} traces: median error, ` +
      `in those of ${rival}`,
    bound: "at most",
    target: 0.99,
    figure: ({ eta }) => eta && eta[traces].ours.median / eta[traces][rival].median,
  }))
);

/**
 * What the mock may cost: a thousand pulls at once take no more than half a core and are on time, and it
 * starts not much later than Node itself.
 */
const MOCK: readonly Goal[] = [
  {
    name: "mock: a line in virtual time, in microseconds",
    bound: "at most",
    target: 2,
    figure: ({ mock }) => mock && mock.virtualNs / 1_000,
  },
  {
    name: "mock: a thousand pulls in process, milliseconds late at the median",
    bound: "at most",
    target: 20,
    figure: ({ mock }) => mock?.inProcess.lateMs,
  },
  {
    name: "mock: a thousand pulls in process, part of a core",
    bound: "at most",
    target: 0.5,
    figure: ({ mock }) => mock?.inProcess.load,
  },
  {
    name: "mock from npm: milliseconds by which it is ready later than bare Node",
    bound: "at most",
    target: 150,
    figure: ({ mock }) => mock?.startUp?.laterMs,
  },
];

/** The number of viewers that one relay must bear, and the smaller number to compare it with. */
const MANY_VIEWERS = 10_000;
const SOME_VIEWERS = 1_000;

/** What was measured of a relay with some viewers and with many, and of the floor with many. */
interface RelayPoints {
  readonly some: RelayPoint;
  readonly many: RelayPoint;
  readonly floor: RelayPoint;
}

/** What a relay may cost, whichever the runtime. */
const RELAY: readonly {
  readonly name: string;
  readonly target: number;
  readonly figure: (points: RelayPoints) => number;
}[] = [
  {
    name: "CPU time of an update with 10,000 viewers, as a multiple of that with 1,000",
    target: 1.2,
    figure: ({ some, many }) => many.cpuUs / some.cpuUs,
  },
  {
    name: "CPU time of an update with 10,000 viewers, as a multiple of the floor's",
    target: 1.5,
    figure: ({ many, floor }) => many.cpuUs / floor.cpuUs,
  },
  {
    name: "heap per viewer with 10,000 viewers, as a multiple of that with 1,000",
    target: 1.2,
    figure: ({ some, many }) => many.heapBytes / some.heapBytes,
  },
  {
    name: "age of an update with 1,000 viewers at the 99th percentile, in milliseconds",
    target: 200,
    figure: ({ some }) => some.p99Ms,
  },
  {
    name: "heap with 10,000 viewers, in megabytes",
    target: 100,
    figure: ({ many }) => many.heapMb,
  },
  {
    name: "load with 10,000 viewers and an update a second, in cores",
    target: 1,
    figure: ({ many }) => many.load,
  },
];

/** Finds the points that a relay is judged by, unless the run left one of them out. */
function relayPoints({ relay, floor }: RelayScale): RelayPoints | undefined {
  const of = (points: readonly RelayPoint[], size: number) =>
    points.find(({ viewers }) => viewers === size);
  const [some, many] = [of(relay, SOME_VIEWERS), of(relay, MANY_VIEWERS)];
  const floorOfMany = of(floor, MANY_VIEWERS);
  return some && many && floorOfMany && { some, many, floor: floorOfMany };
}

function relayGoals(): Goal[] {
  return RELAY_RUNTIMES.flatMap((runtime) =>
    RELAY.map(({ name, target, figure }): Goal => ({
      name: `relay in ${runtime}: ${name}`,
      bound: "at most",
      target,
      figure({ relay }) {
        const points = relay && relayPoints(relay[runtime]);
        return points && figure(points);
      },
    }))
  );
}

/** The allowed multiple of a trace's best median error, and the error that is always allowed. */
const ALLOWED_BESTS = 2;
const ALLOWED_ERROR = 0.06;

function ofAllowedError(errors: ErrorsByMethod): number {
  const best = Math.min(...RIVALS.map((rival) => errors[rival].median));
  return errors.ours.median / Math.max(best * ALLOWED_BESTS, ALLOWED_ERROR);
}

/** On no trace may ours be much worse than the method that suits it best. */
function etaGoals({ eta }: BenchRecord): Goal[] {
  return (eta?.traces ?? []).map(({ name, purpose }) => ({
    name: `time left, ${name} (${purpose}): median error, as a part of what is allowed`,
    bound: "at most",
    target: 1,
    figure({ eta }) {
      const trace = eta?.traces.find((one) => one.name === name && one.purpose === purpose);
      return trace && ofAllowedError(trace.errors);
    },
  }));
}

/**
 * All goals. Goals for inputs follow from the inputs in a record and how they arrived; goals for the time
 * left on single traces follow from the traces.
 */
export function goalsFor(record: BenchRecord): Goal[] {
  const { speed } = record;
  const arrivals = new Map(
    speed.map(({ input, chunking }) => [`${input} ${chunking}`, { input, chunking }]),
  );
  return [
    ...(record.mock ? MOCK : []),
    ...(record.relay ? relayGoals() : []),
    ...RACES.flatMap(goalsOf),
    ABOVE_FLOOR,
    ...[...arrivals.values()]
      .flatMap(({ input, chunking }) => raceAgainstLoop(input, chunking))
      .flatMap(goalsOf),
    ...EDGE,
    ...ETA,
    ...etaGoals(record),
    ...GROWTH.flatMap(({ name, target, figure }) =>
      RUNTIME_NAMES.map((runtime): Goal => ({
        name: `${runtime}, growth: ${name}`,
        bound: "at most",
        target,
        figure: ({ growth }) => growth[runtime] && figure(growth[runtime]),
      }))
    ),
  ];
}

/** The results of all goals whose figure was measured. */
export function judge(record: BenchRecord): Verdict[] {
  return goalsFor(record).flatMap((goal) => {
    const figure = goal.figure(record);
    if (figure === undefined) return [];
    const isMet = goal.bound === "at least" ? figure >= goal.target : figure <= goal.target;
    return [{ goal, figure, isMet }];
  });
}
