/**
 * Measures how fast pulls are decoded, how much memory that takes, what it costs at the edge, how accurate
 * the reported time left is, and what the mock and the viewers of a relay cost. Runs in Deno, Node and Bun,
 * and compares the package with what users would take instead. `deno task bench` measures everything; a
 * name, as in `deno task bench growth`, measures one part.
 *
 * With `--check`, it fails if a goal is missed; with `--write`, the results are stored in the record and
 * shown in bench/README.md. With `--merge FILE`, repeated for each file, nothing is measured: each figure is
 * the median of earlier runs, written by `--out FILE`. With `--page FILE`, the times left are drawn.
 *
 * @module
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { createTask } from "../.ci/task.ts";
import { drawChart } from "./chart.ts";
import { CONTENDERS, NAIVE, OLLAMA } from "./contenders.ts";
import { measureEdge } from "./edge.ts";
import { measureEta } from "./eta.ts";
import { drawPage } from "./eta_page.ts";
import { measureMock } from "./mock.ts";
import { measureRelay, type RelayBenchOptions } from "./relay.ts";
import { judge } from "./goals.ts";
import { inputNames, makeInputs, type Origin, TODAY } from "./inputs.ts";
import {
  printEdge,
  printEta,
  printGrowth,
  printInputs,
  printMemory,
  printMock,
  printRelay,
  printSpeed,
  printVerdicts,
} from "./print.ts";
import { type Chunking, CHUNKINGS } from "./pull_bytes.ts";
import { compare } from "./races.ts";
import {
  type BenchRecord,
  CHART,
  medianOf,
  type MemoryEntry,
  RUNTIME_NAMES,
  type SpeedEntry,
  withReport,
} from "./record.ts";
import type { Clock } from "./rounds.ts";
import { bundle, ROOT, runTask, type RuntimeName, versionOf } from "./runtimes.ts";
import type { StoredInput } from "./speed.ts";

const CACHE = join(ROOT, ".cache/bench");
const RECORD = join(ROOT, "bench/record.json");
const REPORT = join(ROOT, "bench/README.md");

/** The parts of a run. */
const PARTS = ["contenders", "inputs", "memory", "growth", "edge", "eta", "mock", "relay"] as const;

type Part = typeof PARTS[number];

/** Collects the values of an option that may be repeated. */
const collect = (value: string, before: readonly string[]) => [...before, value];

const program = createTask("bench")
  .description(
    "measures speed, memory, growth, the edge, the accuracy of the time left, the mock, and the relay",
  )
  .argument("[parts...]", `what to measure: ${PARTS.join(", ")} (default: all)`)
  .option("--check", "fail if a goal is missed")
  .option("--clock <clock>", "cpu or wall", "cpu")
  .option("--lines <number>", "how many lines a pull has")
  .option(
    "--merge <file>",
    "measure nothing, and take the median of earlier results; may be repeated",
    collect,
    [],
  )
  .option("--only <part>", "what to measure; may be repeated", collect, [])
  .option("--out <file>", "the file for all figures", join(CACHE, "bench.json"))
  .option("--page <file>", "draw the times left as a page")
  .option("--quick", "only check that it works")
  .option("--rounds <number>", "how often to measure each contender")
  .option("--runtime <name>", `${RUNTIME_NAMES.join(", ")}; may be repeated`, collect, [])
  .option("--write", "store the results in bench/record.json and bench/README.md")
  .parse();
const positionals = program.args;
const values = program.opts<{
  check?: true;
  clock: string;
  lines?: string;
  merge: readonly string[];
  only: readonly string[];
  out: string;
  page?: string;
  quick?: true;
  rounds?: string;
  runtime: readonly string[];
  write?: true;
}>();

