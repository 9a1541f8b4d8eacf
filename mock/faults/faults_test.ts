import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { type DialectName, dialects } from "../../src/dialects.ts";
import { ConfigurationError } from "../configuration_error.ts";
import type { RequestOutcome } from "../exchange/request_log.ts";
import type { MockServer } from "../options.ts";
import { createMockServer } from "../server.ts";
import {
  A,
  abbreviate,
  B,
  beginPull,
  CHANGED,
  mockOfSmall,
  pullText,
  readChunks,
  requestPull,
  SMALL,
  transcript,
} from "../test_helpers.ts";
import type { Fault } from "./faults.ts";
import { type FaultKind, faultKinds } from "./kinds.ts";
import { formatFault, parseFault } from "./parse.ts";

/** What the dialect v0.33 sends of a pull without faults. */
const LINES = [
  '{"status":"pulling manifest"}',
  '{"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":6000000}',
  '{"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":12000000}',
  '{"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":18000000}',
  '{"status":"verifying sha256 digest"}',
  '{"status":"writing manifest"}',
  '{"status":"success"}',
] as const;
const [MANIFEST, TICK_1, TICK_2, TICK_3, VERIFYING, WRITING, SUCCESS] = LINES;
const TEXT = LINES.map((line) => `${line}\n`).join("");

/** A line about the first layer. */
function tick(completed: number | undefined): string {
  const status = { status: "pulling aaaaaaaaaaaa", digest: "A", total: 20_000_000, completed };
  return JSON.stringify(status);
}

/** Half of the model, to the byte. */
const HALF = tick(11_500_250);

/** A mock that speaks v0.33, with faults. */
function faultyMock(...faults: Fault[]): MockServer {
  return mockOfSmall({ dialect: "v0.33", faults });
}

/** What a pull with a fault sends, and how it ends. */
interface Expected {
  /** The fault; just the kind where its defaults are meant. */
  fault: Fault;
  text: string;
  outcome: RequestOutcome;
  /** What the stream fails with. */
  failure?: string;
  /** How many chunks there are. One a line, unless told. */
  chunks?: number;
  /** When it ends, in milliseconds. */
  endsAt?: number;
}

const lines = (...all: string[]) => all.map((line) => `${line}\n`).join("");
const extra = ',"x-unknown":{"nested":["…",null,1.5]}}';
const withExtra = (line: string) => line.replace(/\}$/, extra);

