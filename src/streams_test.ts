import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";
import fc from "fast-check";
import { describe, it } from "node:test";
import { readThrough, type Step, transformPair } from "./streams.ts";
import {
  isSettled,
  outcomeOf,
  rejectionOf,
  settle,
  streamOf,
  TestSource,
  unhandledRejections,
} from "./stream_test_helpers.ts";

/** Emits each input as often as it says, and fails at a negative one. */
class Repeat implements Step<number, number> {
  readonly error = new Error("negative");
  #last: number[];

  constructor(...last: number[]) {
    this.#last = last;
  }

  push(input: number, emit: (output: number) => void): void {
    for (let count = 0; count < Math.abs(input); count++) emit(input);
    if (input < 0) throw this.error;
  }

  end(emit: (output: number) => void): void {
    for (const input of this.#last) this.push(input, emit);
  }
}

/** Both ways to carry a step, which have to do the same. */
const CARRIERS: Readonly<
  Record<
    string,
    (source: ReadableStream<number>, step: Step<number, number>) => ReadableStream<number>
  >
> = {
  transformPair: (source, step) => source.pipeThrough(transformPair(step)),
  readThrough: (source, step) => readThrough(source.getReader(), step),
};

for (const [name, carry] of Object.entries(CARRIERS)) {
  describe(name, () => {
    it("hands on all that a step emits, in order, until the input ends", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(4)), fc.array(fc.nat(4)), async (inputs, last) => {
          const { values, failure } = await outcomeOf(
            carry(streamOf(inputs), new Repeat(...last)),
          );
          assertEquals(values, [...inputs, ...last].flatMap((n) => Array(n).fill(n)));
          assertEquals(failure, undefined);
        }),
      );
    });

    it("delivers what came before a failure of the step, then the failure", async () => {
      await fc.assert(fc.asyncProperty(
        fc.array(fc.integer({ min: -3, max: 3 })),
        fc.array(fc.integer({ min: -3, max: 3 })),
        async (inputs, last) => {
          const step = new Repeat(...last);
          const { values, failure } = await outcomeOf(carry(streamOf(inputs), step));
          const all = [...inputs, ...last];
          const failsAt = all.findIndex((n) => n < 0);
          const good = failsAt === -1 ? all : all.slice(0, failsAt + 1);
          assertEquals(values, good.flatMap((n) => Array(Math.abs(n)).fill(n)));
          assertStrictEquals(failure?.error, failsAt === -1 ? undefined : step.error);
        },
      ));
    });

    it("delivers to a slow reader too what came before a failure of the step", async () => {
      const step = new Repeat();
      const reader = carry(streamOf([2, -3, 1]), step).getReader();
      for (const value of [2, 2, -3, -3, -3]) {
        await settle();
        assertEquals(await reader.read(), { done: false, value });
      }
      await settle();
      assertStrictEquals(await rejectionOf(reader.read()), step.error);
      assertStrictEquals(await rejectionOf(reader.read()), step.error);
      assertStrictEquals(await rejectionOf(reader.closed), step.error);
    });

    it("delivers what came before a failure of the source, then the failure", async () => {
      const error = new Error("broken");
      const source = new TestSource(2, 1);
      const reader = carry(source.stream, new Repeat()).getReader();
      for (const value of [2, 2, 1]) assertEquals(await reader.read(), { done: false, value });
      const read = reader.read();
      assertEquals(await isSettled(read), false);
      source.fail(error);
      assertStrictEquals(await rejectionOf(read), error);
    });

    it("delivers what is queued when the source fails, then the failure", async () => {
      const error = new Error("broken");
      const source = new TestSource(3);
      const stream = carry(source.stream, new Repeat());
      const reader = stream.getReader();
      await reader.read();
      source.fail(error);
      await settle();
      reader.releaseLock();
      const { values, failure } = await outcomeOf(stream);
      assertEquals(values, [3, 3]);
      assertStrictEquals(failure?.error, error);
    });

    it("tells failures that are undefined from none", async () => {
      const source = new TestSource(1);
      const reader = carry(source.stream, new Repeat()).getReader();
      await reader.read();
      source.fail(undefined);
      let failed = false;
      await reader.read().catch(() => failed = true);
      assertEquals(failed, true);
    });

    it("cancels the source with the step's failure", async () => {
      const step = new Repeat();
      const source = new TestSource(-1, 1);
      await outcomeOf(carry(source.stream, step));
      await settle();
      assertEquals(source.cancels, [step.error]);
    });

    it("cancels the source when it is cancelled, with the reason", async () => {
      for (const reads of [0, 1, 2, 3]) {
        const reason = { why: reads };
        const source = new TestSource(1, 1);
        const reader = carry(source.stream, new Repeat()).getReader();
        let pending: Promise<unknown> = Promise.resolve();
        for (let read = 0; read < reads; read++) pending = reader.read();
        await settle();
        await reader.cancel(reason);
        await settle();
        assertEquals(source.cancels, [reason], `after ${reads} reads`);
        await pending;
        assertEquals(await reader.read(), { done: true, value: undefined });
        await reader.cancel("again");
        await settle();
        assertEquals(source.cancels.length, 1);
      }
    });

    it("cancels the source when a loop over it is left", async () => {
      const source = new TestSource(1, 1, 1);
      for await (const _ of carry(source.stream, new Repeat())) break;
      await settle();
      assertEquals(source.cancels.length, 1);
    });

    it("is never more than one input ahead of its reader", async () => {
      const source = new TestSource(3, 3, 3, 3);
      const reader = carry(source.stream, new Repeat()).getReader();
      for (let read = 1; read <= 12; read++) {
        assertEquals(await reader.read(), { done: false, value: 3 });
        await settle();
        const inputsNeeded = Math.ceil(read / 3);
        assertEquals(source.reads - inputsNeeded <= 1, true, `${source.reads} after ${read}`);
      }
    });

    it("goes on reading while inputs give nothing", async () => {
      const { values } = await outcomeOf(
        carry(streamOf([...Array(1000).fill(0), 1]), new Repeat()),
      );
      assertEquals(values, [1]);
    });

    it("answers several reads at once, in order", async () => {
      const reader = carry(streamOf([2, 0, 3, 1]), new Repeat()).getReader();
      const reads = await Promise.all(Array.from({ length: 8 }, () => reader.read()));
      assertEquals(reads.map(({ value }) => value), [2, 2, 3, 3, 3, 1, undefined, undefined]);
    });

    it("fails all of several reads that a failure finds waiting, after those with values", async () => {
      const step = new Repeat();
      const reader = carry(streamOf([-2]), step).getReader();
      const reads = await Promise.allSettled(Array.from({ length: 4 }, () => reader.read()));
      assertEquals(reads.map(({ status }) => status), [
        "fulfilled",
        "fulfilled",
        "rejected",
        "rejected",
      ]);
    });

    it("can be read by one reader after another", async () => {
      const stream = carry(streamOf([1, 2]), new Repeat());
      for (const value of [1, 2, 2]) {
        const reader = stream.getReader();
        assertEquals(await reader.read(), { done: false, value });
        reader.releaseLock();
        await settle();
      }
      assertEquals(await outcomeOf(stream), { values: [], failure: undefined });
    });

    it("can be teed", async () => {
      const branches = carry(streamOf([1, 2]), new Repeat()).tee();
      const [a, b] = await Promise.all(branches.map(outcomeOf));
      assertEquals([a?.values, b?.values], [[1, 2, 2], [1, 2, 2]]);
    });

    it("leaves no rejection unhandled, however it ends", async () => {
      const endings: Record<string, () => Promise<unknown>> = {
        "the step fails": () => outcomeOf(carry(streamOf([1, -1]), new Repeat())),
        "the step fails at the end": () => outcomeOf(carry(streamOf([1]), new Repeat(-1))),
        "the source fails": async () => {
          const source = new TestSource(1);
          const outcome = outcomeOf(carry(source.stream, new Repeat()));
          await settle();
          source.fail(new Error("broken"));
          await outcome;
        },
        "the reader cancels": async () => {
          const stream = carry(new TestSource(1, 1).stream, new Repeat());
          const reader = stream.getReader();
          await reader.read();
          void reader.read();
          await reader.cancel(new Error("enough"));
        },
        "the source cannot be cancelled": async () => {
          const source = new ReadableStream<number>({
            pull: (controller) => controller.enqueue(-1),
            cancel: () => Promise.reject(new Error("cannot")),
          });
          await outcomeOf(carry(source, new Repeat()));
        },
        "nobody reads": async () => {
          carry(streamOf([-1]), new Repeat());
          await settle();
        },
        "nobody reads on": async () => {
          await carry(streamOf([-1]), new Repeat()).getReader().read();
        },
      };
      for (const [ending, work] of Object.entries(endings)) {
        assertEquals(await unhandledRejections(work), [], ending);
      }
    });
  });
}

