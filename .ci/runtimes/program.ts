/**
 * The program that runs in every runtime, with the package in its published form: everything that a user would
 * import, and both suites, against subjects that keep the rules and subjects that break them.
 *
 * This file is copied into the folder of each consumer. It needs only its own imports.
 *
 * @module
 */

import {
  decodeProgress,
  decodePull,
  encodeStatus,
  formatProgress,
  NdjsonDecoderStream,
  NdjsonEncoderStream,
  pull,
  PullError,
  pullModel,
  type PullModelOptions,
  PullProgressStream,
  PullStatusStream,
} from "@ollama-pull/kit";
import {
  type ClientRun,
  type ClientSubject,
  mockServer,
  type Report,
  reporters,
  runClientConformance,
  runServerConformance,
  type ServerSubject,
} from "@ollama-pull/kit/conformance";
import { createMockServer } from "@ollama-pull/kit/mock";
import { fromRecords, fromResponse, toRecords, toResponse } from "@ollama-pull/kit/relay";

/** How many inputs are tried for each rule, and the seed. */
const RUN = { runs: 5, seed: 1, shrinkTimeMs: 0 };

/** The result. */
export interface Findings {
  /** The runtime, as the package reports it. */
  readonly runtime: string;
  /** The verdict on each rule, by subject. */
  readonly verdicts: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The client of the package. */
const ownClient: ClientSubject = {
  name: "pull",
  reports: "progress",
  transport: "in-process",
  timeLimitMs: 250,
  async pull({ host, fetch, model, signal, onUpdate }: ClientRun) {
    const progress = pull(model, {
      host,
      fetch,
      signal,
      stallTimeoutMs: 250,
      silenceTimeoutMs: 250,
    });
    for await (const update of progress) onUpdate(update);
  },
};

/** The client that people typically copy and paste. */
const pastedClient: ClientSubject = {
  name: "split and parse",
  reports: "statuses",
  transport: "in-process",
  async pull({ host, fetch, model, signal, onUpdate }: ClientRun) {
    const body = JSON.stringify({ model });
    const response = await fetch(new Request(`${host}/api/pull`, { method: "POST", body, signal }));
    const reader = response.body!.getReader();
    const utf8 = new TextDecoder();
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const line of utf8.decode(value).split("\n")) if (line) onUpdate(JSON.parse(line));
    }
  },
};

/** A server that cuts off the end of each answer. */
const hastyServer: ServerSubject = mockServer({
  name: "hasty",
  wrap: (mock) => async (request) => {
    const { body, status, headers } = await mock.fetch(request);
    let isFirst = true;
    const first = body?.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          if (isFirst) controller.enqueue(chunk);
          else controller.terminate();
          isFirst = false;
        },
      }),
    );
    return new Response(first ?? null, { status, headers });
  },
});

/** Runs the suites. */
async function runSuites(): Promise<Findings> {
  const reports: Report[] = [];
  for (const client of [ownClient, pastedClient]) {
    reports.push(await runClientConformance(client, RUN));
  }
  for (const server of [mockServer({ dialect: "v0.33" }), hastyServer]) {
    reports.push(await runServerConformance(server, RUN));
  }
  if (!reporters.pretty(reports).includes("S-SEQ-1")) throw new Error("The report is empty");
  const verdicts = reports.map(({ subject, results }) => [
    subject.name,
    Object.fromEntries(results.map(({ id, verdict }) => [id, verdict])),
  ]);
  return { runtime: reports[0]!.runtime, verdicts: Object.fromEntries(verdicts) };
}

function expectEqual(actual: unknown, expected: unknown): void {
  const [seen, wanted] = [actual, expected].map((value) => JSON.stringify(value));
  if (seen !== wanted) throw new Error(`${seen} is not ${wanted}`);
}