/** One of each kind; those that have no stream at all come further down. */
const EXPECTED: Readonly<Record<Exclude<FaultKind, "http-error">, Expected>> = {
  "slow-first-byte": {
    fault: { kind: "slow-first-byte", ms: 700 },
    text: TEXT,
    outcome: "finished",
    endsAt: 930,
  },
  "error": {
    fault: { kind: "error" },
    text: lines(MANIFEST, TICK_1, HALF, '{"error":"max retries exceeded: unexpected EOF"}'),
    outcome: "faulted",
    endsAt: 115,
  },
  "disk-full": {
    fault: { kind: "disk-full", at: { layer: 1, completed: 1 } },
    text: lines(
      ...LINES.slice(0, 4),
      '{"status":"pulling bbbbbbbbbbbb","digest":"B","total":3000000,"completed":1}',
      '{"error":"write blob: no space left on device"}',
    ),
    outcome: "faulted",
  },
  "digest-mismatch": {
    fault: { kind: "digest-mismatch" },
    text: lines(
      ...LINES.slice(0, 5),
      '{"error":"digest mismatch, file must be downloaded again: want A, got ' +
        'sha256:c73edef2e9d23c6caa50d9d0effd4586056ded656f22d49009c295fda25200c4"}',
    ),
    outcome: "faulted",
  },
  "cut": {
    fault: { kind: "cut", at: { byte: 45 } },
    text: TEXT.slice(0, 45),
    outcome: "faulted",
  },
  "reset": {
    fault: { kind: "reset", at: { byte: 30 } },
    text: TEXT.slice(0, 30),
    outcome: "faulted",
    failure: "The mock broke the connection",
  },
  "stall": {
    fault: { kind: "stall", at: { line: 3 }, ms: 10_000 },
    text: lines(MANIFEST, TICK_1, TICK_2, VERIFYING, WRITING, SUCCESS),
    outcome: "finished",
    endsAt: 10_150,
  },
  "freeze": {
    fault: { kind: "freeze", ms: 120 },
    text: lines(
      ...[MANIFEST, TICK_1],
      ...[HALF, HALF, HALF], // and goes on at 235 ms
      ...[TICK_2, TICK_3, VERIFYING, WRITING, SUCCESS],
    ),
    outcome: "finished",
    endsAt: 350,
  },
  "rollback": {
    fault: { kind: "rollback" },
    text: lines(
      ...[MANIFEST, TICK_1, HALF],
      ...[499_750, 6_499_750, 12_499_750, 18_499_750].map(tick),
      ...[VERIFYING, WRITING, SUCCESS],
    ),
    outcome: "finished",
    endsAt: 345,
  },
  "malformed": {
    fault: { kind: "malformed", at: { line: 2 } },
    text: lines(MANIFEST, '{"status":"pulling', ...LINES.slice(1)),
    outcome: "finished",
  },
  "unknown-status": {
    fault: { kind: "unknown-status", at: { line: 1 } },
    text: lines('{"status":"reticulating splines"}', ...LINES),
    outcome: "finished",
  },
  "early-success": {
    fault: { kind: "early-success", at: { layer: 0 } },
    text: lines(MANIFEST, tick(1), SUCCESS, ...LINES.slice(1)),
    outcome: "finished",
  },
  "no-success": {
    fault: { kind: "no-success" },
    text: lines(...LINES.slice(0, -1)),
    outcome: "faulted",
  },
  "duplicate-phase": {
    fault: { kind: "duplicate-phase" },
    text: lines(
      ...[MANIFEST, MANIFEST, TICK_1, TICK_2, TICK_3],
      ...[VERIFYING, VERIFYING, WRITING, WRITING, SUCCESS, SUCCESS],
    ),
    outcome: "finished",
  },
  "out-of-order": {
    fault: { kind: "out-of-order" },
    text: lines(MANIFEST, TICK_1, TICK_2, TICK_3, WRITING, VERIFYING, SUCCESS),
    outcome: "finished",
  },
  "removing-fails": {
    fault: { kind: "removing-fails" },
    text: lines(
      ...[MANIFEST, tick(20_000_000)],
      '{"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500}',
      ...[VERIFYING, WRITING],
      '{"status":"removing unused layers"}',
      '{"status":"couldn\'t remove unused layers: permission denied"}',
      SUCCESS,
    ),
    outcome: "finished",
  },
  "unknown-fields": {
    fault: { kind: "unknown-fields", at: { line: 6 } },
    text: lines(...LINES.slice(0, 5), withExtra(WRITING), withExtra(SUCCESS)),
    outcome: "finished",
  },
  "completed-absent": {
    fault: { kind: "completed-absent", at: { completed: "50%" } },
    text: lines(
      ...[MANIFEST, TICK_1],
      ...[tick(undefined), tick(undefined)],
      ...[VERIFYING, WRITING, SUCCESS],
    ),
    outcome: "finished",
  },
  "completed-over-total": {
    fault: { kind: "completed-over-total", at: { completed: "50%" }, bytes: 5 },
    text: lines(
      ...[MANIFEST, TICK_1],
      ...[tick(20_000_005), tick(20_000_005)],
      ...[VERIFYING, WRITING, SUCCESS],
    ),
    outcome: "finished",
  },
  "completed-falls": {
    fault: { kind: "completed-falls" },
    text: lines(
      ...[MANIFEST, TICK_1, tick(5_000_000), TICK_3],
      ...[VERIFYING, WRITING, SUCCESS],
    ),
    outcome: "finished",
  },
  "crlf": {
    fault: { kind: "crlf" },
    text: TEXT.replaceAll("\n", "\r\n"),
    outcome: "finished",
  },
  "blank-lines": {
    fault: { kind: "blank-lines" },
    text: TEXT.replaceAll("\n", "\n\n"),
    outcome: "finished",
  },
  "split": {
    fault: { kind: "split", bytes: 10 },
    text: TEXT,
    outcome: "finished",
    // The digest is in full on the wire.
    chunks: LINES.map((line) => Math.ceil((line.replace('"A"', `"${A}"`).length + 1) / 10))
      .reduce((sum, chunks) => sum + chunks),
  },
  "coalesce": {
    fault: { kind: "coalesce", lines: 4 },
    text: TEXT,
    outcome: "finished",
    chunks: 2,
  },
  "no-final-newline": {
    fault: { kind: "no-final-newline" },
    text: TEXT.slice(0, -1),
    outcome: "finished",
  },
};

