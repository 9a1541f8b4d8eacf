import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { chunkings } from "../../conformance/generators/mod.ts";
import { PullError } from "../errors.ts";
import type { PullLayer, PullProgress } from "../snapshot.ts";
import {
  asPullError,
  outcomeOf,
  pullErrorOf,
  settle,
  streamOf,
  TestSource,
} from "../stream_test_helpers.ts";
import type { PullRecord, PullSnapshotRecord } from "./record.ts";
import { RecordDecoder } from "./record_decoder.ts";
import { RecordEncoder } from "./record_encoder.ts";
import { fromRecords, toRecords } from "./records.ts";
import { fromResponse, type RecordFormat, toResponse } from "./response.ts";
import { anyProgress, collect, describeEnd, receive, streamProgress } from "./test_helpers.ts";

/** Sends records from one end of a channel to the other, as between threads. */
function throughChannel(records: ReadableStream<PullRecord>): ReadableStream<unknown> {
  const { port1, port2 } = new MessageChannel();
  return new ReadableStream({
    async start(controller) {
      port2.onmessage = ({ data }) => controller.enqueue(data);
      for (const record of await collect(records)) port1.postMessage(record);
    },
    cancel: () => port2.close(),
  });
}

const json = (value: unknown) => JSON.parse(JSON.stringify(value));

/** All borders that are not made of bytes. */
const BORDERS: Readonly<
  Record<string, (records: ReadableStream<PullRecord>) => ReadableStream<unknown>>
> = {
  "nothing": (records) => records,
  "JSON": (records) => records.pipeThrough(new TransformStream({ transform: sendAs(json) })),
  "structuredClone": (records) =>
    records.pipeThrough(new TransformStream({ transform: sendAs(structuredClone) })),
  "a MessageChannel": throughChannel,
};

function sendAs(copy: (value: unknown) => unknown) {
  return (value: unknown, controller: TransformStreamDefaultController<unknown>) =>
    controller.enqueue(copy(value));
}

const FORMATS: readonly RecordFormat[] = ["sse", "ndjson"];

/** Some progress, and the bytes of a response with it, in chunks. */
const anyBytes = fc.tuple(anyProgress, fc.constantFrom(...FORMATS));

async function bytesOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await response.arrayBuffer());
}

/** A snapshot of a download of layers of 5 GB, of which each has so many bytes. */
function snapshotOf(amounts: readonly number[], more: Partial<PullProgress> = {}): PullProgress {
  const total = 5e9;
  const layers = amounts.map((completed, index): PullLayer => {
    const digest = `sha256:${index.toString(16).padStart(64, "0")}`;
    return { digest, total, completed, done: completed === total };
  });
  const completed = amounts.reduce((sum, amount) => sum + amount, 0);
  return {
    phase: "downloading",
    status: "pulling 000000000000",
    completed,
    total: total * layers.length,
    totalIsKnown: true,
    fraction: completed / (total * layers.length),
    layers,
    ...more,
  };
}

const FIRST: PullSnapshotRecord = {
  version: 1,
  sequence: 1,
  phase: "downloading",
  status: "pulling aaaa",
  totalIsKnown: true,
  layers: [{ index: 0, digest: "sha256:aaaa", total: 100, completed: 25 }],
};