describe("readThrough", () => {
  it("reads nothing before it is asked to", async () => {
    const source = new TestSource(1, 1);
    const reader = readThrough(source.stream.getReader(), new Repeat()).getReader();
    await settle();
    assertEquals(source.reads, 0);
    await reader.read();
    await settle();
    assertEquals(source.reads, 1);
  });

  it("waits for the source's cancel, and fails with it", async () => {
    const source = {
      read: () => Promise.resolve({ done: false, value: 1 } as const),
      cancel: () => Promise.reject(new Error("cannot")),
    };
    const stream = readThrough(source, new Repeat());
    await assertRejects(() => stream.cancel(), Error, "cannot");
  });

  it("goes on where recover comes back, after the values before the failure", async () => {
    const recovered: unknown[] = [];
    const step = new Repeat();
    const stream = readThrough(streamOf([1, -2, 3]).getReader(), step, (error) => {
      recovered.push(error);
      return Promise.resolve();
    });
    assertEquals((await outcomeOf(stream)).values, [1, -2, -2, 3, 3, 3]);
    assertEquals(recovered, [step.error]);
  });

  it("does not hold back the values before a failure while recover waits", async () => {
    const stream = readThrough(
      streamOf([-2, 1]).getReader(),
      new Repeat(),
      () => new Promise(() => {}),
    );
    const reader = stream.getReader();
    assertEquals(await reader.read(), { done: false, value: -2 });
    assertEquals(await reader.read(), { done: false, value: -2 });
    assertEquals(await isSettled(reader.read()), false);
  });

  it("fails with what recover throws, and cancels the source with it", async () => {
    const reason = new Error("gave up");
    const source = new TestSource(1, -1);
    const { values, failure } = await outcomeOf(
      readThrough(source.stream.getReader(), new Repeat(), () => Promise.reject(reason)),
    );
    assertEquals(values, [1, -1]);
    assertStrictEquals(failure?.error, reason);
    assertEquals(source.cancels, [reason]);
  });

  it("neither ends the step nor recovers once it was cancelled", async () => {
    const step = { push: spy(), end: spy() };
    const recover = spy(() => Promise.resolve());
    const source = new TestSource<number>();
    const reader = readThrough(source.stream.getReader(), step, recover).getReader();
    const read = reader.read();
    await settle();
    await reader.cancel("enough");
    assertEquals(await read, { done: true, value: undefined });
    await settle();
    for (const calls of [step.push, step.end, recover]) assertSpyCalls(calls, 0);
  });

  it("reads no more once it was cancelled while recover waits", async () => {
    let recover = () => {};
    const source = new TestSource(-1, 1);
    const stream = readThrough(
      source.stream.getReader(),
      new Repeat(),
      () => new Promise((resolve) => recover = resolve),
    );
    const reader = stream.getReader();
    await reader.read();
    const read = reader.read();
    await settle();
    await reader.cancel("enough");
    recover();
    await settle();
    assertEquals(await read, { done: true, value: undefined });
    assertEquals([source.reads, source.cancels], [1, ["enough"]]);
  });
});