for (const [kind, expected] of Object.entries(EXPECTED)) {
  const { fault, text, outcome, failure, chunks, endsAt } = expected;

  describe(`The fault ${kind}`, () => {
    /** A mock that may have to remove something. */
    const prepare = async (server: MockServer) => {
      if (kind !== "removing-fails") return;
      await pullText(server);
      server.registry.publish(CHANGED);
      server.registry.publish({ ...CHANGED, layers: [CHANGED.layers[0]!] });
    };

    it("spoils a stream as it should", async () => {
      const server = faultyMock({ times: 1, ...fault });
      await prepare(server);
      const read = await readChunks(await requestPull(server));
      assertEquals(abbreviate(read.chunks.join("")), text);
      assertStrictEquals((read.failure as Error | undefined)?.message, failure);
      assertStrictEquals(read.chunks.length, chunks ?? text.split(/(?<=\n)(?=[^\n])/).length);
      if (endsAt !== undefined) assertStrictEquals(Math.round(server.clock.now()), endsAt);
    });

    it("is written down, with how the request ended", async () => {
      const server = faultyMock(fault);
      await prepare(server);
      await readChunks(await requestPull(server));
      const request = server.requests.at(-1)!;
      assertEquals([request.faults, request.outcome], [[kind as FaultKind], outcome]);
      assertStrictEquals(server.activeDownloads, 0);
    });

    it("strikes no more often than it is told to", async () => {
      const server = faultyMock({ ...fault, times: 1 });
      await prepare(server);
      await readChunks(await requestPull(server));
      server.registry.publish(SMALL);
      const read = await readChunks(await requestPull(server));
      assertStrictEquals(read.failure, undefined);
      assert(read.chunks.at(-1)!.endsWith(`${SUCCESS}\n`));
      assertEquals(server.requests.at(-1)!.faults, []);
    });

    it("spares the other models", async () => {
      const models = [SMALL, { ...SMALL, name: "other" }];
      const faults = [{ ...fault, model: "other" }];
      const server = createMockServer({ models, dialect: "v0.33", faults });
      assertStrictEquals(await transcript(server), TEXT);
      assertEquals(server.requests[0]!.faults, []);
    });
  });
}

describe("The fault http-error", () => {
  const answerTo = async (fault: Omit<Fault & { kind: "http-error" }, "kind">, stream = true) => {
    const server = faultyMock({ kind: "http-error", ...fault });
    const response = await requestPull(server, "small", { stream });
    const { faults, outcome, status } = server.requests[0]!;
    assertEquals({ faults, outcome, status }, {
      faults: ["http-error"],
      outcome: "faulted",
      status: response.status,
    });
    return [response.status, response.headers.get("Content-Type"), await response.text()];
  };

  it("answers with JSON", async () => {
    const body = '{"error":"internal server error"}';
    const answer = [500, "application/json; charset=utf-8", body];
    assertEquals(await answerTo({}), answer);
    assertEquals(await answerTo({}, false), answer);
  });

  it("answers as a proxy does, with HTML", async () => {
    const [status, type, text] = await answerTo({
      status: 502,
      body: "html",
      message: "Bad Gateway",
    });
    assertEquals([status, type], [502, "text/html"]);
    assertStringIncludes(String(text), "<h1>Bad Gateway</h1>");
  });

  it("answers with nothing but a status", async () => {
    assertEquals(await answerTo({ status: 503, body: "none" }), [503, null, ""]);
  });

  it("strikes no more often than it is told to", async () => {
    const server = faultyMock({ kind: "http-error", times: 2 });
    const statuses = [];
    for (let pull = 0; pull < 3; pull++) statuses.push((await requestPull(server)).status);
    assertEquals(statuses, [500, 500, 200]);
  });
});