describe("progress that crosses a border", () => {
  for (const [border, cross] of Object.entries(BORDERS)) {
    it(`as records through ${border} is the same, with the same end`, async () => {
      await fc.assert(fc.asyncProperty(anyProgress, async (progress) => {
        const received = fromRecords(cross(toRecords(streamProgress(progress))));
        const { snapshots, failure } = progress;
        assertEquals(await receive(received), { snapshots, end: describeEnd(failure) });
      }));
    });
  }

  for (const format of FORMATS) {
    it(`as ${format} is the same, with the same end, however the bytes are cut`, async () => {
      await fc.assert(fc.asyncProperty(anyProgress, fc.gen(), async (progress, gen) => {
        const { body, headers } = toResponse(streamProgress(progress), { format });
        const chunks = gen(chunkings, await bytesOf(new Response(body)));
        const response = new Response(streamOf(chunks), { headers });
        const { snapshots, failure } = progress;
        assertEquals(await receive(fromResponse(response)), {
          snapshots,
          end: describeEnd(failure),
        });
      }));
    });
  }

  it("and is cut short is the same up to there, and `truncated`", async () => {
    await fc.assert(fc.asyncProperty(anyBytes, fc.nat(), async ([progress, format], place) => {
      const { body, headers } = toResponse(streamProgress(progress), { format });
      const bytes = await bytesOf(new Response(body));
      const sent = bytes.subarray(0, place % bytes.length);
      const { values, failure } = await outcomeOf(fromResponse(new Response(sent, { headers })));
      assertEquals(values, progress.snapshots.slice(0, values.length));
      // Nothing but the newlines after the last record may be missing of a whole pull.
      const isWhole = bytes.length - sent.length <= (format === "sse" ? 2 : 1);
      const end = isWhole ? describeEnd(progress.failure) : undefined;
      if (end !== undefined) assertEquals(describeEnd(failure), end);
      else assertEquals(asPullError(failure?.error).code, "truncated");
    }));
  });

  it("never changes after it was handed out, and shares what has not changed", async () => {
    await fc.assert(fc.asyncProperty(anyProgress, async (progress) => {
      let before: PullProgress | undefined;
      const copies: PullProgress[] = [];
      const { values } = await outcomeOf(
        fromRecords(toRecords(streamProgress(progress))).pipeThrough(
          new TransformStream<PullProgress, PullProgress>({
            transform(snapshot, controller) {
              copies.push(structuredClone(snapshot));
              controller.enqueue(snapshot);
            },
          }),
        ),
      );
      assertEquals(values, copies);
      for (const [index, snapshot] of progress.snapshots.entries()) {
        const received = values[index]!;
        if (before && snapshot.layers === progress.snapshots[index - 1]!.layers) {
          assertStrictEquals(received.layers, before.layers);
        }
        for (const [n, layer] of snapshot.layers.entries()) {
          if (layer !== progress.snapshots[index - 1]?.layers[n]) continue;
          assertStrictEquals(received.layers[n], before!.layers[n]);
        }
        before = received;
      }
    }));
  });
});

