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

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import process from "node:process";
import { Miniflare } from "miniflare";
import type { Followed } from "./edge_worker.ts";
import { bundle } from "./runtimes.ts";
import { round } from "./rounds.ts";

const TICK_MS = 60;
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

/** The process of workerd that this process has started. */
function findWorkerd(): number {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const [, command, parent] = readFileSync(`/proc/${name}/stat`, "utf8")
        .match(/\((.*)\) \S (\d+)/) ?? [];
      if (command === "workerd" && Number(parent) === process.pid) return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error("There is no process of workerd");
}

/** A clock that shows the CPU time of a process, in milliseconds. */
function cpuClockOf(pid: number): () => number {
  const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  return () => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond * 1_000;
  };
}

/** A server that sends a line every 60 ms to each of its callers, for some time, and then `success`. */
class LiveServer {
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #ticks: number;
  /** How many lines it has sent. */
  sent = 0;

  constructor(seconds: number) {
    this.#ticks = Math.round(seconds * 1_000 / TICK_MS);
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address() as { port: number };
    return `http://127.0.0.1:${address.port}/`;
  }

  close(): void {
    this.#server.close();
  }

  #serve(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
      this.#send(socket, '{"status":"pulling manifest"}\n');
      let ticks = 0;
      const timer = setInterval(() => {
        if (ticks++ === this.#ticks) {
          clearInterval(timer);
          this.#send(socket, '{"status":"success"}\n');
          socket.end("0\r\n\r\n");
          return;
        }
        this.sent++;
        // `completed` contains the time when the line was sent, by the clock that the Worker also has.
        const completed = Date.now();
        const digest = `sha256:${"5c3b7d79864ab13f".repeat(4)}`;
        const object = { status: "pulling 5c3b7d79864a", digest, total: 4e12, completed };
        this.#send(socket, `${JSON.stringify(object)}\n`);
      }, TICK_MS);
    });
  }

  #send(socket: Socket, line: string): void {
    socket.write(`${line.length.toString(16)}\r\n${line}\r\n`);
  }
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
  const server = new LiveServer(seconds);
  const path = `/${what}?from=${encodeURIComponent(await server.listen())}`;
  let followed: Followed[] = [];
  const cpuMs = await edge.cpuOf(async () => {
    followed = await Promise.all(Array.from({ length: pulls }, () => edge.ask(path)));
  });
  server.close();
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