describe("A fault, where the answer is not streamed,", () => {
  const answerTo = async (fault: Fault) => {
    const server = faultyMock(fault);
    const response = await requestPull(server, "small", { stream: false });
    const { chunks, failure } = await readChunks(response);
    const { faults, outcome } = server.requests[0]!;
    assertStrictEquals(server.activeDownloads, 0);
    return { status: response.status, text: chunks.join(""), failure, faults, outcome };
  };

  it("that ends the pull becomes a status", async () => {
    for (const kind of ["error", "disk-full", "digest-mismatch"] as const) {
      const { status, text, faults, outcome } = await answerTo({ kind });
      assertEquals([status, faults, outcome], [500, [kind], "faulted"]);
      assertEquals(Object.keys(JSON.parse(text)), ["error"]);
    }
  });

  it("that breaks the stream breaks the body, also in the middle of it", async () => {
    const cut = await answerTo({ kind: "cut", at: { byte: 9 } });
    assertEquals([cut.text, cut.failure, cut.outcome], ['{"status"', undefined, "faulted"]);
    const none = await answerTo({ kind: "cut" });
    assertEquals([none.status, none.text, none.outcome], [200, "", "faulted"]);
    const reset = await answerTo({ kind: "reset", at: { byte: 9 } });
    assertEquals([reset.text, reset.outcome], ['{"status"', "faulted"]);
    assertStrictEquals((reset.failure as Error).message, "The mock broke the connection");
    const empty = await answerTo({ kind: "no-success" });
    assertEquals([empty.text, empty.outcome], ["", "faulted"]);
  });

  it("that is a line spoils the object", async () => {
    const malformed = await answerTo({ kind: "malformed" });
    assertThrows(() => JSON.parse(malformed.text));
    assertEquals([malformed.faults, malformed.outcome], [["malformed"], "finished"]);
    const fields = await answerTo({ kind: "unknown-fields" });
    assertEquals(Object.keys(JSON.parse(fields.text)), ["status", "x-unknown"]);
  });

  it("that is a line waits for the object", async () => {
    const server = faultyMock({ kind: "malformed" }, { kind: "error", at: { completed: "90%" } });
    const response = await requestPull(server, "small", { stream: false });
    assertEquals([response.status, server.requests[0]!.faults], [500, ["error"]]);
  });

  it("does not strike where there is nothing for it to strike", async () => {
    for (const kind of ["crlf", "no-final-newline", "out-of-order", "completed-falls"] as const) {
      const { text, faults } = await answerTo({ kind });
      assertEquals([text, faults], [SUCCESS, []]);
    }
    const { text, faults } = await answerTo({ kind: "cut", at: { line: 3 } });
    assertEquals([text, faults], [SUCCESS, []]);
  });

  it("delays the answer as it would delay the stream", async () => {
    for (const [kind, endsAt] of [["stall", 5_145], ["freeze", 5_230]] as const) {
      const server = faultyMock({ kind, ms: 5_000 });
      await (await requestPull(server, "small", { stream: false })).text();
      assertStrictEquals(Math.round(server.clock.now()), endsAt);
    }
  });
});

describe("A cut", () => {
  it("falls on any byte, inside of characters and of the last line too", async () => {
    const unknown: Fault = { kind: "unknown-fields" };
    const whole = new Uint8Array(await (await requestPull(faultyMock(unknown))).arrayBuffer());
    const ellipsis = whole.indexOf(0xe2); // the first of three bytes
    assert(ellipsis > 0);
    const anywhere = fc.oneof(
      fc.nat(whole.length - 1),
      fc.constantFrom(0, ellipsis + 1, ellipsis + 2, whole.length - 1),
    );
    await fc.assert(
      fc.asyncProperty(anywhere, async (byte) => {
        const server = faultyMock(unknown, { kind: "cut", at: { byte } });
        const bytes = new Uint8Array(await (await requestPull(server)).arrayBuffer());
        assertEquals(bytes, whole.slice(0, byte));
        assertStrictEquals(server.requests[0]!.outcome, "faulted");
        assertStrictEquals(server.requests[0]!.bytesSent, byte);
      }),
      { numRuns: 50 },
    );
  });

  it("falls where it is told to whatever else is wrong with the stream", async () => {
    const others = fc.subarray<FaultKind>(["crlf", "split", "coalesce", "blank-lines"]);
    await fc.assert(
      fc.asyncProperty(others, fc.nat(300), async (kinds, byte) => {
        const faults = kinds.map((kind) => ({ kind }) as Fault);
        const whole = await pullText(faultyMock(...faults));
        const cut = await pullText(faultyMock(...faults, { kind: "cut", at: { byte } }));
        assertStrictEquals(cut, whole.slice(0, byte));
      }),
      { numRuns: 40 },
    );
  });
});

describe("A reset", () => {
  it("breaks the last line too", async () => {
    const server = faultyMock({ kind: "reset", at: { line: 7 } });
    const { chunks, failure } = await readChunks(await requestPull(server));
    assertStrictEquals(chunks.length, 6);
    assertStrictEquals((failure as Error).message, "The mock broke the connection");
  });
});

