/**
 * Measures what the viewers of a relay cost. All of them watch one pull, whose server writes a line every
 * 60 ms, and get an update every second.
 *
 *     LiveServer ── a line every 60 ms ──▶ relay ── an update a second ──▶ viewers
 *     this process               a process of Deno or workerd          two processes
 *
 * The floor is measured as well: a handler that sends as many bytes to as many plain streams. What it costs
 * is the runtime's; the rest is the relay's. Every figure is per additional viewer: the cost of the same
 * process with one viewer is subtracted.
 *
 * @module
 */

import { realClock } from "../mock/mod.ts";
import { LiveServer } from "./live_server.ts";
import { openFileLimit } from "./processes.ts";
import type { Served } from "./relay_handlers.ts";
import { type Host, type StartHost, startInDeno, workerdStarter } from "./relay_hosts.ts";
import { costOf, type RelayCost, type RelayPoint, type Sample } from "./relay_cost.ts";
import type { Received } from "./relay_viewers.ts";
import { bundle, type Conversation, startTask } from "./runtimes.ts";

/** How much to measure. */
export interface RelayBenchOptions {
  /** The numbers of viewers, in ascending order. */
  readonly sizes: readonly number[];
  /** The same for the floor. */
  readonly floorSizes: readonly number[];
  /** The number of viewers of a relay that watches another one. */
  readonly secondLevelSize: number;
  /** How long each number of viewers is measured, in seconds. */
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

  /** Connects viewers until there are so many. */
  async growTo(size: number): Promise<void> {
    const sizeOf = (index: number) => Math.floor((size + index) / VIEWER_PROCESSES);
    await Promise.all(this.#processes.map((process, index) => process.ask(String(sizeOf(index)))));
  }

  /** Counts what all viewers receive in some time. */
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
  const heapBytes = await host.heapBytes(); // which also collects the garbage of connecting
  await viewers.receive(updateEveryMs); // until the last ones are updated together with the others
  const [startedAt, cpuBefore] = [performance.now(), host.cpuMs()];
  const received = await viewers.receive(seconds * 1_000);
  const [elapsedMs, cpuMs] = [performance.now() - startedAt, host.cpuMs() - cpuBefore];
  const residentBytes = host.residentBytes();
  return { viewers: size, elapsedMs, cpuMs, heapBytes, residentBytes, received };
}

/** Measures each number of viewers. */
async function measureHost(
  host: Host,
  script: string,
  sizes: readonly number[],
  options: RelayBenchOptions,
): Promise<RelayPoint[]> {
  await using viewers = new Viewers(script, host.url);
  await sample(host, viewers, 1, options); // until what runs often is compiled
  const first = await sample(host, viewers, 1, options);
  const points: RelayPoint[] = [];
  for (const size of sizes) {
    points.push(costOf(await sample(host, viewers, size, options), first));
  }
  return points;
}

/** Measures what follows a server of pulls: a relay, or the floor. */
async function measureServed(
  serves: Served,
  start: StartHost,
  script: string,
  sizes: readonly number[],
  options: RelayBenchOptions,
): Promise<RelayPoint[]> {
  using server = new LiveServer(Infinity);
  const upstream = await server.listen();
  await using host = await start({ serves, upstream, updateEveryMs: options.updateEveryMs });
  return await measureHost(host, script, sizes, options);
}

/** How many times as often as its own viewers the second relay is updated by the first one. */
const FIRST_LEVEL_TIMES_AS_OFTEN = 10;

/** Measures a relay that watches another one. */
async function measureSecondLevel(script: string, options: RelayBenchOptions): Promise<RelayPoint> {
  using server = new LiveServer(Infinity);
  const { updateEveryMs, secondLevelSize } = options;
  await using first = await startInDeno({
    serves: "relay",
    upstream: await server.listen(),
    updateEveryMs: updateEveryMs / FIRST_LEVEL_TIMES_AS_OFTEN,
  });
  const served = { serves: "second relay", upstream: first.url, updateEveryMs } as const;
  await using second = await startInDeno(served);
  const [point] = await measureHost(second, script, [secondLevelSize], options);
  return point!;
}

/** How many files a relay has open besides the sockets of its viewers, at most. */
const OTHER_FILES = 200;

/** The sizes for which a process may have enough sockets on this machine. */
function possible(sizes: readonly number[]): number[] {
  const limit = openFileLimit();
  const most = limit - OTHER_FILES;
  const tooMany = sizes.filter((size) => size > most);
  if (tooMany.length > 0) {
    console.log(`${tooMany.join(", ")} viewers are left out: \`ulimit -n\` is ${limit}`);
  }
  return sizes.filter((size) => size <= most);
}

/**
 * Measures what the viewers of a relay cost.
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
  const [sizes, floorSizes] = [possible(options.sizes), possible(options.floorSizes)];
  const scaleOf = async (start: StartHost) => ({
    relay: await measureServed("relay", start, script, sizes, options),
    floor: await measureServed("floor", start, script, floorSizes, options),
  });
  return {
    updateEveryMs: options.updateEveryMs,
    Deno: await scaleOf(startInDeno),
    workerd: await scaleOf(workerdStarter(workerScript)),
    secondLevel: await measureSecondLevel(script, options),
  };
}
