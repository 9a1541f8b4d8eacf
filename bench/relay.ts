/**
 * What viewers of a relay cost: any number of them watch one pull, whose upstream writes a line in 60 ms,
 * and are told once a second.
 *
 *     LiveServer ── a line in 60 ms ──▶ relay ── an update a second ──▶ viewers, in two processes
 *      this process            Deno or workerd, in a process of its own
 *
 * The same is measured of the floor, which sends as many bytes to as many plain streams: what is above it is
 * the relay's, and the rest the runtime's. Each figure is for one viewer more: what the process takes for
 * one viewer is subtracted.
 *
 * @module
 */

import { realClock } from "../mock/mod.ts";
import { LiveServer } from "./live_server.ts";
import type { Served } from "./relay_handlers.ts";
import { type Host, type StartHost, startInDeno, workerdStarter } from "./relay_hosts.ts";
import type { Received } from "./relay_viewers.ts";
import { round } from "./rounds.ts";
import { bundle, type Conversation, startTask } from "./runtimes.ts";

/** How much to measure. */
export interface RelayBenchOptions {
  /** How many viewers there are, from few to many. */
  readonly sizes: readonly number[];
  /** How many viewers a second relay has, which watches a first one. */
  readonly secondLevelSize: number;
  /** How long each number of viewers is looked at, in seconds. */
  readonly seconds: number;
  /** The time between two updates, in milliseconds. */
  readonly updateEveryMs: number;
}

/** What a number of viewers costs. */
export interface RelayPoint {
  /** How many there are. */
  readonly viewers: number;
  /** The processor time of one update of one viewer, in microseconds. */
  readonly cpuUs: number;
  /** What one update of one viewer takes on the wire, in bytes, with the chunks of HTTP. */
  readonly bytes: number;
  /** What a viewer takes on the heap of V8, and in the memory of the process, in bytes. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** The whole heap, in megabytes. */
  readonly heapMb: number;
  /** The part of one core that all of it takes. */
  readonly load: number;
  /** How old what is told is when it is read, in milliseconds since the upstream wrote it. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** How many of the updates that were due came, as a part. */
  readonly arrived: number;
}

/** What viewers cost in a runtime. */
export interface RelayScale {
  /** Those of a relay, by their number. */
  readonly relay: readonly RelayPoint[];
  /** Those of the least that a server does. */
  readonly floor: readonly RelayPoint[];
}

/** The runtimes in which a relay is measured. */
export const RELAY_RUNTIMES = ["Deno", "workerd"] as const;

/** What was measured. */
export interface RelayCost extends Readonly<Record<typeof RELAY_RUNTIMES[number], RelayScale>> {
  /** The time between two updates, in milliseconds. */
  readonly updateEveryMs: number;
  /** A relay in Deno that watches another one, which is told ten times as often. */
  readonly secondLevel: RelayPoint;
}

/** How many processes the viewers are in. */
const VIEWER_PROCESSES = 2;

/** What was counted while a number of viewers watched. */
interface Sample {
  readonly viewers: number;
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly received: readonly Received[];
}

/** All viewers of a host, in their processes. */
class Viewers implements AsyncDisposable {
  readonly #processes: readonly Conversation[];

  constructor(script: string, url: string) {
    this.#processes = Array.from(
      { length: VIEWER_PROCESSES },
      () => startTask("Node", script, { kind: "viewers", url }),
    );
  }

  /** Lets viewers come until there are so many. */
  async growTo(size: number): Promise<void> {
    const sizeOf = (index: number) => Math.floor((size + index) / VIEWER_PROCESSES);
    await Promise.all(this.#processes.map((process, index) => process.ask(String(sizeOf(index)))));
  }

  /** Tells what all receive in a time. */
  async receive(milliseconds: number): Promise<Received[]> {
    await this.#ask("begin");
    await realClock.sleep(milliseconds);
    return await this.#ask("end");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) await process[Symbol.asyncDispose]();
  }

  #ask(line: string): Promise<Received[]> {
    return Promise.all(
      this.#processes.map(async (process) => JSON.parse(await process.ask(line)) as Received),
    );
  }
}

async function sample(
  host: Host,
  viewers: Viewers,
  size: number,
  { seconds, updateEveryMs }: RelayBenchOptions,
): Promise<Sample> {
  await viewers.growTo(size);
  await viewers.receive(updateEveryMs); // until those who came last are told with the others
  const [startedAt, cpuBefore] = [performance.now(), host.cpuMs()];
  const received = await viewers.receive(seconds * 1_000);
  const [elapsedMs, cpuMs] = [performance.now() - startedAt, host.cpuMs() - cpuBefore];
  const residentBytes = host.residentBytes();
  return {
    viewers: size,
    elapsedMs,
    cpuMs,
    heapBytes: await host.heapBytes(),
    residentBytes,
    received,
  };
}