describe("A stall", () => {
  it("lasts as long as it should, inside of a line too", async () => {
    const server = faultyMock({ kind: "stall", at: { byte: 5 }, ms: 3_600_000 });
    const { chunks } = await readChunks(await requestPull(server));
    assertEquals(chunks.slice(0, 2), ['{"sta', 'tus":"pulling manifest"}\n']);
    assert(server.clock.now() > 3_600_000);
  });

  it("may last until the client has had enough", async () => {
    const server = faultyMock({ kind: "stall", at: { line: 2 }, ms: Infinity });
    const reader = await beginPull(server, 1);
    const next = reader.read();
    await server.clock.sleep(86_400_000);
    await reader.cancel();
    assertEquals(await next, { done: true, value: undefined });
    assertStrictEquals(server.requests[0]!.outcome, "cancelled");
  });
});

describe("A freeze", () => {
  it("holds up every caller, until the one that it struck has left", async () => {
    const server = faultyMock({ kind: "freeze", at: { line: 3 }, ms: 1_000_000, times: 1 });
    const first = await beginPull(server, 3); // 12 MB
    const second = await beginPull(server, 1);
    const next = async () => {
      const { value } = await second.read();
      return JSON.parse(new TextDecoder().decode(value)).completed;
    };
    assertEquals([await next(), await next()], [12_000_000, 12_000_000]);
    await first.cancel();
    assertStrictEquals(await next(), 18_000_000);
    await second.cancel();
  });
});

describe("A digest mismatch", () => {
  it("has the layer fetched again by the next pull, and no other one", async () => {
    const server = faultyMock({ kind: "digest-mismatch", at: { layer: 1 }, times: 1 });
    assertStringIncludes(
      await transcript(server),
      '{"error":"digest mismatch, file must be downloaded again: want B, got ',
    );
    const second = await transcript(server);
    assertStringIncludes(second, tick(20_000_000));
    assert(!second.includes('"digest":"B"')); // it is fetched within a tick
    assertStringIncludes(await transcript(server), '"digest":"B","total":3000000,"completed"');
  });
});

describe("A rollback", () => {
  it("waits for a download that it can strike", async () => {
    const server = faultyMock({ kind: "rollback", at: { layer: 0, completed: 0 } });
    await pullText(server);
    server.requests.forEach(({ faults }) => assertEquals(faults, ["rollback"]));
    await pullText(server); // all of it is there
    assertEquals(server.requests[1]!.faults, []);
  });
});

