/**
 * What a run has measured, as it is kept in the repository, and the part of bench/README.md that is made of
 * it.
 *
 *     runs ──▶ BenchRecord ── record.json ──▶ renderReport ──▶ bench/README.md
 *                                       └───▶ drawChart ─────▶ chart.svg
 *
 * @module
 */

import { FLOOR, type Job, OLLAMA } from "./contenders.ts";
import type { Edge } from "./edge.ts";
import type { Eta } from "./eta.ts";
import type { MockCost } from "./mock.ts";
import type { Growth } from "./growth.ts";
import { type Origin, TODAY } from "./inputs.ts";
import type { Memory } from "./memory.ts";
import type { Chunking } from "./pull_bytes.ts";
import type { Speed } from "./races.ts";
import { RELAY_RUNTIMES, type RelayCost, type RelayPoint } from "./relay_cost.ts";
import { type Clock, median } from "./rounds.ts";
import type { RuntimeName } from "./runtimes.ts";

/** How fast a contender decodes an input in a runtime. */
export interface SpeedEntry extends Speed {
  /** The runtime. */
  readonly runtime: RuntimeName;
  /** The name of the input. */
  readonly input: string;
  /** Where the input comes from. */
  readonly origin: Origin;
  /** How it arrives. */
  readonly chunking: Chunking;
}

/** How much memory a contender takes in a runtime. */
export interface MemoryEntry extends Memory {
  /** The runtime. */
  readonly runtime: RuntimeName;
}

/** What a run has measured. Parts that were left out are empty. */
export interface BenchRecord {
  /** What told the time. */
  readonly clock: Clock;
  /** How many lines a pull has, and how many rounds there were. */
  readonly lines: number;
  readonly rounds: number;
  /** The versions of the runtimes, and of the contenders that are packages, by their names. */
  readonly versions: Readonly<Record<string, string>>;
  readonly speed: readonly SpeedEntry[];
  readonly memory: readonly MemoryEntry[];
  readonly growth: Readonly<Partial<Record<RuntimeName, Growth>>>;
  readonly edge?: Edge;
  readonly eta?: Eta;
  readonly mock?: MockCost;
  readonly relay?: RelayCost;
}

/**
 * What several runs have measured as one: each number is the median of theirs.
 *
 * @throws {Error} If they did not measure the same.
 */
export function medianOf<Value>(records: readonly Value[]): Value {
  const [first] = records;
  if (typeof first === "number") return median(records as readonly number[]) as Value;
  if (typeof first !== "object" || first === null) {
    if (records.every((record) => record === first)) return first as Value;
    throw new Error(`The runs did not measure the same: ${records.join(", ")}`);
  }
  const keys = Object.keys(first);
  for (const record of records) {
    if (Object.keys(record as object).join() === keys.join()) continue;
    throw new Error(`The runs did not measure the same: some have ${keys.join(", ")}, some not`);
  }
  const parts = keys.map((key) => [
    key,
    medianOf(records.map((record) => (record as Record<string, unknown>)[key])),
  ]);
  const merged = Array.isArray(first) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
  return merged as Value;
}

/** The order of the runtimes, wherever they are shown. */
export const RUNTIME_NAMES = ["Deno", "Node", "Bun"] as const;

/** What to look up in a record. */
export interface SpeedQuery {
  readonly runtime: RuntimeName;
  readonly input?: string;
  readonly chunking: Chunking;
  readonly job: Job;
  readonly contender: string;
}

/** Finds how fast a contender is: with today's servers, unless an input is named. */
export function speedOf(record: BenchRecord, query: SpeedQuery): SpeedEntry | undefined {
  const wanted = { input: TODAY, ...query };
  return record.speed.find((entry) =>
    (Object.keys(wanted) as (keyof SpeedQuery)[]).every((key) => entry[key] === wanted[key])
  );
}