// Not every runtime has `Array.fromAsync` and `ReadableStream.from`.
async function collect<Item>(stream: ReadableStream<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

function streamOf<Item>(items: readonly Item[]): ReadableStream<Item> {
  return new ReadableStream({
    start(controller) {
      for (const item of items) controller.enqueue(item);
      controller.close();
    },
  });
}

/** A pull fails in the middle, and the next one resumes from there. */
async function tryClient(): Promise<void> {
  const { fetch } = createMockServer({
    models: [{ name: "tiny", layers: [{ size: 40_000_000_000 }] }],
    faults: [{ kind: "reset", at: { completed: "50%" }, times: 1 }],
  });
  const failure = await pullModel("tiny", { fetch }).catch((error) => error);
  if (!(failure instanceof PullError)) throw failure;
  expectEqual(failure.code, "network");
  const last = (await collect(pull("tiny", { fetch }))).at(-1);
  expectEqual([last?.phase, last?.fraction, last?.layers[0]?.completed], ["success", 1, 4e10]);
}

/** Separate steps and a single call have the same result. */
async function trySteps(): Promise<void> {
  const { fetch } = createMockServer({ models: ["llama3.2"], dialect: "v0.33" });
  const init = { method: "POST", body: '{"model":"llama3.2"}' };
  const response = await fetch(new Request("http://localhost/api/pull", init));
  const bytes = new Uint8Array(await response.arrayBuffer());
  const body = () => streamOf([bytes]);
  const now = () => 0;

  const statuses = await collect(decodePull(body()));
  expectEqual(statuses.at(-1), { kind: "success", status: "success" });
  const typed = body().pipeThrough(new NdjsonDecoderStream()).pipeThrough(new PullStatusStream());
  expectEqual(await collect(typed), statuses);
  const encoded = streamOf(statuses.map(encodeStatus)).pipeThrough(new NdjsonEncoderStream());
  const again = await new Response(encoded).arrayBuffer();
  expectEqual(Array.from(new Uint8Array(again)), Array.from(bytes));

  const snapshots = await collect(
    streamOf(statuses).pipeThrough(new PullProgressStream({ now })),
  );
  expectEqual(snapshots.length, statuses.length);
  const fused = await collect(decodeProgress(body(), { now }));
  expectEqual(fused.at(-1), snapshots.at(-1));
}

/** Progress and failures can be sent in every way. */
async function tryBorders(): Promise<void> {
  const start = (model: string) => pull(model, { ...createMockServer().client });
  const snapshots = await collect(start("llama3.2"));
  const crossings = {
    sse: (model: string) => fromResponse(toResponse(start(model))),
    ndjson: (model: string) => fromResponse(toResponse(start(model), { format: "ndjson" })),
    messages: (model: string) => fromRecords(throughChannel(toRecords(start(model)))),
  };
  for (const [name, cross] of Object.entries(crossings)) {
    expectEqual([name, await collect(cross("llama3.2"))], [name, snapshots]);
    const { error } = await collectUntilFailure(cross("not-there"));
    expectEqual([name, PullError.from(error)?.reason], [name, "model-not-found"]);
  }
}

/** The output of a message channel. */
function throughChannel(values: ReadableStream<unknown>): ReadableStream<unknown> {
  const { port1, port2 } = new MessageChannel();
  return new ReadableStream({
    async start(controller) {
      port2.onmessage = ({ data }) => controller.enqueue(data);
      for await (const value of values as AsyncIterable<unknown> & typeof values) {
        port1.postMessage(value);
      }
    },
    cancel: () => port2.close(),
  });
}

/** Formatted progress is right, whatever the runtime's own language is. */
function tryWords(): void {
  const progress = {
    completed: 512,
    total: 2_019_393_189,
    totalIsKnown: true,
    fraction: 0.6,
    bytesPerSecond: 53_100_000,
    etaSeconds: 4_790,
  };
  const english = "60%, 512 B of 2.0 GB, 53 MB/s, 1 h 20 min left";
  expectEqual(formatProgress(progress).line, english);
  const words = { of: "von", left: "noch {time}", separator: " · " };
  const german = formatProgress(progress, { locale: "de", words }).line;
  expectEqual(/^60\s%.+ von 2,0\s.+ · 53\s.+ · noch 1\s.+ 20\s.+$/.test(german), true);
  expectEqual(/[\u0660-\u0669]/.test(formatProgress(progress, { locale: "ar-EG" }).line), true);
}

/** An endless body with one line per chunk, which counts its reads and cancels. */
function endlessBody() {
  let noteCancelled!: (reason: unknown) => void;
  const cancelled = new Promise<unknown>((resolve) => noteCancelled = resolve);
  const seen = { reads: 0, cancelled };
  const line = '{"status":"pulling a","digest":"sha256:a","total":1000000,"completed":';
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      controller.enqueue(new TextEncoder().encode(`${line}${++seen.reads}}\n`));
    },
    cancel: noteCancelled,
  }, { highWaterMark: 0 });
  return { body, seen };
}