describe("Faults", () => {
  it("have the default of a parameter that is undefined", async () => {
    const fault = { kind: "error", message: undefined, at: undefined, times: undefined } as const;
    assertEquals(await pullText(faultyMock(fault)), await pullText(faultyMock({ kind: "error" })));
  });

  it("strike at the very byte of the whole, whether layers come in turn or together", async () => {
    for (const dialect of ["spec", "client2", "tensor"] as const) {
      for (const percent of [1, 10, 33, 50, 80]) {
        const at = { completed: `${percent}%` };
        const text = await pullText(mockOfSmall({ dialect, faults: [{ kind: "cut", at }] }));
        const completed = new Map<string, number>();
        for (const line of text.trim().split("\n")) {
          const object = JSON.parse(line);
          if (object.digest) completed.set(object.digest, object.completed ?? 0);
        }
        const sum = [...completed.values()].reduce((sum, bytes) => sum + bytes, 0);
        assertEquals([dialect, percent, sum], [dialect, percent, 230_005 * percent]);
      }
    }
  });

  it("make no difference before they strike", async () => {
    for (const dialect of ["spec", "client2", "tensor"] as const) {
      const faults = [{ kind: "stall", at: { line: 1_000_000 } } as Fault];
      assertStrictEquals(
        await pullText(mockOfSmall({ dialect, faults })),
        await pullText(mockOfSmall({ dialect })),
      );
    }
  });

  it("strike in the order of their places", async () => {
    const server = faultyMock(
      { kind: "cut", at: { byte: 200 } },
      { kind: "unknown-status", at: { line: 2 } },
      { kind: "stall", at: { byte: 10 } },
      { kind: "stall", at: { byte: 20 } },
    );
    await pullText(server);
    assertEquals(server.requests[0]!.faults, ["stall", "stall", "unknown-status", "cut"]);
  });

  it("of one kind may be several", async () => {
    const server = faultyMock(
      { kind: "digest-mismatch", at: { layer: 0 }, times: 1 },
      { kind: "digest-mismatch", at: { layer: 1 }, times: 1 },
    );
    assertStringIncludes(await transcript(server), "want A");
    assertStringIncludes(await transcript(server), "want B");
    assertStringIncludes(await transcript(server), SUCCESS);
  });

  it("are counted where they strike, not where they might have", async () => {
    const server = faultyMock({ kind: "cut", at: { completed: "90%" }, times: 1 });
    await (await beginPull(server, 2)).cancel();
    assertEquals(server.requests[0]!.faults, []);
    assert(!(await pullText(server)).includes("success"));
    assert((await pullText(server)).includes("success"));
  });

  it("strike again after a reset of the mock", async () => {
    const server = faultyMock({ kind: "no-success", times: 1 });
    const first = await pullText(server);
    assertNotEquals(await pullText(server), first);
    server.reset();
    assertStrictEquals(await pullText(server), first);
  });

  it("strike once so much is there, and not before the manifest", async () => {
    const server = faultyMock({ kind: "cut", at: { completed: 13_000_000 } });
    assertStrictEquals(
      await transcript(server),
      lines(MANIFEST, TICK_1, TICK_2, tick(13_000_000)),
    );
    // Now that so much is there already.
    assertStrictEquals(await transcript(server), lines(MANIFEST));
  });

  it("strike at the very byte, in every dialect, at any rate and with any ticks, and it is kept", async () => {
    const size = 50_000_000;
    const point = fc.oneof(
      fc.integer({ min: 1, max: size - 2 }).map((bytes) => ({ at: bytes, bytes })),
      fc.integer({ min: 1, max: 99 }).map((share) => ({
        at: `${share}%`,
        bytes: share * size / 100,
      })),
    );
    const mocks = fc.record({
      // That of tensors tells nothing of a single layer.
      dialect: fc.constantFrom(...Object.keys(dialects) as DialectName[])
        .filter((name) => name !== "tensor"),
      bytesPerSecond: fc.oneof(
        fc.constant(Infinity),
        fc.double({ min: 1, max: 1e12, noNaN: true }),
      ),
      tickMs: fc.double({ min: 1, max: 1e6, noNaN: true }),
    });
    await fc.assert(fc.asyncProperty(mocks, point, async (options, { at, bytes }) => {
      const models = [{ name: "one", layers: [{ size }] }];
      const cut = (completed: number | string): Fault => (
        { kind: "cut", at: { layer: 0, completed }, times: 1 }
      );
      const server = createMockServer({
        ...options,
        tickMs: Math.max(options.tickMs, 1e3 * size / options.bytesPerSecond / 50),
        models,
        faults: [cut(at), cut(bytes + 1)],
      });
      const lastCompleted = async () => {
        const lines = (await pullText(server, "one")).trim().split("\n");
        return lines.map((line) => JSON.parse(line)).findLast(({ total }) => total === size)
          .completed;
      };
      assertEquals([await lastCompleted(), await lastCompleted()], [bytes, bytes + 1]);
    }));
  });

  it("strike a layer by its digest", async () => {
    const server = faultyMock({ kind: "cut", at: { layer: B, completed: "100%" } });
    assertStrictEquals(await transcript(server), lines(...LINES.slice(0, 4)));
  });

  it("on phases act on what the others put there", async () => {
    const faults = [{ kind: "duplicate-phase" }, { kind: "removing-fails" }] as const;
    const lines = (await pullText(mockOfSmall({ faults }))).split("\n");
    const failures = lines.filter((line) => line.includes("couldn't remove unused layers"));
    assertStrictEquals(failures.length, 2);
  });

  it("add the field `__proto__` as a field", async () => {
    const server = faultyMock({ kind: "unknown-fields", field: "__proto__" });
    assertStringIncludes(await pullText(server), '{"status":"success","__proto__":{"nested":');
  });

  it("do not reach a pull of a model that is not there", async () => {
    const server = faultyMock({ kind: "cut" });
    assertEquals((await pullText(server, "other")).trim().split("\n").length, 2);
  });
});