/** The rows of the table: how many times as fast something is as the npm client. */
const ROWS: readonly { says: string; query: Omit<SpeedQuery, "runtime"> }[] = [
  {
    says: "Progress, 64 KiB a chunk",
    query: { job: "progress", chunking: "replay", contender: "decodeProgress" },
  },
  {
    says: "Progress, one line a chunk",
    query: { job: "progress", chunking: "live", contender: "decodeProgress" },
  },
  {
    says: "Typed statuses one by one, 64 KiB a chunk",
    query: { job: "events", chunking: "replay", contender: "decodePull" },
  },
];

/** A number with as many digits as mean something. */
function short(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 2 });
}

function times(value: number | undefined): string {
  return value === undefined ? "" : `${value.toFixed(1)} ×`;
}

/** The lines of the longest pull. */
function longestPull({ growth }: BenchRecord): string {
  return (growth.Deno?.lines.at(-1)?.size ?? 0).toLocaleString("en");
}

/** A paragraph in lines that are not too long. */
function wrap(...sentences: readonly string[]): string {
  return sentences.join(" ").replace(/(?=.{101}).{1,100} /g, (line) => `${line.trimEnd()}\n`);
}

/** The cells of a row, a runtime each. */
function row(says: string, cell: (runtime: RuntimeName) => string): string {
  return `| ${[says, ...RUNTIME_NAMES.map(cell)].join(" | ")} |`;
}

function renderTable(record: BenchRecord): string {
  const peak = (runtime: RuntimeName) =>
    record.memory.find((entry) =>
      entry.runtime === runtime && entry.contender === "decodeProgress"
    );
  return [
    row(
      "Times as fast as `ollama` (npm)",
      (runtime) => `${runtime} ${record.versions[runtime] ?? ""}`.trim(),
    ),
    row("---", () => "---"),
    ...ROWS.map(({ says, query }) =>
      row(
        says,
        (runtime) => times(speedOf(record, { runtime, ...query })?.timesAsFast[OLLAMA]),
      )
    ),
    row("Peak memory above the baseline", (runtime) => {
      const memory = peak(runtime);
      return memory === undefined ? "" : `${memory.rssMb.toFixed(0)} MB`;
    }),
    row(`Growth in a pull of ${longestPull(record)} lines`, (runtime) => {
      const growth = record.growth[runtime];
      return growth === undefined ? "" : `${(growth.grownBytes / 1e6).toFixed(1)} MB`;
    }),
  ].join("\n");
}

function renderEdge({ edge, versions }: BenchRecord): string {
  if (edge === undefined) return "";
  const { followMs, readMs, live, pullsPerCore } = edge;
  const percent = (part: number) => `${Number((part * 100).toPrecision(3))} %`;
  return wrap(
    `In a Worker (workerd ${versions.workerd}), a pull of an hour, 60,000 lines one by one, takes`,
    `${short(followMs)} ms of CPU time from memory, of which ${
      short(readMs)
    } ms are for reading the`,
    `chunks. From sockets, a line takes ${short(live.followUs)} µs, of which ${
      short(live.readUs)
    } µs`,
    `are for reading it: with a line every 60 ms, one core can follow about ${short(pullsPerCore)}`,
    `pulls. With ${live.pulls} pulls at once for ${live.seconds} s, ${
      percent(live.arrived)
    } of the`,
    `lines arrived, ${percent(live.late)} of them later than the next one was due, using`,
    `${percent(live.load)} of one core. The clocks of a Worker stand still while it computes, so`,
    "these figures are the CPU time of the workerd process.",
  );
}