describe("a reader of records", () => {
  it("that joins at any time sees the rest, from a whole snapshot on", () => {
    fc.assert(fc.property(anyProgress, fc.nat(), ({ snapshots }, place) => {
      fc.pre(snapshots.length > 0);
      const joinsAt = place % snapshots.length;
      const encoder = new RecordEncoder();
      const decoder = new RecordDecoder();
      const received: PullProgress[] = [];
      for (const [index, snapshot] of snapshots.entries()) {
        const record = encoder.next(snapshot);
        if (index < joinsAt) continue;
        const first = index === joinsAt ? encoder.latest() : record;
        decoder.push(first, (progress) => received.push(progress));
      }
      assertEquals(received, snapshots.slice(joinsAt));
    }));
  });

  it("that has missed some goes on from a whole snapshot, and keeps the layers that are the same", () => {
    fc.assert(fc.property(anyProgress, fc.nat(), fc.nat(), ({ snapshots }, start, length) => {
      fc.pre(snapshots.length > 0);
      const firstMissed = start % snapshots.length;
      const lastMissed = Math.min(firstMissed + length % 4, snapshots.length - 1);
      const encoder = new RecordEncoder();
      const decoder = new RecordDecoder();
      const received: PullProgress[] = [];
      const emit = (progress: PullProgress) => void received.push(progress);
      for (const [index, snapshot] of snapshots.entries()) {
        const record = encoder.next(snapshot);
        if (index < firstMissed || index > lastMissed) decoder.push(record, emit);
        if (index === lastMissed) decoder.push(encoder.latest(), emit);
      }
      assertEquals(received, snapshots.toSpliced(firstMissed, lastMissed - firstMissed));
      const before = received[firstMissed - 1]?.layers ?? [];
      for (const [index, layer] of received[firstMissed]!.layers.entries()) {
        assertEquals(layer === before[index], isDeepStrictEqual(layer, before[index]));
      }
    }));
  });

  it("notices when one is lost, and shows nothing that was not so", async () => {
    await fc.assert(fc.asyncProperty(anyProgress, fc.nat(), async (progress, place) => {
      const records = await collect(toRecords(streamProgress(progress)));
      const lost = place % (records.length - 1 || 1);
      const next = records[lost + 1];
      const mayFollow = next === undefined || "version" in next ||
        "end" in next && next.end === "error";
      fc.pre(!mayFollow);
      const { values, failure } = await outcomeOf(
        fromRecords(streamOf(records.toSpliced(lost, 1))),
      );
      assertEquals(values, progress.snapshots.slice(0, lost));
      const { code, retryable, message } = asPullError(failure?.error);
      assertEquals([code, retryable], ["malformed", true]);
      assertMatch(message, /^Value \d+, record \d+, .* was lost$/);
    }));
  });

  it("is told of a failure even if all before it was lost", async () => {
    const failure = new PullError("server", "disk full", { reason: "disk-full" });
    const records = await collect(toRecords(streamProgress({
      snapshots: [snapshotOf([1]), snapshotOf([2])],
      failure: { error: failure },
    })));
    const error = await pullErrorOf(fromRecords(streamOf(records.slice(-1))));
    assertEquals(error.toJSON(), failure.toJSON());
  });

  it("ends with the record of the end, though the records go on", async () => {
    const source = new TestSource<unknown>(
      FIRST,
      { sequence: 2, phase: "success", status: "success", grown: [[0, 100]] },
      { sequence: 3, end: "success" },
      "anything else",
    );
    const { values, failure } = await outcomeOf(fromRecords(source.stream));
    assertEquals([values.map(({ phase }) => phase), failure], [
      ["downloading", "success"],
      undefined,
    ]);
    await settle();
    assertEquals(source.cancels.length, 1);
  });

  it("cancels what it reads from when it fails, and when it is cancelled", async () => {
    const failing = new TestSource<unknown>("no record");
    await pullErrorOf(fromRecords(failing.stream));
    assertEquals(failing.cancels.length, 1);
    const left = new TestSource<unknown>(FIRST);
    for await (const _ of fromRecords(left.stream)) break;
    assertEquals(left.cancels.length, 1);
  });

  it("refuses what is no record, and says where", () => {
    const change = { sequence: 2 };
    const bad: unknown[] = [
      ...[null, 5, "text", [], {}, undefined, () => {}],
      { status: "pulling manifest" },
      { ...FIRST, sequence: -1 },
      { ...FIRST, sequence: "1" },
      { ...FIRST, version: "1" },
      { version: 1, sequence: 1 },
      ...["pushing", 5].map((phase) => ({ ...change, phase })),
      ...[-1, NaN, Infinity, "5", null].map((completed) => ({ ...change, completed })),
      ...[1.5, -0.1].map((fraction) => ({ ...change, fraction })),
      ...[{}, [5], [{ index: 0 }], [{ index: 0, completed: 5 }]].map((layers) => ({
        ...change,
        layers,
      })),
      { ...change, layers: [{ index: 0, completed: 5, digest: "a", status: "b" }] },
      { ...change, layers: [{ index: 2, completed: 5, digest: "a" }] },
      { ...FIRST, layers: [{ index: 1, completed: 5, digest: "a" }] },
      { ...change, layers: [{ index: "__proto__", completed: 5, digest: "a" }] },
      ...[5, [5], [[1, 5]], [["0", 5]], [["__proto__", 5]], [[0, -5]]].map((grown) => ({
        ...change,
        grown,
      })),
      { ...change, end: "done" },
      { ...change, end: "error" },
      { ...change, end: "error", error: { message: "no name" } },
    ];
    for (const value of bad) {
      const decoder = new RecordDecoder();
      decoder.push(FIRST, () => {});
      const push = () => decoder.push(value, () => {});
      const { code, message, retryable } = assertThrows(push, PullError);
      assertEquals([code, retryable], ["malformed", false]);
      assertMatch(message, /^Value 2 is no record of a pull: ./);
    }
  });

  it("refuses a version that it does not know, and success in another phase", async () => {
    const other = await pullErrorOf(fromRecords(streamOf([{ ...FIRST, version: 2 }])));
    assertEquals(other.message, "Value 1 is a record of version 2, and this one reads version 1");
    const early = await pullErrorOf(
      fromRecords(streamOf([FIRST, { sequence: 2, end: "success" }])),
    );
    assertEquals(
      early.message,
      "Value 2 says that the pull has succeeded, in the phase downloading",
    );
  });

  it("works out what a record leaves out", async () => {
    const records = [
      { ...FIRST, layers: [...FIRST.layers, { index: 1, status: "b", completed: 15 }] },
      {
        sequence: 2,
        totalIsKnown: false,
        layers: [{ index: 2, digest: "c", total: 85, completed: 0 }],
      },
      { sequence: 3, grown: [[2, 60], [0, 100]] },
    ];
    const { values } = await outcomeOf(fromRecords(streamOf(records)));
    assertEquals(values.map(({ completed, total, fraction }) => [completed, total, fraction]), [
      [40, 115, 40 / 115],
      [40, 200, 40 / 115],
      [175, 200, 175 / 200],
    ]);
    assertEquals(values[2]!.layers, [
      { digest: "sha256:aaaa", total: 100, completed: 100, done: true },
      { status: "b", completed: 15, done: false },
      { digest: "c", total: 85, completed: 60, done: false },
    ]);
  });

  it("passes over fields that it does not know", async () => {
    const [first, second] = await collect(fromRecords(streamOf([
      { ...FIRST, later: [5] },
      { sequence: 2, later: {}, phase: "success", grown: [[0, 100, "later"]] },
      { sequence: 3, end: "success", later: true },
    ])));
    assertEquals([first?.completed, second?.fraction], [25, 1]);
  });
});

