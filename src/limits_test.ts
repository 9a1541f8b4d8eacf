/**
 * What a server cannot do to its client, however hostile it is: take more memory than a line may have,
 * make it do more work than there are bytes, or reach what all objects share.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { describe, it } from "node:test";
import { NdjsonDecoder } from "./ndjson.ts";
import { decodeProgress, PullProgressDecoder } from "./progress.ts";
import type { PullProgress } from "./snapshot.ts";
import { pull } from "./pull/pull.ts";
import { decodePull } from "./pull_decoder.ts";
import { encodeStatus, toPullStatus } from "./status.ts";
import {
  asPullError,
  DECODERS,
  lines,
  outcomeOf,
  pullErrorOf,
  standingStill,
  streamOf,
  utf8,
} from "./stream_test_helpers.ts";

const CHUNK_BYTES = 64 * 1024;
const MANIFEST = { status: "pulling manifest" };
const SUCCESS = { status: "success" };

/** Longer than any message that quotes what a server sent. */
const LONG_MESSAGE = 300;

/** Every way from bytes to something, `pull` with it. */
const ALL_WAYS: typeof DECODERS = {
  ...DECODERS,
  pull: (body, options = {}) => pull("m", { ...options, fetch: () => new Response(body) }),
};

/** A text in chunks, as a network cuts it. */
function inChunks(text: string): ReadableStream<Uint8Array> {
  const bytes = utf8(text);
  const count = Math.ceil(bytes.length / CHUNK_BYTES);
  return streamOf(
    Array.from({ length: count }, (_, n) => bytes.slice(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES)),
  );
}

/** Layers that a stream names, each once. */
function digests(count: number): { digest: string; total: number; completed: number }[] {
  return Array.from({ length: count }, (_, index) => ({
    digest: `sha256:${index.toString(16).padStart(64, "0")}`,
    total: 100,
    completed: 1 + index % 100,
  }));
}

describe("a line that never ends", () => {
  for (const [name, decode] of Object.entries(ALL_WAYS)) {
    it(`fails ${name} once it exceeds the limit, with one short message`, async () => {
      const maxLineBytes = 4 * CHUNK_BYTES;
      let reads = 0;
      let cancels = 0;
      const endless = new ReadableStream<Uint8Array>({
        pull(controller) {
          reads++;
          controller.enqueue(new Uint8Array(CHUNK_BYTES).fill(0x78));
        },
        cancel() {
          cancels++;
        },
      }, { highWaterMark: 0 });
      const error = await pullErrorOf(decode(endless, { maxLineBytes }));
      assertEquals(error.code, "line-too-long");
      assertEquals(error.message, `Line 1 is longer than ${maxLineBytes} bytes`);
      assertEquals(cancels, 1);
      assert(reads <= 7, `${reads} chunks were read`); // a pipe reads ahead
    });
  }

  it("is copied only a few times in total, however small its chunks are", () => {
    const copiedFor = (length: number): number => {
      let copied = 0;
      const { set } = Uint8Array.prototype;
      const counting = function (this: Uint8Array, source: ArrayLike<number>, offset?: number) {
        copied += source.length;
        set.call(this, source, offset);
      };
      using _ = stub(Uint8Array.prototype, "set", counting);
      const decoder = new NdjsonDecoder({ maxLineBytes: Infinity });
      for (let at = 0; at < length; at++) decoder.push(Uint8Array.of(0x78), () => {});
      return copied;
    };
    for (const length of [1_000, 10_000, 100_000]) {
      assert(copiedFor(length) <= 4 * length, `${copiedFor(length)} bytes of ${length}`);
    }
  });
});

describe("a hundred thousand digests in one stream", () => {
  const layers = digests(100_000);
  const text = lines(MANIFEST, ...layers, SUCCESS);

  it("fail the pull with one short message, in chunks of any size", async () => {
    const perLine = text.slice(0, 2_000_000).split("\n").slice(0, -1).map((line) =>
      utf8(`${line}\n`)
    );
    for (const body of [inChunks(text), streamOf(perLine)]) {
      const { values, failure } = await outcomeOf(decodeProgress(body, { now: standingStill }));
      const { code, message } = asPullError(failure!.error);
      assertEquals([code, message], ["malformed", "The server named more than 10,000 layers"]);
      assertEquals((values.at(-1) as PullProgress).layers.length, 10_000);
    }
  });

  it("are followed to success, up to ten thousand", async () => {
    const most = layers.slice(0, 10_000);
    const body = inChunks(lines(MANIFEST, ...most, SUCCESS));
    const { values } = await outcomeOf(decodeProgress(body, { now: standingStill }));
    const { completed, total, fraction } = values.at(-1) as PullProgress;
    assertEquals([completed, total, fraction], [1e6, 1e6, 1]);
  });

  it("are not stored by decodePull, which emits one status each", async () => {
    let statuses = 0;
    for await (const { kind } of decodePull(inChunks(text))) {
      statuses++;
      if (statuses > 1 && statuses <= layers.length + 1) assertEquals(kind, "downloading");
    }
    assertEquals(statuses, layers.length + 2);
  });

  it("share unchanged layers between one snapshot and the next", () => {
    const decoder = new PullProgressDecoder({ now: standingStill });
    const snapshots: PullProgress[] = [];
    const push = (object: unknown) =>
      decoder.push(toPullStatus(object)!, (snapshot) => snapshots.push(snapshot));
    for (const layer of layers.slice(0, 1_000)) push(layer);
    push({ ...layers[0], completed: 50 });
    push({ status: "reticulating splines" });
    const [before, changed, same] = snapshots.slice(-3);
    const copied = changed!.layers.filter((layer, index) => layer !== before!.layers[index]);
    assertEquals(copied.length, 1);
    assertStrictEquals(same!.layers, changed!.layers);
  });
});