/** The table of what each number of viewers costs. */
function renderViewers(relay: RelayCost, versions: BenchRecord["versions"]): string {
  const heads = [
    ...["Runtime", "Viewers", "CPU per update", "Bytes per update", "Heap per viewer"],
    ...["Memory per viewer", "Load of one core", "Age, median", "Age, p99"],
  ];
  const rows = RELAY_RUNTIMES.flatMap((name) =>
    relay[name].relay.map((point) => [
      `${name} ${versions[name] ?? ""}`.trim(),
      point.viewers.toLocaleString("en"),
      `${short(point.cpuUs)} µs`,
      String(point.bytes),
      `${short(point.heapBytes / 1_000)} KB`,
      `${short(point.residentBytes / 1_000)} KB`,
      `${short(point.load * 100)} %`,
      `${point.medianMs} ms`,
      `${point.p99Ms} ms`,
    ])
  );
  return [heads, heads.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

/** What the viewers of a relay cost. */
function renderRelay({ relay, versions }: BenchRecord): string {
  if (relay === undefined) return "";
  const { secondLevel, updateEveryMs } = relay;
  const most = (points: readonly RelayPoint[]) => points.at(-1)!;
  const costs = RELAY_RUNTIMES.map((name) => {
    const [point, floor] = [most(relay[name].relay), most(relay[name].floor)];
    const viewers = (Math.floor(point.viewers / point.load / 1_000) * 1_000).toLocaleString("en");
    return `${
      times(point.cpuUs / floor.cpuUs)
    } in ${name}, where one core is enough for ${viewers}`;
  });
  const seconds = short(updateEveryMs / 1_000);
  return [
    wrap(
      "Viewers of a relay (`createRelay`) in `Deno.serve`, and in one Durable Object. They all watch one",
      `pull, whose server writes a line every 60 ms, and get an update every ${seconds} s. CPU time, heap and`,
      "memory are what each additional viewer costs. The age of an update counts from when the server",
      "wrote the line; up to 60 ms of it are the wait for the next update.",
    ),
    renderViewers(relay, versions),
    wrap(
      "The floor is a handler that sends the same bytes to as many plain streams. With the most viewers,",
      `an update of the relay takes ${
        costs.join(" viewers, and ")
      } viewers. A relay in Deno that watches`,
      "another one is a single viewer of that. With",
      `${secondLevel.viewers.toLocaleString("en")} viewers, its updates take ${
        short(secondLevel.cpuUs)
      } µs each, and are ${secondLevel.medianMs} ms old`,
      `(median; p99: ${secondLevel.p99Ms} ms).`,
    ),
  ].join("\n\n");
}

/** The part of bench/README.md. */
export function renderReport(record: BenchRecord): string {
  const clock = record.clock === "cpu" ? "CPU time" : "time";
  const lines = (count: number) => count.toLocaleString("en");
  return [
    `![Lines per second: this package, and other ways to decode a pull](chart.svg)`,
    renderTable(record),
    wrap(
      `The input comes from memory: ${lines(record.lines)} lines (${
        lines(record.lines / 8)
      } for the`,
      "rows about small chunks and memory). Each contender runs in a process of its own and is used by",
      `its public API. Figures are the median ${clock} of ${record.rounds} rounds, in which the`,
      "contenders take turns. Every answer is checked. The others need only make plain objects where",
      "ours are typed, and three numbers where ours also give all layers, speed and time left.",
    ),
    renderEdge(record),
    renderRelay(record),
  ].filter((part) => part !== "").join("\n\n");
}

/** Where the chart is. */
export const CHART = "bench/chart.svg";

const BEGIN = "<!-- Made by `deno task bench --write`; a test fails when it is stale. -->\n" +
  "<!-- deno-fmt-ignore-start -->";
const END = "<!-- deno-fmt-ignore-end -->";

/** A text with the report put between its marks. */
export function withReport(text: string, record: BenchRecord): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin === -1 || end === -1) throw new Error("There is no place for the report");
  return `${text.slice(0, begin + BEGIN.length)}\n\n${renderReport(record)}\n\n${text.slice(end)}`;
}

/** The speeds that a chart or a table shows side by side, without the floor. */
export function contendersOf(
  record: BenchRecord,
  query: Omit<SpeedQuery, "contender">,
): SpeedEntry[] {
  const wanted = { input: TODAY, ...query };
  return record.speed.filter((entry) =>
    entry.contender !== FLOOR &&
    (Object.keys(wanted) as (keyof typeof wanted)[]).every((key) => entry[key] === wanted[key])
  );
}