describe("transformPair", () => {
  it("takes no more than what pipeThrough takes by itself before it is read", async () => {
    const source = new TestSource(1, 1, 1);
    carry(source);
    await settle();
    assertEquals(source.reads <= 1, true, `${source.reads} reads`);
  });

  const carry = (source: TestSource<number>) =>
    source.stream.pipeThrough(transformPair(new Repeat()));

  it("fails its reader with the reason of a writer that aborts, after the values before", async () => {
    const { readable, writable } = transformPair(new Repeat());
    const writer = writable.getWriter();
    const reader = readable.getReader();
    const write = writer.write(2);
    assertEquals(await reader.read(), { done: false, value: 2 });
    await write;
    const reason = new Error("aborted");
    await writer.abort(reason);
    assertEquals(await reader.read(), { done: false, value: 2 });
    assertStrictEquals(await rejectionOf(reader.read()), reason);
    await writer.closed.catch(() => {});
  });

  it("fails a reader that waits with the reason of a writer that aborts", async () => {
    const { readable, writable } = transformPair(new Repeat());
    const read = readable.getReader().read();
    await settle();
    const reason = new Error("aborted");
    await writable.abort(reason);
    assertStrictEquals(await rejectionOf(read), reason);
  });

  it("lets go of a write that waits for the reader when the writer aborts and the reader comes", async () => {
    const { readable, writable } = transformPair(new Repeat());
    const writer = writable.getWriter();
    const writes = [writer.write(1), writer.write(1)].map(rejectionOf);
    await settle();
    const reason = new Error("aborted");
    const abort = writer.abort(reason);
    assertStrictEquals((await outcomeOf(readable)).failure?.error, reason);
    await abort;
    assertEquals(await Promise.all(writes), [reason, reason]);
    await rejectionOf(writer.closed);
  });

  it("rejects all writes after the one at which the step fails", async () => {
    const step = new Repeat();
    const { readable, writable } = transformPair(step);
    const writer = writable.getWriter();
    const outcome = outcomeOf(readable);
    await writer.write(-2);
    assertStrictEquals(await rejectionOf(writer.write(1)), step.error);
    assertStrictEquals(await rejectionOf(writer.closed), step.error);
    const { values, failure } = await outcome;
    assertEquals(values, [-2, -2]);
    assertStrictEquals(failure?.error, step.error);
  });

  it("fails its reader when the step fails at the end", async () => {
    const step = new Repeat(-1);
    const { readable, writable } = transformPair(step);
    const outcome = outcomeOf(readable);
    await writable.close();
    const { values, failure } = await outcome;
    assertEquals(values, [-1]);
    assertStrictEquals(failure?.error, step.error);
  });

  it("fails a write that comes after the reader has cancelled", async () => {
    const { readable, writable } = transformPair(new Repeat());
    const reason = new Error("enough");
    await readable.cancel(reason);
    const writer = writable.getWriter();
    assertStrictEquals(await rejectionOf(writer.write(1)), reason);
    assertStrictEquals(await rejectionOf(writer.closed), reason);
  });

  it("shows its backpressure to the writer", async () => {
    const { readable, writable } = transformPair(new Repeat());
    const writer = writable.getWriter();
    const first = writer.write(1);
    assertEquals(await isSettled(first), false);
    const reader = readable.getReader();
    await reader.read();
    assertEquals(await isSettled(first), true);
    const second = writer.write(1);
    assertEquals(await isSettled(second), false);
    void reader.read();
    assertEquals(await isSettled(second), true);
    await reader.cancel();
  });
});
