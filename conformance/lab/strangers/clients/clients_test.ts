import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { ClientSubject } from "../../../client/subject.ts";
import {
  rightClient,
  rightCommand,
  rightProgressClient,
  type StrangerClient,
  strangerClients,
} from "./mod.ts";
import { TIME_LIMIT_MS } from "./right_client.ts";
import {
  type Outcome,
  outcomeOf,
  outcomeOfCommand,
  sendText,
  serve,
  type Situation,
} from "./test_helpers.ts";

const A = `sha256:${"a".repeat(64)}`;
const B = `sha256:${"b".repeat(64)}`;

const MANIFEST = { status: "pulling manifest" };
const VERIFYING = { status: "verifying sha256 digest" };
const WRITING = { status: "writing manifest" };
const SUCCESS = { status: "success" };

function layer(digest: string, total?: number, completed?: number): object {
  return { status: `pulling ${digest.slice(7, 19)}`, digest, total, completed };
}

function lines(...objects: readonly object[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join("");
}

/** A pull of these objects and a success. */
function pullOf(...objects: readonly object[]): Situation {
  return { answers: [{ chunks: [lines(MANIFEST, ...objects, SUCCESS)] }] };
}

function lastOf({ updates }: Outcome): unknown {
  return updates.at(-1);
}

const failureOf = ({ failure }: Outcome) => failure;
const endOf = (outcome: Outcome) => [failureOf(outcome), lastOf(outcome)];
const requestsOf = ({ requests }: Outcome) => requests;
const sumsOf = (outcome: Outcome) => {
  const { completed, total } = lastOf(outcome) as { completed: number; total: number };
  return { completed, total };
};

/** What shows that a client is wrong. */
interface Case {
  readonly situation: Situation;
  /** What to look at. */
  readonly look: (outcome: Outcome) => unknown;
  /** What a client that is right shows. */
  readonly right: unknown;
  /** What the client shows. */
  readonly wrong: unknown;
}

const encode = (text: string) => new TextEncoder().encode(text);

function cutWithin(text: string, character: string, byte: number): Uint8Array[] {
  const index = encode(text.slice(0, text.indexOf(character))).length + byte;
  return [encode(text).slice(0, index), encode(text).slice(index)];
}

/** Digests that differ from the twelfth character on. */
const ALIKE = ["0".repeat(59), "1".repeat(59)].map((rest) => `sha256:abcde${rest}`);

const MANY = Array.from({ length: 40 }, (_, index) => `sha256:${String(index).padStart(64, "0")}`);

function* twoStalledLayers(): Generator<string> {
  yield lines(MANIFEST);
  for (;;) yield* [lines(layer(A, 10, 5)), lines(layer(B, 10, 5))];
}

const BRACE = { status: "couldn't remove unused layers: open blobs/{" };
const PATH = { status: "couldn't remove unused layers: C:\\models\\" };
const EMOJI = { status: "llama 🦙" };
const NEWER = "pull model manifest: 412:\nThis model needs a newer version of Ollama\n";
const LONG = { status: "x".repeat(70_000) };

const CASES: Readonly<Record<string, Case>> = {
  "counts the braces in strings, too": {
    situation: pullOf(BRACE),
    look: endOf,
    right: [undefined, SUCCESS],
    wrong: [
      `A line is not a JSON object: ${JSON.stringify(lines(BRACE, SUCCESS).slice(0, 60))}`,
      MANIFEST,
    ],
  },
  "takes the quote after an escaped backslash for a part of the string": {
    situation: pullOf(PATH),
    look: endOf,
    right: [undefined, SUCCESS],
    wrong: [
      `A line is not a JSON object: ${JSON.stringify(lines(PATH, SUCCESS).slice(0, 60))}`,
      MANIFEST,
    ],
  },
  "stops quietly at a line of more than 64 KiB": {
    situation: pullOf(LONG),
    look: failureOf,
    right: undefined,
    wrong: 'The pull ended without success, after "pulling manifest"',
  },
  "breaks a character of four bytes that is cut after the third": {
    situation: { answers: [{ chunks: cutWithin(lines(EMOJI, SUCCESS), "🦙", 3) }] },
    look: ({ updates }) => updates[0],
    right: EMOJI,
    wrong: { status: "llama ��" },
  },
  "reads figures only where no space comes before them": {
    situation: {
      answers: [{ chunks: [`{"digest": "${A}", "total": 10, "completed": 10}\n`, lines(SUCCESS)] }],
    },
    look: sumsOf,
    right: { completed: 10, total: 10 },
    wrong: { completed: 0, total: 0 },
  },
  "unescapes newlines before it parses a line": {
    situation: { answers: [{ chunks: [lines(MANIFEST, { error: NEWER })] }] },
    look: failureOf,
    right: NEWER,
    wrong: String.raw`A line is not a JSON object: "{\"error\":\"pull model manifest: 412:"`,
  },
  'looks for "success" in quotes anywhere in the line': {
    situation: pullOf({ ...layer(A, 10, 5), check: "success" }, layer(A, 10, 10)),
    look: endOf,
    right: [undefined, SUCCESS],
    wrong: [undefined, { ...parsed(layer(A, 10, 5)), check: "success" }],
  },
  "takes any line with the word error for one": {
    situation: pullOf({ status: "couldn't remove unused layers: input/output error" }),
    look: failureOf,
    right: undefined,
    wrong: `{"status":"couldn't remove unused layers: input/output error"}`,
  },
  "takes an error of null for an error": {
    situation: pullOf({ ...layer(A, 10, 10), error: null }),
    look: failureOf,
    right: undefined,
    wrong: "null",
  },
  "knows layers by twelve characters of `sha256:…`, which are five digits": {
    situation: pullOf(...ALIKE.map((digest) => layer(digest, 10, 10))),
    look: sumsOf,
    right: { completed: 20, total: 20 },
    wrong: { completed: 10, total: 10 },
  },
  "takes the size of a layer from its first line only": {
    situation: pullOf(layer(A), layer(B, 10, 5), layer(A, 10, 5)),
    look: sumsOf,
    right: { completed: 20, total: 20 },
    wrong: { completed: 10, total: 10 },
  },
  "adds up the newest 32 layers, which are those that it shows": {
    situation: pullOf(...MANY.map((digest) => layer(digest, 10, 10))),
    look: sumsOf,
    right: { completed: 400, total: 400 },
    wrong: { completed: 320, total: 320 },
  },
  'takes the end for success after "writing manifest"': {
    situation: { answers: [{ chunks: [lines(MANIFEST, layer(A, 10, 10), VERIFYING, WRITING)] }] },
    look: failureOf,
    right: 'The pull ended without success, after "writing manifest"',
    wrong: undefined,
  },
  "passes over an error once the final phases have begun": {
    situation: {
      answers: [{ chunks: [lines(MANIFEST, VERIFYING, { error: "digest mismatch" })] }],
    },
    look: failureOf,
    right: "digest mismatch",
    wrong: 'The pull ended without success, after "verifying sha256 digest"',
  },
  "waits for the end of the answer after success": {
    situation: { answers: [{ chunks: [lines(MANIFEST, SUCCESS)], ending: "break" }] },
    look: failureOf,
    right: undefined,
    wrong: "The connection broke: reset",
  },
  "asks for a single object when it pulls again": {
    situation: {
      answers: [
        { chunks: [lines(MANIFEST)], ending: "break" },
        { chunks: [lines(SUCCESS)] },
      ],
    },
    look: requestsOf,
    right: ['POST /api/pull  {"model":"tiny"}'],
    wrong: ['POST /api/pull  {"model":"tiny"}', 'POST /api/pull  {"model":"tiny","stream":false}'],
  },
  "drops the path of the host": {
    situation: { ...pullOf(), host: "http://tiny.test/ollama/" },
    look: requestsOf,
    right: ['POST /ollama/api/pull  {"model":"tiny"}'],
    wrong: ['POST /api/pull  {"model":"tiny"}'],
  },
  "follows every redirect with GET": {
    situation: {
      answers: [
        { status: 308, headers: { Location: "/elsewhere" }, chunks: [] },
        { chunks: [lines(SUCCESS)] },
      ],
    },
    look: requestsOf,
    right: ['POST /api/pull  {"model":"tiny"}', 'POST /elsewhere  {"model":"tiny"}'],
    wrong: ['POST /api/pull  {"model":"tiny"}', "GET /elsewhere"],
  },
  "loses the tag of a model on a registry with a port": {
    situation: { ...pullOf(), model: "localhost:5000/library/tiny:7b" },
    look: requestsOf,
    right: ['POST /api/pull  {"model":"localhost:5000/library/tiny:7b"}'],
    wrong: ['POST /api/pull  {"model":"localhost:5000/library/tiny"}'],
  },
  "writes the model in small letters": {
    situation: { ...pullOf(), model: "hf.co/Owner/Tiny-GGUF:Q4_K_M" },
    look: requestsOf,
    right: ['POST /api/pull  {"model":"hf.co/Owner/Tiny-GGUF:Q4_K_M"}'],
    wrong: ['POST /api/pull  {"model":"hf.co/owner/tiny-gguf:q4_k_m"}'],
  },
  "always allows an insecure registry": {
    situation: pullOf(),
    look: requestsOf,
    right: ['POST /api/pull  {"model":"tiny"}'],
    wrong: ['POST /api/pull  {"model":"tiny","insecure":true}'],
  },
  "cannot be cancelled once the final phases have begun": {
    situation: {
      answers: [{ chunks: [lines(MANIFEST, VERIFYING)], ending: "open" }],
      cancelOn: VERIFYING.status,
    },
    look: failureOf,
    right: "cancelled",
    wrong: "still running",
  },
  "has no time limit once the final phases have begun": {
    situation: { answers: [{ chunks: [lines(MANIFEST, VERIFYING)], ending: "open" }] },
    look: failureOf,
    right: "Nothing new has come for too long",
    wrong: "still running",
  },
  "takes two layers that stand still for progress": {
    situation: { answers: [{ chunks: twoStalledLayers(), isPaced: true }] },
    look: failureOf,
    right: "Nothing new has come for too long",
    wrong: "still running",
  },
  "reports downloads in batches, which phases overtake": {
    situation: pullOf(layer(A, 10, 10)),
    look: ({ updates }) => updates,
    right: [MANIFEST, parsed(layer(A, 10, 10)), SUCCESS],
    wrong: [MANIFEST, SUCCESS, parsed(layer(A, 10, 10))],
  },
};

/** An object as it comes out of JSON, without the fields that have no value. */
function parsed(object: object): object {
  return JSON.parse(JSON.stringify(object));
}

function controlOf({ form, client }: StrangerClient): ClientSubject {
  if (form === "command") return rightCommand;
  return client.reports === "progress" ? rightProgressClient : rightClient;
}

const inProcess = strangerClients.filter(({ form }) => form === "in-process");
const commands = strangerClients.filter(({ form }) => form === "command");

function named(name: string): ClientSubject {
  return strangerClients.find((stranger) => stranger.name === name)!.client;
}

const PLAIN = lines(
  MANIFEST,
  layer(A, 10),
  layer(A, 10, 4),
  layer(A, 10, 9),
  layer(B, 20, 20),
  VERIFYING,
  WRITING,
  { status: "removing any unused layers" },
  SUCCESS,
);

describe("the clients", () => {
  it("are thirty, each with a name of its own, at most eight of them commands", () => {
    assertEquals(new Set(strangerClients.map(({ name }) => name)).size, 30);
    assert(commands.length <= 8);
    assertEquals(inProcess.map(({ name }) => name), Object.keys(CASES));
  });

  for (const stranger of inProcess) {
    const { name, client, difficulty } = stranger;

    it(`in process: ${name}`, async () => {
      const { situation, look, right, wrong } = CASES[name]!;
      assertNotEquals(right, wrong);
      assertEquals(look(await outcomeOf(controlOf(stranger), fresh(situation))), right);
      assertEquals(look(await outcomeOf(client, fresh(situation))), wrong);
    });

    if (difficulty === "easy") continue;

    it(`a plain pull does not show it: ${name}`, async () => {
      for (const chunks of [[PLAIN], PLAIN.split(/(?<=\n)/), [...PLAIN]]) {
        const { updates, failure } = await outcomeOf(client, { answers: [{ chunks }] });
        const control = await outcomeOf(controlOf(stranger), { answers: [{ chunks }] });
        assertEquals(failure, undefined);
        assertEquals(updates, control.updates);
      }
    });
  }

  for (const { name, client } of [...commands, { name: rightCommand.name, client: rightCommand }]) {
    if (name === "asks for gzip and cannot read it") continue;

    it(`a plain pull does not show it: ${name}`, async () => {
      await using server = await serve(sendText(PLAIN));
      const { updates, failure } = await outcomeOfCommand(client, server.host);
      assertEquals(failure, undefined);
      assertEquals(updates, PLAIN.trim().split("\n").map((line) => JSON.parse(line)));
    });
  }
});

/** A situation whose chunks were not read yet. */
function fresh(situation: Situation): Situation {
  const isEndless =
    situation === CASES["takes two layers that stand still for progress"]!.situation;
  return isEndless ? { answers: [{ chunks: twoStalledLayers(), isPaced: true }] } : situation;
}

describe("the right clients", () => {
  it("fail with what an error says, whatever its shape", async () => {
    for (const error of ["disk full", { message: "disk full" }, { error: "disk full" }]) {
      const situation = { answers: [{ chunks: [lines(MANIFEST, { error })] }] };
      assertEquals((await outcomeOf(rightClient, situation)).failure, "disk full");
    }
  });

  it("fail with what an HTTP error says", async () => {
    for (
      const body of ["disk full", '{"error":"disk full"}', '{"errors":[{"message":"disk full"}]}']
    ) {
      const situation = { answers: [{ status: 500, chunks: [body] }] };
      assertEquals((await outcomeOf(rightClient, situation)).failure, "HTTP 500 : disk full");
    }
  });

  it("are patient while bytes come, however slowly", async () => {
    const chunks = lines({ status: "x".repeat(2 * TIME_LIMIT_MS) }, SUCCESS);
    const situation = { answers: [{ chunks, isPaced: true }], patienceMs: 10_000 };
    assertEquals((await outcomeOf(rightClient, situation)).failure, undefined);
  });

  it("give up when the same line comes again and again", async () => {
    const chunks = Array<string>(1_000).fill(lines(layer(A, 10, 5)));
    const situation = { answers: [{ chunks, isPaced: true }] };
    const { failure } = await outcomeOf(rightClient, situation);
    assertEquals(failure, "Nothing new has come for too long");
  });

  it("report progress that never falls and is 1 only on success", async () => {
    const situation = pullOf(layer(A, 10, 9), layer(A, 10, 2), layer(B, 90, 0), VERIFYING, WRITING);
    const { updates } = await outcomeOf(rightProgressClient, situation);
    const fractions = updates.map((update) => (update as { fraction: number }).fraction);
    assertEquals(fractions, [0, 0.9, 0.9, 0.9, 0.999, 0.999, 1]);
    assertEquals(updates.at(-1), { completed: 100, total: 100, fraction: 1 });
  });
});

describe("the commands", () => {
  it("exits before its output is written", async () => {
    const text = lines(...Array(40_000).fill(MANIFEST), SUCCESS);
    assertEquals(await printedToSlowReader("right.mjs", text), text.length);
    assert(await printedToSlowReader("exits_before_flush.mjs", text) < text.length);
  });

  it("exits with 0 however the pull ends", async () => {
    await using server = await serve(sendText(lines(MANIFEST, { error: "disk full" })));
    const stranger = named("exits with 0 however the pull ends");
    assertEquals((await outcomeOfCommand(rightCommand, server.host)).failure, "disk full");
    assertEquals((await outcomeOfCommand(stranger, server.host)).failure, undefined);
  });

  it("writes its updates in blocks of 4 KiB", async () => {
    assert(await reportsWhileThePullGoesOn(rightCommand));
    assert(!await reportsWhileThePullGoesOn(named("writes its updates in blocks of 4 KiB")));
  });

  it("exits with 0 when it is interrupted", async () => {
    await using server = await serve((_, response) => response.write(lines(MANIFEST)));
    const interrupt = (client: ClientSubject) =>
      outcomeOfCommand(client, server.host, (_, cancel) => cancel());
    const stranger = named("exits with 0 when it is interrupted");
    assertEquals((await interrupt(rightCommand)).failure, "The command exited with 130");
    assertEquals((await interrupt(stranger)).failure, undefined);
  });

  it("asks for gzip and cannot read it", async () => {
    await using server = await serve(sendText(PLAIN));
    const { failure } = await outcomeOfCommand(
      named("asks for gzip and cannot read it"),
      server.host,
    );
    assert(failure?.includes("is not valid JSON"), failure);
  });
});

/** How many bytes a script has printed for a reader that starts when the script has read its answer. */
async function printedToSlowReader(script: string, text: string): Promise<number> {
  const hasRead = Promise.withResolvers<void>();
  await using server = await serve((_, response) => {
    response.on("close", hasRead.resolve).write(text);
  });
  const path = fileURLToPath(new URL(`./commands/${script}`, import.meta.url));
  const child = spawn("node", [path, "tiny"], {
    env: { ...process.env, OLLAMA_HOST: server.host },
  });
  await hasRead.promise;
  let bytes = 0;
  child.stdout.on("data", (chunk: Uint8Array) => bytes += chunk.length);
  await once(child, "close");
  return bytes;
}

/** For how long a server waits for an update before it goes on without. */
const PATIENCE_MS = 2_000;

/** Whether the first update of a command comes before the server has said more. */
async function reportsWhileThePullGoesOn(client: ClientSubject): Promise<boolean> {
  const isReported = Promise.withResolvers<boolean>();
  await using server = await serve(async (_: IncomingMessage, response: ServerResponse) => {
    response.write(lines(MANIFEST));
    const timer = setTimeout(() => isReported.resolve(false), PATIENCE_MS);
    await isReported.promise;
    clearTimeout(timer);
    response.end(lines(SUCCESS));
  });
  await outcomeOfCommand(client, server.host, () => isReported.resolve(true));
  return await isReported.promise;
}
