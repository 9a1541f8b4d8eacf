/**
 * Measures what a pull costs at the edge, in workerd, the runtime of Cloudflare's Workers. Its own clocks
 * stand still while a Worker computes, so the CPU time is the one that the system counts for its process.
 *
 * - From memory: a pull of an hour, one line per chunk. The cost of only reading the same chunks is
 *   subtracted.
 * - Live: many pulls at once from a server on this machine, each with a line every 60 ms. The cost is
 *   everything that workerd does, including reading sockets and waking up.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";
import type { Followed } from "./edge_worker.ts";
import { LiveServer, TICK_MS } from "./live_server.ts";
import { cpuClockOf, findWorkerd } from "./processes.ts";
import { bundle } from "./runtimes.ts";
import { round } from "./rounds.ts";

const LINES_AN_HOUR = 3_600_000 / TICK_MS;

/** How much to measure. */
export interface EdgeOptions {
  /** How many pulls are read from memory, one after another. */
  readonly repeats: number;
  /** For how many seconds pulls are followed live. */
  readonly seconds: number;
}

/** What was measured. */
export interface Edge {
  /** The CPU time of following a pull of an hour from memory, in milliseconds. */
  readonly followMs: number;
  /** The CPU time of only reading the same chunks. */
  readonly readMs: number;
  /** Pulls that were followed live. */
  readonly live: {
    /** How many at the same time. */
    readonly pulls: number;
    /** For how long. */
    readonly seconds: number;
    /** The fraction of all lines that arrived. */
    readonly arrived: number;
    /** The fraction of these that arrived later than the next one was due. */
    readonly late: number;
    /** The total CPU time per line, in microseconds. */
    readonly followUs: number;
    /** The CPU time of only reading a line. */
    readonly readUs: number;
    /** The fraction of one core that all of them took. */
    readonly load: number;
  };
  /** How many live pulls one core can follow, computed from the time per line. */
  readonly pullsPerCore: number;
}

/** Sends a request to the Worker. Returns its result and the CPU time it took. */
class Edgy implements AsyncDisposable {
  readonly #miniflare: Miniflare;
  readonly #cpu: () => number;

  private constructor(miniflare: Miniflare) {
    this.#miniflare = miniflare;
    this.#cpu = cpuClockOf(findWorkerd());
  }

  static async start(script: string): Promise<Edgy> {
    const contents = readFileSync(script, "utf8");
    const miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "worker.mjs", contents }],
      compatibilityDate: "2026-07-01",
    });
    await miniflare.ready;
    return new Edgy(miniflare);
  }

  async ask(path: string): Promise<Followed> {
    const response = await this.#miniflare.dispatchFetch(`http://localhost${path}`);
    if (!response.ok) throw new Error(`The Worker failed: ${await response.text()}`);
    return await response.json() as Followed;
  }

  async cpuOf(work: () => Promise<unknown>): Promise<number> {
    const before = this.#cpu();
    await work();
    return this.#cpu() - before;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#miniflare.dispose();
  }
}

/** The CPU time of a pull of an hour from memory, in milliseconds. */
async function measureReplay(edge: Edgy, what: string, repeats: number): Promise<number> {
  const path = `/${what}?lines=${LINES_AN_HOUR}`;
  await edge.ask(path); // to warm up
  const all = await edge.cpuOf(async () => {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const { items } = await edge.ask(path);
      if (items < LINES_AN_HOUR) throw new Error(`${items} of ${LINES_AN_HOUR} lines came`);
    }
  });
  return all / repeats;
}

async function measureLive(edge: Edgy, what: string, pulls: number, seconds: number) {
  using server = new LiveServer(Math.round(seconds * 1_000 / TICK_MS));
  const path = `/${what}?from=${encodeURIComponent(await server.listen())}`;
  let followed: Followed[] = [];
  const cpuMs = await edge.cpuOf(async () => {
    followed = await Promise.all(Array.from({ length: pulls }, () => edge.ask(path)));
  });
  const sum = (field: keyof Followed) => followed.reduce((all, one) => all + one[field], 0);
  // Besides its ticks, a pull has a first and a last line.
  const ticks = sum("items") - 2 * pulls;
  return {
    arrived: ticks / server.sent,
    late: sum("late") / ticks,
    usPerLine: cpuMs * 1_000 / server.sent,
    load: cpuMs / (seconds * 1_000),
  };
}

/** How many pulls to follow to estimate how many are possible. */
const FIRST_PULLS = 50;

/** Half of what one core can follow, because the core also has other work. */
function pullsToFollow(usPerLine: number): number {
  return Math.max(1, Math.floor(TICK_MS * 1_000 / usPerLine / 2));
}

/** Measures what a pull costs at the edge. */
export async function measureEdge(script: string, options: EdgeOptions): Promise<Edge> {
  await bundle("bench/edge_worker.ts", script, "--platform", "browser");
  await using edge = await Edgy.start(script);
  const followMs = await measureReplay(edge, "follow", options.repeats);
  const readMs = await measureReplay(edge, "read", options.repeats);
  const { seconds } = options;
  const first = await measureLive(edge, "follow", FIRST_PULLS, Math.ceil(seconds / 3));
  const pulls = pullsToFollow(first.usPerLine);
  const followed = await measureLive(edge, "follow", pulls, seconds);
  const read = await measureLive(edge, "read", pulls, seconds);
  return {
    followMs: round(followMs, 0),
    readMs: round(readMs, 0),
    live: {
      pulls,
      seconds,
      arrived: round(followed.arrived, 4),
      late: round(followed.late, 4),
      followUs: round(followed.usPerLine, 1),
      readUs: round(read.usPerLine, 1),
      load: round(followed.load, 2),
    },
    pullsPerCore: Math.floor(TICK_MS * 1_000 / followed.usPerLine),
  };
}
