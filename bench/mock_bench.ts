/**
 * Measures the limits of the mock, for people: `deno run --allow-all bench/mock_bench.ts [name…]`.
 *
 * - `process`: a thousand pulls at once in this process, in real time. How late are ticks?
 * - `http`: the same over loopback, with the server in a separate process.
 * - `lines`: a pull of ten million lines in virtual time. How fast is it, and does memory stay flat?
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createMockServer, realClock } from "../mock/mod.ts";

const PULLS = 1_000;
const SECONDS = 10;
const TICK_MS = 60;
const LINES = 10_000_000;
/** The default bandwidth of a mock. */
const BYTES_PER_MS = 100_000;
/** Enough for no pull to end. */
const LAYER_BYTES = 2 ** 52;

const models = [{ name: "endless", layers: [{ size: LAYER_BYTES }] }];

/** Runs a pull until the signal aborts, and passes on its output as it arrives. */
type RunPull = (onText: (text: string) => void, signal: AbortSignal) => Promise<void>;

/** A line about the download, in milliseconds of this process's clock. */
interface Tick {
  readonly cameAt: number;
  /** When the server wrote it, according to the line itself, since the download began. */
  readonly wroteAfter: number;
}

/** The result of one pull. */
interface PullTicks {
  /** When its first line arrived, from which its ticks are counted. */
  readonly beganAt: number;
  readonly ticks: Tick[];
}

async function readTicks(runPull: RunPull, signal: AbortSignal): Promise<PullTicks> {
  const ticks: Tick[] = [];
  let beganAt = NaN;
  await runPull((text) => {
    const cameAt = performance.now();
    if (Number.isNaN(beganAt)) beganAt = cameAt;
    for (const [, completed] of text.matchAll(/"completed":(\d+)/g)) {
      // All pulls share one download, so its byte count shows the time.
      ticks.push({ cameAt, wroteAfter: Number(completed) / BYTES_PER_MS });
    }
  }, signal);
  return { beganAt, ticks };
}

/** How late every tick came, in milliseconds. */
function latenessOf(pulls: readonly PullTicks[]): number[] {
  const all = pulls.flatMap(({ ticks }) => ticks);
  // The line that arrived fastest shows when the download began.
  const startedAt = all.reduce(
    (least, { cameAt, wroteAfter }) => Math.min(least, cameAt - wroteAfter),
    Infinity,
  );
  return pulls.flatMap(({ beganAt, ticks }) =>
    ticks.map(({ cameAt, wroteAfter }) => {
      // Its first line may have taken some time, so that its ticks seem early.
      const tick = Math.floor((startedAt + wroteAfter - beganAt) / TICK_MS + 0.1);
      return cameAt - beganAt - Math.max(1, tick) * TICK_MS;
    })
  );
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Runs the pulls, ends them all, and prints how late their ticks were. */
async function measurePulls(name: string, runPull: RunPull): Promise<void> {
  const controller = new AbortController();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const reading = Array.from({ length: PULLS }, () => readTicks(runPull, controller.signal));
  await realClock.sleep(SECONDS * 1_000);
  controller.abort();
  const all = await Promise.all(reading);
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);

  const late = latenessOf(all).sort((a, b) => a - b);
  const due = all.reduce(
    (sum, { beganAt, ticks }) =>
      sum + Math.floor(((ticks.at(-1)?.cameAt ?? beganAt) - beganAt) / TICK_MS),
    0,
  );
  const ms = (share: number) => `${quantile(late, share).toFixed(1)} ms`;
  console.log(`${name}: ${PULLS} pulls for ${seconds.toFixed(1)} s`);
  console.log(
    `  late: ${ms(0.5)} at the median, ${ms(0.99)} at the 99th percentile, ${ms(1)} at most`,
  );
  console.log(
    `  ${late.length} of ${due} ticks were sent; those that a slow reader misses are left out`,
  );
  console.log(
    `  ${((user + system) / 1e6 / seconds * 100).toFixed(0)} % of one core, in this process`,
  );
}

async function benchProcess(): Promise<void> {
  const server = createMockServer({ models, dialect: "v0.33", clock: realClock });
  await measurePulls("In process", async (onText, signal) => {
    const utf8 = new TextDecoder();
    const init = { method: "POST", body: '{"model":"endless"}', signal };
    const response = await server.fetch("http://localhost/api/pull", init);
    try {
      for await (const chunk of response.body!) onText(utf8.decode(chunk));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  });
  const running = server.requests.filter(({ outcome }) => outcome === "running").length;
  console.log(`  left behind: ${server.activeDownloads} downloads, ${running} requests`);
}

/** Starts this file as a server in a separate process. */
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

/** Serves until its standard input ends, and reports what is left then. */
async function serve(): Promise<void> {
  const server = createMockServer({ models, dialect: "v0.33" });
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

/** A hand-written client, fast enough not to dominate the measurement. */
function pullThroughSocket(url: string): RunPull {
  const { hostname, port } = new URL(url);
  const body = '{"model":"endless"}';
  const request = `POST /api/pull HTTP/1.1\r\nHost: ${hostname}:${port}\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
  return (onText, signal) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(request));
    signal.addEventListener("abort", () => socket.destroy());
    socket.on("data", (chunk) => onText(chunk.toString()));
    return new Promise((resolve, reject) => {
      socket.once("close", () => resolve());
      socket.once("error", reject);
    });
  };
}

async function benchHttp(): Promise<void> {
  const { child, url } = await startServer();
  await measurePulls("Over HTTP", pullThroughSocket(url));
  await realClock.sleep(500); // for the server to notice that they are gone
  child.stdin!.end();
  await new Promise((resolve) => child.once("exit", resolve));
}

async function benchLines(): Promise<void> {
  const large = [{ name: "large", layers: [{ size: LINES * TICK_MS * BYTES_PER_MS }] }];
  const server = createMockServer({ models: large, dialect: "v0.33" });
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