/** The requested values of a list, or all of them. */
function choose<Value extends string>(asked: readonly string[], all: readonly Value[]): Value[] {
  const wanted = asked.flatMap((text) => text.toLowerCase().split(","));
  const unknown = wanted.filter((text) => !all.some((value) => value.toLowerCase() === text));
  if (unknown.length > 0) {
    program.error(`error: there is no ${unknown.join(", ")}; there are ${all.join(", ")}`);
  }
  return wanted.length === 0 ? [...all] : all.filter((one) => wanted.includes(one.toLowerCase()));
}

const { quick = false } = values;
const parts = choose([...positionals, ...values.only], PARTS);
const [clock = "cpu"] = choose<Clock>([values.clock], ["cpu", "wall"]);
const lines = Number(values.lines ?? (quick ? 4_000 : 200_000));
const rounds = Number(values.rounds ?? (quick ? 1 : 5));
if (!(lines >= 1_000 && rounds >= 1)) {
  program.error("error: --lines must be 1000 or more, and --rounds 1 or more");
}

/**
 * How many lines each contender reads before its time counts. By then every engine has reached its top speed;
 * Bun takes longest, with small chunks.
 */
const linesToWarmUp = quick ? 0 : 400_000;

/** How many times fewer lines a pull has in slow measurements. The cost per line stays the same. */
const FEWER = 8;

/** How many downloads of each shape are used to test the time left. */
const downloads = quick ? 1 : 8;

/** How many viewers watch through a relay. */
const VIEWERS: RelayBenchOptions = {
  sizes: [100, 300, 1_000, 3_000, 10_000],
  floorSizes: [1_000, 10_000],
  secondLevelSize: 1_000,
  seconds: 3,
  updateEveryMs: 1_000,
};

/** The same in a quick run. */
const FEW_VIEWERS: RelayBenchOptions = {
  sizes: [10, 30],
  floorSizes: [30],
  secondLevelSize: 10,
  seconds: 0.5,
  updateEveryMs: 100,
};

/** The inputs of a quick run: one of each origin. */
const QUICK_INPUTS = ["dialect client2", "recorded 0.34.1", "2,000 layers in turn"];

