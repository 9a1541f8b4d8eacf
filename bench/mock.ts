/**
 * Measures what the mock costs the people who test with it, in Deno.
 *
 * - In virtual time: the cost of a line, in a pull that is read as fast as possible.
 * - In process: many pulls at once in real time, how late their lines are, and how much of a core they take.
 * - Over sockets: the same with the mock in a separate process, and how many pulls one core can serve.
 * - From npm, in Node: how soon it is ready (`start_up.ts`).
 *
 * @module
 */

import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { createMockServer, realClock } from "../mock/mod.ts";
import { median } from "./rounds.ts";
import { versionOf } from "./runtimes.ts";
import { measureStartUp, type StartUp } from "./start_up.ts";

const TICK_MS = 60;
const BYTES_PER_TICK = 6_000;

/** How much to measure. */
export interface MockBenchOptions {
  /** How many lines to read in virtual time. */
  readonly lines: number;
  /** How many pulls there are at once, in process and over sockets. */
  readonly pulls: number;
  /** For how many seconds they are followed. */
  readonly seconds: number;
  /** How often the mock is started. */
  readonly starts: number;
}

/** What was measured. */
export interface MockCost {
  /** The CPU time of a line in virtual time, in nanoseconds. */
  readonly virtualNs: number;
  /** The CPU time of reading the same from a stream that does nothing else, in nanoseconds. */
  readonly floorNs: number;
  /** Pulls in process, in real time. */
  readonly inProcess: LiveCost;
  /** Pulls over sockets. The load is that of the server. */
  readonly sockets: LiveCost;
  /** How many pulls over sockets one core can serve, computed from their cost. */
  readonly pullsPerCore: number;
  /** How soon the mock is ready, if Node is installed. */
  readonly startUp?: StartUp;
}

/** The cost of many pulls at once. */
export interface LiveCost {
  /** How many there were. */
  readonly pulls: number;
  /** How many milliseconds late a line was, at the median. */
  readonly lateMs: number;
  /** The fraction of one core that they took. */
  readonly load: number;
}

/** A pull that reports a line every 60 ms and does not end during the measurement. */
function endlessModel(lines: number) {
  return { name: "m", layers: [{ size: lines * BYTES_PER_TICK }] };
}

const RATE = BYTES_PER_TICK * 1_000 / TICK_MS;
const PULL = { method: "POST", body: '{"model":"m"}' } as const;
const HOST = "http://localhost/api/pull";

/** The CPU time of some work, in milliseconds. */
async function processorTime(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

async function readAll(body: ReadableStream<Uint8Array>): Promise<number> {
  const reader = body.getReader();
  for (let chunks = 0;; chunks++) if ((await reader.read()).done) return chunks;
}

async function measureVirtual(lines: number): Promise<{ virtualNs: number; floorNs: number }> {
  const { fetch } = createMockServer({
    models: [endlessModel(lines)],
    dialect: "v0.33",
    bytesPerSecond: RATE,
  });
  let chunks = 0;
  const pullMs = await processorTime(async () => {
    chunks = await readAll((await fetch(HOST, PULL)).body!);
  });
  let left = chunks;
  const chunk = new Uint8Array(150);
  const idle = new ReadableStream<Uint8Array>({
    pull: (controller) => left-- > 0 ? controller.enqueue(chunk.slice()) : controller.close(),
  }, { highWaterMark: 0 });
  const floorMs = await processorTime(async () => void await readAll(idle));
  return { virtualNs: pullMs * 1e6 / chunks, floorNs: floorMs * 1e6 / chunks };
}

/** Records when the lines of pulls arrive. One is due in every tick, and none arrives early. */
class Lateness {
  readonly #pulls: number[][] = [];

  /** Starts watching a pull. Returns a function to call for each line. */
  begin(): () => void {
    const offsets: number[] = [];
    this.#pulls.push(offsets);
    return () => void offsets.push(performance.now() - TICK_MS * offsets.length);
  }

  /** How late the lines were, in milliseconds, at the median, compared with the most punctual one. */
  get median(): number {
    return median(this.#pulls.flatMap((offsets) => {
      const earliest = Math.min(...offsets);
      return offsets.map((offset) => offset - earliest);
    }));
  }
}

async function measureInProcess({ pulls, seconds }: MockBenchOptions): Promise<LiveCost> {
  const { fetch } = createMockServer({
    models: [endlessModel(1e9)],
    dialect: "v0.33",
    bytesPerSecond: RATE * pulls,
    clock: realClock,
  });
  const lateness = new Lateness();
  const stopping = new AbortController();
  const follow = async (index: number) => {
    await realClock.sleep(TICK_MS * index / pulls); // not all in the same moment
    const { body } = await fetch(HOST, { ...PULL, signal: stopping.signal });
    const reader = body!.getReader();
    await reader.read(); // `pulling manifest`, which comes at once
    const note = lateness.begin();
    while (!(await reader.read()).done) note();
  };
  const startedAt = performance.now();
  const milliseconds = await processorTime(async () => {
    const all = Array.from({ length: pulls }, (_, index) => follow(index).catch(() => {}));
    await realClock.sleep(seconds * 1_000);
    stopping.abort();
    await Promise.all(all);
  });
  const load = milliseconds / (performance.now() - startedAt);
  return { pulls, lateMs: lateness.median, load };
}

/** A mock in a separate process, which reports on request the CPU time it has used. */
async function startServer(pulls: number) {
  const script = fileURLToPath(new URL("mock_process.ts", import.meta.url));
  const args = ["run", "--allow-all", script, String(RATE * pulls)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdout.setEncoding("utf8");
  const read = () => new Promise<string>((resolve) => child.stdout.once("data", resolve));
  const port = Number(await read());
  const askProcessorTime = async () => {
    const answer = read();
    child.stdin.write("?");
    return Number(await answer);
  };
  return { port, askProcessorTime, stop: () => child.kill("SIGKILL") };
}

/** Follows a pull over its own socket, counting lines by their newlines. */
function followSocket(port: number, note: () => void): Socket {
  const { method, body } = PULL;
  const head =
    `${method} /api/pull HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n`;
  const socket = connect(port, "127.0.0.1", () => socket.write(`${head}\r\n${body}`));
  socket.on("data", (chunk) => {
    if (chunk.includes('"completed"')) note();
  });
  return socket.on("error", () => {});
}

async function measureSockets({ pulls, seconds }: MockBenchOptions): Promise<LiveCost> {
  const { port, askProcessorTime, stop } = await startServer(pulls);
  const lateness = new Lateness();
  const sockets = Array.from({ length: pulls }, () => followSocket(port, lateness.begin()));
  await realClock.sleep(1_000); // until all of them are under way
  const [before, startedAt] = [await askProcessorTime(), performance.now()];
  await realClock.sleep(seconds * 1_000);
  const load = (await askProcessorTime() - before) / (performance.now() - startedAt);
  for (const socket of sockets) socket.destroy();
  stop();
  return { pulls, lateMs: lateness.median, load };
}

/** Measures what the mock costs. */
export async function measureMock(options: MockBenchOptions): Promise<MockCost> {
  const virtual = await measureVirtual(options.lines);
  const inProcess = await measureInProcess(options);
  const sockets = await measureSockets(options);
  const pullsPerCore = Math.floor(sockets.pulls / sockets.load);
  const hasNode = await versionOf("Node") !== undefined;
  const startUp = hasNode ? await measureStartUp(options.starts) : undefined;
  return { ...virtual, inProcess, sockets, pullsPerCore, ...(startUp && { startUp }) };
}