describe("a writer of records", () => {
  it("tells of an abort by its name, and of any other error by its name and message", async () => {
    const reasons = [new DOMException("left", "AbortError"), new RangeError("too far"), "enough"];
    const received: unknown[] = [];
    for (const error of reasons) {
      const records = toRecords(streamProgress({ snapshots: [], failure: { error } }));
      const { failure } = await outcomeOf(fromRecords(records));
      assert(failure?.error instanceof Error);
      received.push(String(failure?.error));
    }
    assertEquals(received, ["AbortError: left", "RangeError: too far", "Error: enough"]);
  });

  it("tells of a failure, whatever the server has put into it", async () => {
    const body: Record<string, unknown> = {};
    body.cannotBeWritten = body;
    const error = new PullError("server", "disk full", { body, reason: "disk-full" });
    const records = toRecords(streamProgress({ snapshots: [], failure: { error } }));
    const [end] = await collect(records);
    const { body: _, ...rest } = error.toJSON();
    assertEquals(end, { sequence: 1, end: "error", error: rest });
  });

  it("tells of progress that ends without success as `truncated`", async () => {
    const progress = streamProgress({ snapshots: [snapshotOf([1])], failure: undefined });
    const error = await pullErrorOf(fromRecords(toRecords(progress)));
    assertEquals([error.code, error.message], [
      "truncated",
      "The progress ended without success",
    ]);
  });

  it("tells of an error of its own, and cancels what it reads from", async () => {
    const source = new TestSource<PullProgress>({} as PullProgress);
    const [end] = await collect(toRecords(source.stream));
    assert(end && "end" in end && end.error?.name === "TypeError");
    assertEquals(source.cancels.length, 1);
  });

  it("reads nothing before it is asked, and cancels the pull when it is cancelled", async () => {
    const source = new TestSource<PullProgress>(snapshotOf([1]), snapshotOf([2]));
    const records = toRecords(source.stream);
    await settle();
    assertEquals(source.reads, 0);
    for await (const _ of records) break;
    await settle();
    assertEquals([source.reads, source.cancels.length], [1, 1]);
  });

  it("needs at most 110 bytes for one of ten layers that grows", () => {
    const amounts = Array.from({ length: 10 }, () => 4_123_456_789);
    const speed = { bytesPerSecond: 123456789.12345679, etaSeconds: 34567.890123456789 };
    const first = snapshotOf(amounts, speed);
    const grown = snapshotOf(amounts.with(9, 4_234_567_891), speed);
    const encoder = new RecordEncoder();
    encoder.next(first);
    for (let count = 0; count < 10_000; count++) encoder.next(first);
    assert(JSON.stringify(encoder.next(grown)).length <= 110);
    // A new layer was named, so that the share has fallen, and the fraction waits for it.
    const stuck = { ...snapshotOf(amounts, speed), fraction: grown.fraction };
    assert(JSON.stringify(encoder.next(stuck)).length <= 110);
    assertEquals(encoder.next(stuck), { sequence: 10_004, ...speed });
  });
});