/** A body that breaks after two lines. */
function brokenBody(): ReadableStream<Uint8Array> {
  const lines = '{"status":"pulling manifest"}\n{"status":"pulling a","digest":"sha256:a"}\n';
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(lines)),
    pull: (controller) => controller.error(new Error("broken")),
  }, { highWaterMark: 0 });
}

async function collectUntilFailure(stream: ReadableStream<unknown>) {
  let items = 0;
  try {
    for await (const _ of stream) items++;
    return { items };
  } catch (error) {
    return { items, error };
  }
}

/** The ways to turn a body into progress. */
const PATHS = {
  steps: (body: ReadableStream<Uint8Array>) =>
    body
      .pipeThrough(new NdjsonDecoderStream())
      .pipeThrough(new PullStatusStream())
      .pipeThrough(new PullProgressStream()),
  decodeProgress: (body: ReadableStream<Uint8Array>) => decodeProgress(body),
  pull: (body: ReadableStream<Uint8Array>) => pull("a", { fetch: () => new Response(body) }),
};

/** Nothing is read before it is requested, and leaving a stream cancels its source. */
async function tryStreams(): Promise<void> {
  for (const [name, path] of Object.entries(PATHS)) {
    const { body, seen } = endlessBody();
    const reader = path(body).getReader();
    for (let read = 1; read <= 20; read++) {
      await reader.read();
      // Each step of a pipe may hold one value that has not been requested yet.
      const ahead = name === "steps" ? 3 : 1;
      if (seen.reads > read + ahead) throw new Error(`${name} reads ${seen.reads} for ${read}`);
    }
    await reader.cancel("enough");
    expectEqual([name, await seen.cancelled], [name, "enough"]);

    const other = endlessBody();
    for await (const { completed } of path(other.body)) if (completed > 5) break;
    await other.seen.cancelled;

    const { items, error } = await collectUntilFailure(path(brokenBody()));
    expectEqual([name, items > 0, /broken/.test(String(error))], [name, true, true]);
  }
}

/** An abort ends a pull at any point, with the given reason. */
async function tryAbort(): Promise<void> {
  const silent = () => new Promise<Response>(() => {});
  const answers = () => new Response(new ReadableStream());
  for (const fetch of [silent, answers]) {
    const controller = new AbortController();
    const reading = pullModel("a", { fetch, signal: controller.signal }).catch((error) => error);
    setTimeout(() => controller.abort("enough"), 0);
    expectEqual(await reading, "enough");
  }
}

/** Tries everything. Fails if anything is wrong. */
export async function tryPackage(): Promise<Findings> {
  tryWords();
  await tryClient();
  await trySteps();
  await tryBorders();
  await tryStreams();
  await tryAbort();
  return await runSuites();
}

/** The models that {@link tryNetwork} pulls: one that never ends, one that ends soon, one that never begins. */
export const LEFT_MODELS = { endless: "endless", short: "short", silent: "silent" } as const;

