/**
 * How much the mock bears, printed for people: `deno run --allow-all bench/mock_bench.ts [name…]`.
 *
 * - `process`: a thousand pulls at the same time in this process, in real time. How late are ticks?
 * - `http`: the same through loopback, with the server in a process of its own.
 * - `lines`: a pull of ten million lines in virtual time. How fast is it, and does memory stay flat?
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createMockServer, realClock } from "../mock/mod.ts";

const PULLS = 1_000;
const SECONDS = 10;
const TICK_MS = 60;
const LINES = 10_000_000;
/** Enough for no pull to end. */
const LAYER_BYTES = 2 ** 52;

const models = [{ name: "endless", layers: [{ size: LAYER_BYTES }] }];

/** Begins a pull. */
type BeginPull = (signal: AbortSignal) => Promise<Response>;

/** Answers being read. One that is forgotten by all may be collected, and then no signal ends it. */
const responses = new Set<Response>();

/** The times, in milliseconds, at which a pull's ticks came, counted from its first line. */
async function readTicks(beginPull: BeginPull, signal: AbortSignal): Promise<number[]> {
  const ticks: number[] = [];
  try {
    let startedAt: number | undefined;
    const response = await beginPull(signal);
    responses.add(response);
    for await (const chunk of response.body!) {
      const now = performance.now();
      if (startedAt === undefined) startedAt = now;
      else for (const byte of chunk) if (byte === 0x0a) ticks.push(now - startedAt);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return ticks;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Runs the pulls, ends them all, and prints how late their ticks were. */
async function measurePulls(name: string, beginPull: BeginPull): Promise<void> {
  const controller = new AbortController();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const reading = Array.from({ length: PULLS }, () => readTicks(beginPull, controller.signal));
  await realClock.sleep(SECONDS * 1_000);
  controller.abort();
  const all = await Promise.all(reading);
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);

  // A tick that came after the next one was due is missing, and counts as that one.
  const late = all.flat().map((time) => time % TICK_MS).sort((a, b) => a - b);
  const due = all.reduce((sum, ticks) => sum + Math.floor((ticks.at(-1) ?? 0) / TICK_MS), 0);
  const ms = (share: number) => `${quantile(late, share).toFixed(1)} ms`;
  console.log(`${name}: ${PULLS} pulls for ${seconds.toFixed(1)} s`);
  console.log(`  ${late.length} of ${due} ticks came before the next one was due`);
  console.log(
    `  late: ${ms(0.5)} at the median, ${ms(0.99)} at the 99th percentile, ${ms(1)} at most`,
  );
  console.log(
    `  ${((user + system) / 1e6 / seconds * 100).toFixed(0)} % of one core, in this process`,
  );
}

async function benchProcess(): Promise<void> {
  const server = createMockServer({ models, dialect: "v0.5", clock: realClock });
  await measurePulls("In process", async (signal) => {
    const init = { method: "POST", body: '{"model":"endless"}', signal };
    return await server.fetch("http://localhost/api/pull", init);
  });
  const running = server.requests.filter(({ outcome }) => outcome === "running").length;
  console.log(`  left behind: ${server.activeDownloads} downloads, ${running} requests`);
}

/** Starts this file as a server in a process of its own. */
async function startServer(): Promise<{ child: ChildProcess; url: string }> {
  const script = fileURLToPath(import.meta.url);
  const args = "Deno" in globalThis ? ["run", "--allow-all", script] : [script];
  const child = spawn(process.execPath, [...args, "serve"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve) => {
    child.stdout!.once("data", (line) => resolve(String(line).trim()));
  });
  return { child, url };
}

/** Serves until its standard input ends, and says what is left behind then. */
async function serve(): Promise<void> {
  const server = createMockServer({ models, dialect: "v0.5" });
  const { url } = await server.listen();
  console.log(url);
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once("end", resolve));
  const { user, system } = process.cpuUsage();
  const running = server.requests.filter(({ outcome }) => outcome === "running").length;
  console.error(`  left behind: ${server.activeDownloads} downloads, ${running} requests`);
  console.error(`  the server took ${((user + system) / 1e6).toFixed(1)} s of CPU`);
  await server[Symbol.asyncDispose]();
}

async function benchHttp(): Promise<void> {
  const { child, url } = await startServer();
  await measurePulls("Over HTTP", async (signal) => {
    const init = { method: "POST", body: '{"model":"endless"}', signal };
    return await fetch(`${url}/api/pull`, init);
  });
  await realClock.sleep(500); // for the server to notice that they are gone
  child.stdin!.end();
  await new Promise((resolve) => child.once("exit", resolve));
}

async function benchLines(): Promise<void> {
  const bytesPerTick = 100_000_000 * TICK_MS / 1_000;
  const large = [{ name: "large", layers: [{ size: LINES * bytesPerTick }] }];
  const server = createMockServer({ models: large, dialect: "v0.5" });
  const init = { method: "POST", body: '{"model":"large"}' };
  const { body } = await server.fetch("http://localhost/api/pull", init);

  const before = process.memoryUsage().rss;
  let peak = before;
  let lines = 0;
  const startedAt = performance.now();
  for await (const _chunk of body!) {
    if (++lines % 100_000 === 0) peak = Math.max(peak, process.memoryUsage().rss);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const growth = (peak - before) / 1024 / 1024;
  console.log(`Virtual time: ${lines} lines in ${seconds.toFixed(1)} s`);
  console.log(
    `  ${Math.round(lines / seconds)} lines a second, ${
      (seconds / lines * 1e6).toFixed(2)
    } µs each`,
  );
  console.log(`  ${growth.toFixed(1)} MB more than at the start, at most`);
}

const BENCHMARKS: Record<string, () => Promise<void>> = {
  process: benchProcess,
  http: benchHttp,
  lines: benchLines,
};

const names = process.argv.slice(2);
if (names[0] === "serve") await serve();
else {for (const name of names.length > 0 ? names : Object.keys(BENCHMARKS)) {
    await BENCHMARKS[name]?.();
  }}