/** Some inputs, each with a file that exists while some work uses it. */
async function withInputs(
  ofLines: number,
  isWanted: (name: string) => boolean,
  work: (input: StoredInput, origin: Origin) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(CACHE, "input-"));
  try {
    for await (const { text, origin, ...answer } of makeInputs(ofLines, isWanted)) {
      const file = join(folder, "pull.ndjson");
      await writeFile(file, text);
      await work({ ...answer, file }, origin);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

class Run {
  readonly speed: SpeedEntry[] = [];
  readonly memory: MemoryEntry[] = [];
  readonly growth: BenchRecord["growth"] = {};
  readonly #runtimes: readonly RuntimeName[];
  readonly #script: string;

  constructor(runtimes: readonly RuntimeName[], script: string) {
    this.#runtimes = runtimes;
    this.#script = script;
  }

  /** All contenders, with the pull of today's servers. */
  async compare(): Promise<void> {
    const isToday = (name: string) => name === TODAY;
    const chunkings = Object.keys(CHUNKINGS) as Chunking[];
    // A process for each contender and chunking takes its time to start.
    for (const chunking of quick ? chunkings.slice(0, 1) : chunkings) {
      const ofLines = chunking === "replay" ? lines : Math.ceil(lines / FEWER);
      await withInputs(ofLines, isToday, async (input, origin) => {
        for (const runtime of this.#runtimes) {
          const entries = await this.#measure(runtime, input, origin, chunking, rounds);
          this.speed.push(...entries);
          printSpeed(entries);
        }
      });
    }
  }

  /** We, the npm client and the loop, with every other pull. */
  async vary(): Promise<void> {
    const contenders = ["decodePull", "decodeProgress", OLLAMA, NAIVE];
    const fewerRounds = Math.ceil(rounds / 2);
    const found: SpeedEntry[] = [];
    const names = quick ? QUICK_INPUTS : await inputNames();
    const isOther = (name: string) => name !== TODAY && names.includes(name);
    await withInputs(lines, isOther, async (input, origin) => {
      for (const runtime of this.#runtimes) {
        found.push(
          ...await this.#measure(runtime, input, origin, "replay", fewerRounds, contenders),
        );
      }
    });
    this.speed.push(...found);
    for (const name of this.#runtimes) {
      printInputs(name, found.filter(({ runtime }) => runtime === name));
    }
  }

  async #measure(
    runtime: RuntimeName,
    input: StoredInput,
    origin: Origin,
    chunking: Chunking,
    times: number,
    contenders?: readonly string[],
  ): Promise<SpeedEntry[]> {
    const comparison = { input, chunking, contenders, rounds: times, clock, linesToWarmUp };
    const speeds = await compare(runtime, this.#script, comparison);
    return speeds.map((speed) => ({ runtime, input: input.name, origin, chunking, ...speed }));
  }

  /** The memory that each contender takes. */
  async weigh(): Promise<void> {
    const contenders = CONTENDERS.filter(({ name, job, kind }) =>
      quick ? name === "pull" || name === OLLAMA : kind === "ours" || job === "progress"
    );
    await withInputs(Math.ceil(lines / FEWER), (name) => name === TODAY, async (input) => {
      for (const runtime of this.#runtimes) {
        const entries: MemoryEntry[] = [];
        for (const { name: contender, job } of contenders) {
          const task = { kind: "memory", input, contender, job } as const;
          entries.push({ runtime, ...await runTask(runtime, this.#script, task) });
        }
        this.memory.push(...entries);
        printMemory(runtime, entries);
      }
    });
  }

  /** What growth costs. */
  async grow(): Promise<void> {
    const task = {
      kind: "growth",
      maxLines: lines * 50,
      linesOfLayers: lines,
      maxLineBytes: quick ? 2 ** 16 : 2 ** 20,
      rounds: Math.ceil(rounds / 2),
      clock,
    } as const;
    const found: Partial<Record<RuntimeName, BenchRecord["growth"]["Deno"]>> = {};
    for (const runtime of this.#runtimes) {
      const growth = await runTask(runtime, this.#script, task);
      found[runtime] = growth;
      printGrowth(runtime, growth);
    }
    Object.assign(this.growth, found);
  }
}

/** The versions of what was measured, as `deno.json` pins them. */
async function versionsOf(
  runtimes: Readonly<Partial<Record<RuntimeName, string>>>,
): Promise<Record<string, string>> {
  const { imports } = JSON.parse(await readFile(join(ROOT, "deno.json"), "utf8")) as {
    imports: Record<string, string>;
  };
  const miniflare = JSON.parse(
    await readFile(join(ROOT, "node_modules/miniflare/package.json"), "utf8"),
  ) as { dependencies: Record<string, string> };
  const packages = ["ollama", "split2", "ndjson", "ndjson-readablestream", "stream-json"];
  const pinned = (name: string) => imports[name]?.match(/@(\d[^/]*)/)?.[1] ?? "";
  return {
    ...runtimes,
    ...Object.fromEntries(packages.map((name) => [name, pinned(name)])),
    "deno-std": pinned("@std/streams"),
    "workerd": miniflare.dependencies["workerd"]!,
  };
}

/** The versions of the runtimes that were asked for and are there. */
async function findRuntimes(): Promise<Partial<Record<RuntimeName, string>>> {
  const versions: Partial<Record<RuntimeName, string>> = {};
  for (const name of choose(values.runtime, RUNTIME_NAMES)) {
    const version = await versionOf(name);
    if (version === undefined) console.log(`${name} is not installed, and is left out`);
    else versions[name] = version;
  }
  return versions;
}

/** Stores the results, and builds the chart and the report in bench/README.md from them. */
async function keep(record: BenchRecord): Promise<void> {
  const inputs = new Set(record.speed.map(({ input }) => input));
  const isWhole = parts.length === PARTS.length && inputs.size === (await inputNames()).length &&
    RUNTIME_NAMES.every((name) => record.versions[name] !== undefined) &&
    record.edge !== undefined &&
    record.eta !== undefined &&
    record.mock !== undefined &&
    record.relay !== undefined;
  if (!isWhole || quick) {
    throw new Error(
      "Cannot write the record: it needs a whole run, without --quick and with all parts",
    );
  }
  await writeFile(RECORD, `${JSON.stringify(record, null, 2)}\n`);
  await writeFile(join(ROOT, CHART), drawChart(record));
  await writeFile(REPORT, withReport(await readFile(REPORT, "utf8"), record));
}

const has = (part: Part) => parts.includes(part);

/** Measures the selected parts. */
async function measure(): Promise<BenchRecord> {
  const runtimes = await findRuntimes();
  console.log(
    `${Object.entries(runtimes).map((pair) => pair.join(" ")).join(", ")} on ${process.arch}, ` +
      `${availableParallelism()} cores: medians of ${rounds} rounds of ${
        lines.toLocaleString("en")
      } lines, ` +
      (clock === "cpu" ? "processor time" : "wall-clock time"),
  );
  const script = join(CACHE, "program.mjs");
  await bundle("bench/program.ts", script, "--platform", "deno");
  const run = new Run(Object.keys(runtimes) as RuntimeName[], script);
  if (has("contenders")) await run.compare();
  if (has("inputs")) await run.vary();
  if (has("memory")) await run.weigh();
  if (has("growth")) await run.grow();
  const edge = has("edge")
    ? await measureEdge(
      join(CACHE, "edge.mjs"),
      quick ? { repeats: 1, seconds: 1 } : { repeats: 5, seconds: 10 },
    )
    : undefined;
  if (edge) printEdge(edge);
  const eta = has("eta") ? await measureEta(downloads) : undefined;
  if (eta) printEta(eta);
  const mock = has("mock")
    ? await measureMock(
      quick
        ? { lines: 10_000, pulls: 50, seconds: 1, starts: 2 }
        : { lines: 10_000_000, pulls: 1_000, seconds: 10, starts: 20 },
    )
    : undefined;
  if (mock) printMock(mock);
  const relay = has("relay")
    ? await measureRelay(script, join(CACHE, "relay_worker.mjs"), quick ? FEW_VIEWERS : VIEWERS)
    : undefined;
  if (relay) printRelay(relay);
  const { speed, memory, growth } = run;
  const versions = await versionsOf(runtimes);
  return {
    clock,
    lines,
    rounds,
    versions,
    speed,
    memory,
    growth,
    ...(edge && { edge }),
    ...(eta && { eta }),
    ...(mock && { mock }),
    ...(relay && { relay }),
  };
}

/** Reads the results of earlier runs, and takes the median of each figure. */
async function merge(files: readonly string[]): Promise<BenchRecord> {
  const records = await Promise.all(files.map(async (file) => {
    const { verdicts: _, ...record } = JSON.parse(await readFile(file, "utf8"));
    return record as BenchRecord;
  }));
  return medianOf(records);
}

await mkdir(CACHE, { recursive: true });
const startedAt = performance.now();
const record = values.merge.length > 0 ? await merge(values.merge) : await measure();
const verdicts = judge(record);
if (quick && !values.check) console.log("\nA quick run gives no meaningful figures");
else printVerdicts(verdicts);
await mkdir(dirname(values.out), { recursive: true });
await writeFile(values.out, `${JSON.stringify({ ...record, verdicts }, null, 2)}\n`);
console.log(
  `\n${Math.round((performance.now() - startedAt) / 1_000)} s; all figures are in ${values.out}`,
);
if (values.write) await keep(record);
if (values.page !== undefined) {
  if (record.eta === undefined) throw new Error("--page needs the part eta");
  await writeFile(values.page, await drawPage(record.eta));
}
process.exitCode = values.check && verdicts.some(({ isMet }) => !isMet) ? 1 : 0;