/** How many pulls {@link tryNetwork} begins, and how many of them it lets end. */
export const LEFT_PULLS = { all: 6, finished: 1 } as const;

/** Network situations during a pull, with options, and how the pull ends in each. */
const SITUATIONS: Readonly<Record<string, [options: PullModelOptions, endings: string[]]>> = {
  "temporarily-moved": [{}, ["success"]],
  "moved": [{}, ["http redirected", "http wrong-address"]], // browsers follow, but do not say where to
  "moved-with-headers": [{ headers: { "X-Key": "secret" } }, ["http redirected"]],
  "failed": [{ retries: 1 }, ["success"]],
  "busy": [{ retries: 1 }, ["success"]],
  "frozen": [{ retries: 1, stallTimeoutMs: 200 }, ["success"]],
  "frozen-for-ever": [{ stallTimeoutMs: 200 }, ["stalled undefined"]],
  "silent": [{ stallTimeoutMs: 10, silenceTimeoutMs: 200 }, ["stalled undefined"]],
  "page": [{ retries: 9 }, ["malformed wrong-address"]],
  "running": [{ retries: 9 }, ["malformed wrong-address"]],
  "list": [{ retries: 9 }, ["malformed wrong-address"]],
  "gateway": [{ retries: 9 }, ["http model-not-found"]],
  "full": [{ retries: 9 }, ["server disk-full"]],
  "spread": [{ stream: false }, ["success"]],
};

/** Pulls through each situation of a server of `upstream.ts`. */
async function trySituations(host: string): Promise<void> {
  for (const [situation, [options, endings]] of Object.entries(SITUATIONS)) {
    const pulling = pullModel("a", {
      random: () => 1,
      ...options,
      host: `${host}/situations/${situation}`,
    });
    const ending = await pulling.then(() => "success", ({ code, reason }) => `${code} ${reason}`);
    expectEqual([situation, endings.includes(ending) ? "as it should" : ending], [
      situation,
      "as it should",
    ]);
  }
}

/**
 * Pulls from a server through every network situation, and abandons pulls in every state,
 * so that the server can count what is left open.
 */
export async function tryNetwork(host: string): Promise<void> {
  await trySituations(host);
  await leavePulls(host);
}

/** Abandons pulls in every state. */
async function leavePulls(host: string): Promise<void> {
  const { endless, short, silent } = LEFT_MODELS;
  let begun = 0;
  /** Waits until a server of `upstream.ts` has received all pulls. (CORS preflights may delay some.) */
  const settle = async () => void await (await fetch(`${host}/arrived?pulls=${begun}`)).text();

  const abort = async (model: string, reads: number) => {
    const controller = new AbortController();
    const options = { host, signal: controller.signal, stallTimeoutMs: 3_600_000 };
    const reader = pull(model, options).getReader();
    for (let read = 0; read < reads; read++) await reader.read();
    const reason = readToEnd(reader).catch((reason) => reason);
    begun++;
    await settle();
    (globalThis as { gc?: () => void }).gc?.(); // nothing may depend on an object that can be collected
    controller.abort("enough");
    expectEqual(await reason, "enough");
  };
  await abort(silent, 0); // before the answer
  await abort(endless, 0); // at its beginning
  await abort(endless, 3);

  const cancelled = pull(endless, { host }).getReader();
  await cancelled.read();
  await Promise.all([cancelled.cancel(), cancelled.cancel()]);
  for await (const { completed } of pull(endless, { host })) if (completed > 0) break;

  const controller = new AbortController();
  const finished = pull(short, { host, signal: controller.signal }).getReader();
  await readToEnd(finished);
  await finished.cancel();
  controller.abort();
}

async function readToEnd(reader: ReadableStreamDefaultReader<unknown>): Promise<void> {
  while (!(await reader.read()).done);
}
