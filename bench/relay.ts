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
import { costOf, type RelayCost, type RelayPoint, type Sample } from "./relay_cost.ts";
import type { Received } from "./relay_viewers.ts";
import { bundle, type Conversation, startTask } from "./runtimes.ts";

/** How much to measure. */
export interface RelayBenchOptions {
  /** How many viewers there are, from few to many. */
  readonly sizes: readonly number[];
  /** How many viewers the floor has. */
  readonly floorSizes: readonly number[];
  /** How many viewers a second relay has, which watches a first one. */
  readonly secondLevelSize: number;
  /** How long each number of viewers is looked at, in seconds. */
  readonly seconds: number;
  /** The time between two updates, in milliseconds. */
  readonly updateEveryMs: number;
}

/** How many processes the viewers are in. */
const VIEWER_PROCESSES = 2;

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
  const heapBytes = await host.heapBytes(); // and what it took to connect is no longer to be collected
  await viewers.receive(updateEveryMs); // until those who came last are told with the others
  const [startedAt, cpuBefore] = [performance.now(), host.cpuMs()];
  const received = await viewers.receive(seconds * 1_000);
  const [elapsedMs, cpuMs] = [performance.now() - startedAt, host.cpuMs() - cpuBefore];
  const residentBytes = host.residentBytes();
  return { viewers: size, elapsedMs, cpuMs, heapBytes, residentBytes, received };
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
    points.push(costOf(await sample(host, viewers, size, options), first));
  }
  return points;
}

/** Measures a relay that follows a server of pulls, or what stands in its place. */
async function measureServed(
  serves: Served,
  start: StartHost,
  script: string,
  sizes: readonly number[],
  options: RelayBenchOptions,
): Promise<RelayPoint[]> {
  const server = new LiveServer(Infinity);
  const { updateEveryMs } = options;
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
    relay: await measureServed("relay", start, script, options.sizes, options),
    floor: await measureServed("floor", start, script, options.floorSizes, options),
  });
  return {
    updateEveryMs: options.updateEveryMs,
    Deno: await scaleOf(starts.Deno),
    workerd: await scaleOf(starts.workerd),
    secondLevel: await measureSecondLevel(script, options),
  };
}