describe("Faults by chance", () => {
  const outcomes = async (seed: number, chance = 0.5) => {
    const server = mockOfSmall({ faults: { chance }, seed });
    const all = [];
    for (let pull = 0; pull < 60; pull++) {
      const { chunks } = await readChunks(await requestPull(server));
      const { faults, outcome } = server.requests.at(-1)!;
      all.push([faults, outcome, chunks.join("").length]);
    }
    return all;
  };

  it("are the same for the same seed, and others for another", async () => {
    assertEquals(await outcomes(1), await outcomes(1));
    assertNotEquals(await outcomes(1), await outcomes(2));
  });

  it("are the same after a reset", async () => {
    const server = mockOfSmall({ faults: { chance: 0.5 }, seed: 7 });
    const run = async () => {
      for (let pull = 0; pull < 20; pull++) await readChunks(await requestPull(server));
      return server.requests.map(({ faults }) => faults);
    };
    const first = await run();
    server.reset();
    assertEquals(await run(), first);
  });

  it("come as often as they should", async () => {
    const count = async (chance: number) =>
      (await outcomes(3, chance)).filter(([faults]) => (faults as string[]).length > 0).length;
    assertStrictEquals(await count(0), 0);
    const half = await count(0.5);
    assert(half > 10 && half < 50, `${half} of 60`);
  });

  it("are of the kinds that are asked for", async () => {
    const kinds = ["crlf", "split"] as const;
    const server = mockOfSmall({ faults: { chance: 1, kinds } });
    for (let pull = 0; pull < 20; pull++) await pullText(server);
    assertEquals(new Set(server.requests.flatMap(({ faults }) => faults)), new Set(kinds));
  });

  it("of every kind leave nothing behind", async () => {
    for (const kind of Object.keys(faultKinds) as FaultKind[]) {
      const server = mockOfSmall({ faults: { chance: 1, kinds: [kind] } });
      for (let pull = 0; pull < 3; pull++) await readChunks(await requestPull(server));
      assertStrictEquals(server.activeDownloads, 0, kind);
    }
  });
});

describe("A fault as it is written on a command line", () => {
  const READ: readonly [text: string, fault: Fault][] = [
    ["crlf", { kind: "crlf" }],
    ["stall@50%", { kind: "stall", at: { completed: "50%" } }],
    ["stall@12.5%,ms=2000", { kind: "stall", at: { completed: "12.5%" }, ms: 2_000 }],
    ["cut@1000000", { kind: "cut", at: { completed: 1_000_000 } }],
    ["cut@byte:120", { kind: "cut", at: { byte: 120 } }],
    ["reset@line:3,times=1", { kind: "reset", at: { line: 3 }, times: 1 }],
    ["rollback@layer:0:50%", { kind: "rollback", at: { layer: 0, completed: "50%" } }],
    ["rollback@layer:1:100", { kind: "rollback", at: { layer: 1, completed: 100 } }],
    ["freeze@layer:0", { kind: "freeze", at: { layer: 0 } }],
    [`digest-mismatch@layer:${A}`, { kind: "digest-mismatch", at: { layer: A } }],
    [`cut@layer:${A}:10%`, { kind: "cut", at: { layer: A, completed: "10%" } }],
    ["crlf,model=host:80/a/b:c", { kind: "crlf", model: "host:80/a/b:c" }],
    ["crlf,model=123", { kind: "crlf", model: "123" }],
    ["error,message=a=b, and @c", { kind: "error", message: "a=b, and @c" }],
    ["error@line:2,times=1,message=12", {
      kind: "error",
      at: { line: 2 },
      times: 1,
      message: "12",
    }],
    ["http-error,status=502,body=html", { kind: "http-error", status: 502, body: "html" }],
    ["unknown-status,status=502", { kind: "unknown-status", status: "502" }],
  ];

  it("is read", () => {
    for (const [text, fault] of READ) {
      assertEquals(parseFault(text), fault);
      assertEquals(parseFault(formatFault(fault)), fault);
    }
  });

  it("is refused if it is invalid", () => {
    for (
      const [text, message] of [
        ["", 'Cannot use the fault "": it must be one of http-error, '],
        ["nonsense", 'Cannot use the fault "nonsense": it must be one of http-error, '],
        ["__proto__", 'Cannot use the fault "__proto__": '],
        [
          "cut@",
          'Cannot read the point "" of the fault "cut@": it must be a share such as 50%, a number',
        ],
        ["cut@everywhere", 'Cannot read the point "everywhere" of the fault "cut@everywhere": '],
        ["cut@line:x", 'Cannot read the point "line:x" of the fault "cut@line:x": '],
        [
          "cut@line:0",
          'Cannot use the line 0 of the fault "cut": it must be a whole number above 0',
        ],
        [
          "cut@101%",
          'Cannot use the completed "101%" of the fault "cut": it must be a whole number of bytes',
        ],
        [
          "crlf@50%",
          'Cannot use the point {"completed":"50%"} of the fault "crlf": leave out the point: the fault strikes the whole pull',
        ],
        ["digest-mismatch@line:1", "name only a layer, such as { layer: 0 }"],
        ["stall,ms", 'Cannot read the fault "stall,ms": "ms" must be name=value, such as times=1'],
        ["stall,", 'Cannot read the fault "stall,": "" must be name=value'],
        ["stall,kind=cut", 'Cannot read the fault "stall,kind=cut": "kind" appears twice'],
        ["stall@1%,at=50%", 'Cannot read the fault "stall@1%,at=50%": "at" appears twice'],
        ["stall,at=50%", 'Cannot read the fault "stall,at=50%": write the point after an "@"'],
        ["stall,__proto__=1", 'the parameter "__proto__" of the fault "stall": it must be one of'],
        ["stall,toString=1", 'the parameter "toString" of the fault "stall": it must be one of'],
        [
          "stall,ms=soon",
          'Cannot use the ms "soon" of the fault "stall": it must be a number, 0 or more',
        ],
        [
          "stall,speed=1",
          'the parameter "speed" of the fault "stall": it must be one of ms, at, model, after, path and times',
        ],
        [
          "crlf,ms=1",
          'the parameter "ms" of the fault "crlf": it must be one of at, model, after, path and times',
        ],
        [
          "stall,times=0",
          'Cannot use the times 0 of the fault "stall": it must be a whole number above 0',
        ],
        [
          "split,bytes=0",
          'Cannot use the bytes 0 of the fault "split": it must be a whole number above 0',
        ],
        [
          "http-error,status=200",
          'the status 200 of the fault "http-error": it must be a whole number from 400 to 599',
        ],
        [
          "http-error,body=xml",
          'the body "xml" of the fault "http-error": it must be "json", "html" or "none"',
        ],
      ] as const
    ) {
      assertThrows(() => parseFault(text), ConfigurationError, message, text);
    }
  });
});