function sum(received: readonly Received[], field: "updates" | "bytes"): number {
  return received.reduce((all, one) => all + one[field], 0);
}

/** The age below which a part of the updates is. */
function ageAt(received: readonly Received[], part: number): number {
  const ages = received.flatMap(({ ages }) => ages).toSorted(([a], [b]) => a - b);
  let left = sum(received, "updates") * part;
  return ages.find(([, updates]) => (left -= updates) <= 0)?.[0] ?? NaN;
}

/** What viewers cost beyond the first one. */
function costOf(now: Sample, first: Sample, updateEveryMs: number): RelayPoint {
  const { viewers, elapsedMs, received } = now;
  const more = (field: "cpuMs" | "heapBytes" | "residentBytes") => now[field] - first[field];
  const updates = sum(received, "updates");
  return {
    viewers,
    cpuUs: round(more("cpuMs") * 1_000 / (updates - sum(first.received, "updates")), 2),
    bytes: round(sum(received, "bytes") / updates, 0),
    heapBytes: round(more("heapBytes") / (viewers - 1), 0),
    residentBytes: round(more("residentBytes") / (viewers - 1), 0),
    heapMb: round(now.heapBytes / 1e6, 1),
    load: round(now.cpuMs / elapsedMs, 3),
    medianMs: ageAt(received, 0.5),
    p99Ms: ageAt(received, 0.99),
    arrived: round(updates * updateEveryMs / elapsedMs / viewers, 3),
  };
}

/** Measures what numbers of viewers cost, from few to many. */
async function measureHost(
  host: Host,
  script: string,
  sizes: readonly number[],
  options: RelayBenchOptions,
): Promise<RelayPoint[]> {
  await using viewers = new Viewers(script, host.url);
  const first = await sample(host, viewers, 1, options);
  const points: RelayPoint[] = [];
  for (const size of sizes) {
    points.push(costOf(await sample(host, viewers, size, options), first, options.updateEveryMs));
  }
  return points;
}

/** Measures a relay that follows a server of pulls, or what stands in its place. */
async function measureServed(
  serves: Served,
  start: StartHost,
  script: string,
  options: RelayBenchOptions,
): Promise<RelayPoint[]> {
  const server = new LiveServer(Infinity);
  const { updateEveryMs, sizes } = options;
  const upstream = await server.listen();
  await using host = await start({ serves, upstream, updateEveryMs });
  try {
    return await measureHost(host, script, sizes, options);
  } finally {
    server.close();
  }
}

/** A first relay tells its few watchers so many times as often as a second one tells its many. */
const FIRST_LEVEL_TIMES_AS_OFTEN = 10;

/** Measures a relay that watches another one. */
async function measureSecondLevel(
  script: string,
  options: RelayBenchOptions,
): Promise<RelayPoint> {
  const server = new LiveServer(Infinity);
  const { updateEveryMs, secondLevelSize } = options;
  await using first = await startInDeno({
    serves: "relay",
    upstream: await server.listen(),
    updateEveryMs: updateEveryMs / FIRST_LEVEL_TIMES_AS_OFTEN,
  });
  await using second = await startInDeno({
    serves: "second relay",
    upstream: first.url,
    updateEveryMs,
  });
  try {
    const [point] = await measureHost(second, script, [secondLevelSize], options);
    return point!;
  } finally {
    server.close();
  }
}

/**
 * Measures what viewers of a relay cost.
 *
 * @param script The bundle of `program.ts`.
 * @param workerScript Where the bundle of the Worker goes.
 */
export async function measureRelay(
  script: string,
  workerScript: string,
  options: RelayBenchOptions,
): Promise<RelayCost> {
  await bundle("bench/relay_worker.ts", workerScript, "--platform", "browser");
  const starts = { Deno: startInDeno, workerd: workerdStarter(workerScript) };
  const scaleOf = async (start: StartHost) => ({
    relay: await measureServed("relay", start, script, options),
    floor: await measureServed("floor", start, script, options),
  });
  return {
    updateEveryMs: options.updateEveryMs,
    Deno: await scaleOf(starts.Deno),
    workerd: await scaleOf(starts.workerd),
    secondLevel: await measureSecondLevel(script, options),
  };
}