describe("a status of a megabyte", () => {
  const words = "x".repeat(1_000_000);

  it("is passed on whole, and shortened in messages", async () => {
    for (const [name, decode] of Object.entries(ALL_WAYS)) {
      const { values, failure } = await outcomeOf(decode(inChunks(lines({ status: words }))));
      if (failure) {
        const { code, message } = asPullError(failure.error);
        assertEquals(code, "truncated", name);
        assert(message.length < LONG_MESSAGE, `${name}: ${message.length} characters`);
      } else {
        assertEquals((values[0] as { status: string }).status, words, name);
      }
    }
  });

  it("that is not a status is quoted briefly", async () => {
    for (const text of [`"${words}"\n`, `${words}\n`, `{"status":"${words}`]) {
      const { message, excerpt } = await pullErrorOf(decodePull(inChunks(text)));
      assert(message.length < LONG_MESSAGE && excerpt!.length < LONG_MESSAGE);
    }
  });
});

describe("numbers at and over 2^53", () => {
  it("never make progress NaN, even in a sum of thousands", async () => {
    const huge = digests(5_000).map((layer, index) => ({
      ...layer,
      total: Number.MAX_SAFE_INTEGER - index % 2,
      completed: Number.MAX_SAFE_INTEGER - index % 3,
    }));
    const text = lines(MANIFEST, ...huge, SUCCESS);
    const { values, failure } = await outcomeOf(decodeProgress(inChunks(text)));
    assertEquals(failure, undefined);
    let fraction = 0;
    for (const progress of values) {
      assert(Number.isFinite(progress.completed) && progress.completed <= progress.total);
      assert(progress.fraction >= fraction && progress.fraction <= 1);
      fraction = progress.fraction;
    }
    assertEquals(fraction, 1);
  });

  it("count as bytes up to 2^53 - 1, and as unknown from 2^53 on", () => {
    for (const [bytes, isKnown] of [[2 ** 53 - 1, true], [2 ** 53, false], [2 ** 64, false]]) {
      const status = toPullStatus({ digest: "sha256:a", total: bytes, completed: bytes })!;
      assertEquals(status.total, isKnown ? bytes : undefined);
      assertEquals(status.completed, isKnown ? bytes : undefined);
      assertEquals(encodeStatus(status), { digest: "sha256:a", total: bytes, completed: bytes });
    }
  });
});

describe("ten thousand nested brackets", () => {
  const depth = 10_000;

  it("count as an unknown field, and do no harm", async () => {
    const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`;
    const text = `{"status":"pulling manifest","a":${nested}}\n${lines(SUCCESS)}`;
    for (const [name, decode] of Object.entries(ALL_WAYS)) {
      const { values, failure } = await outcomeOf(decode(inChunks(text)));
      assertEquals(failure, undefined, name);
      assertEquals(values.length, 2, name);
    }
  });

  it("that are not closed are one malformed line, quoted briefly", async () => {
    for (const [name, decode] of Object.entries(ALL_WAYS)) {
      const error = await pullErrorOf(decode(inChunks(`${"[".repeat(depth)}\n`)));
      assertEquals([error.code, error.line ?? 1], ["malformed", 1], name);
      assert(error.message.length < LONG_MESSAGE);
    }
  });
});

describe("keys by which objects inherit", () => {
  const objects = [
    '{"__proto__":{"polluted":true},"status":"pulling manifest"}',
    '{"constructor":{"prototype":{"polluted":true}},"status":"pulling manifest"}',
    '{"digest":"__proto__","total":100,"completed":50}',
    '{"digest":"constructor","total":100,"completed":50}',
    '{"status":"__proto__"}',
    '{"status":"success","toString":5,"hasOwnProperty":5,"valueOf":5}',
  ];

  it("never change Object.prototype, in any decoder", async () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    for (const [name, decode] of Object.entries(ALL_WAYS)) {
      const { values, failure } = await outcomeOf(decode(inChunks(`${objects.join("\n")}\n`)));
      assertEquals(failure, undefined, name);
      for (const value of values as object[]) {
        assert(!("polluted" in value), name);
        assertStrictEquals(Object.getPrototypeOf(value), Object.prototype, name);
      }
      assertEquals(Object.getOwnPropertyNames(Object.prototype), before, name);
    }
  });

  it("are digests like any other", async () => {
    const { values } = await outcomeOf(decodeProgress(inChunks(`${objects.join("\n")}\n`)));
    const named = values.at(-1)!.layers.map(({ digest, completed }) => [digest, completed]);
    assertEquals(named, [["__proto__", 100], ["constructor", 100]]);
  });
});