describe("A fault that cannot strike", () => {
  it("is refused when the mock is made", () => {
    for (
      const [fault, message] of [
        [
          { kind: "cut", at: { layer: 3 } },
          'Cannot use the layer 3 of the fault "cut": the model "small:latest" has layers 0 to',
        ],
        [{ kind: "cut", at: { layer: -1 } }, "Cannot use the layer -1 of"],
        [
          { kind: "cut", at: { layer: "sha256:ff" } },
          'the layer "sha256:ff" of the fault "cut": none of the fault\'s models has',
        ],
        [
          { kind: "cut", model: "other" },
          'Cannot use the model "other" of the fault "cut": the registry has only',
        ],
        [{ kind: "cut", model: "../x" }, 'Cannot use the model name "../x": '],
        [
          { kind: "cut", at: {} },
          'the point {} of the fault "cut": give a line, byte, completed or layer',
        ],
        [
          { kind: "cut", at: { line: 1, byte: 1 } },
          "give only one of line, byte, and completed or layer",
        ],
        [
          { kind: "cut", at: { byte: -1 } },
          'the byte -1 of the fault "cut": it must be a whole number, 0 or more',
        ],
        [{ kind: "cut", at: { byte: 0.5 } }, "the byte 0.5 of"],
        [{ kind: "cut", at: { completed: -1 } }, "the completed -1 of"],
        [{ kind: "cut", at: { completed: "half" } }, 'or a percentage from "0%" to "100%"'],
        [{ kind: "cut", times: 1.5 }, "the times 1.5 of the fault"],
        [{ kind: "stall", ms: -1 }, "the ms -1 of the fault"],
        [{ kind: "stall", ms: NaN }, "the ms NaN of the fault"],
        [{ kind: "error", message: 5 }, 'the message 5 of the fault "error": it must be a string'],
      ] as const
    ) {
      const server = () => faultyMock(fault as unknown as Fault);
      assertThrows(server, ConfigurationError, message, JSON.stringify(fault));
    }
  });

  it("is refused when the model is published that it is meant for", () => {
    const server = faultyMock({ kind: "cut", at: { layer: 2 } });
    const short = { ...SMALL, layers: [SMALL.layers[0]!] };
    assertThrows(() => server.registry.publish(short), ConfigurationError, "the layer 2 of");
  });

  it("by chance is refused as well", () => {
    assertThrows(() => mockOfSmall({ faults: { chance: 2 } }), ConfigurationError, "from 0 to 1");
    assertThrows(
      () => mockOfSmall({ faults: { chance: 1, kinds: [] } }),
      ConfigurationError,
      "Cannot use the kinds [] of faults: name at least one",
    );
    assertThrows(
      () => mockOfSmall({ faults: { chance: 1, kinds: ["nonsense" as FaultKind] } }),
      ConfigurationError,
      'Cannot use the fault "nonsense": it must be one of',
    );
  });
});
