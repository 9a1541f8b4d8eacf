import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  chunkings,
  cutBytes,
  hostileLines,
  layerSizesOf,
  ndjsonBytes,
  type PullSession,
  pullSessions,
  type StatusObject,
  statusObjects,
} from "../conformance/generators/mod.ts";
import type { PullErrorCode } from "./errors.ts";
import {
  decodeProgress,
  ProgressDecoder,
  PullProgressDecoder,
  PullProgressStream,
} from "./progress.ts";
import type { LayerSize, PullLayer, PullProgress } from "./snapshot.ts";
import { layerName } from "./layer_name.ts";
import { ProgressTracker } from "./tracker.ts";
import { PullDecoder } from "./pull_decoder.ts";
import { toPullStatus } from "./status.ts";
import {
  asPullError,
  type Bytes,
  lines,
  outcomeOf,
  pipeProgress,
  pullErrorOf,
  standingStill,
  streamOf,
  TestSource,
  unhandledRejections,
  utf8,
} from "./stream_test_helpers.ts";

/** An object that arrives some milliseconds after the one before it. */
type Arrival = readonly [milliseconds: number, object: StatusObject];

/** The snapshots of objects, one each, and what ended them early. */
function follow(
  arrivals: Iterable<Arrival>,
  layers?: Iterable<LayerSize>,
): { snapshots: PullProgress[]; error: unknown } {
  let time = 0;
  const snapshots: PullProgress[] = [];
  const decoder = new PullProgressDecoder({ now: () => time, ...(layers && { layers }) });
  try {
    for (const [milliseconds, object] of arrivals) {
      time += milliseconds;
      decoder.push(toPullStatus(object)!, (snapshot) => snapshots.push(snapshot));
    }
    decoder.end();
    return { snapshots, error: undefined };
  } catch (error) {
    return { snapshots, error };
  }
}

/** The snapshots of objects that arrive a tick after one another. */
function snapshotsOf(
  objects: readonly StatusObject[],
  layers?: Iterable<LayerSize>,
): PullProgress[] {
  return follow(objects.map((object) => [60, object]), layers).snapshots;
}

const DIGESTS = ["sha256:aaaa", "sha256:bbbb", "sha256:cccc", "sha256:model"];

/** Objects in any order, of which only the bytes are bounded, so that their sums are exact. */
const anyObjects = fc.array(statusObjects(DIGESTS, 2 ** 40), { maxLength: 30, size: "max" });

/** Times between arrivals: none, ticks, and hours. */
const pauses = fc.oneof(fc.constantFrom(0, 60, 100), fc.nat({ max: 10_000_000 }));

/** Lists of layers, complete or not, and right or not. */
const anyLayers: fc.Arbitrary<LayerSize[] | undefined> = fc.option(
  fc.array(
    fc.record({ digest: fc.constantFrom(...DIGESTS), size: fc.nat() }, { noNullPrototype: true }),
    { maxLength: 3 },
  ),
  { nil: undefined },
);

const anySession = pullSessions({ endings: ["success", "error", "cut"] });

/** Whether a server tells all layers apart by their digests, as all but compatible ones do. */
const hasDigests = ({ statuses }: PullSession) =>
  statuses.every(({ digest, total, completed }) => digest || !(total || completed));

/** Whole pulls, pulls after pulls as by a server that starts anew, and mere objects. */
const anyArrivals: fc.Arbitrary<Arrival[]> = fc.oneof(
  anySession.map(({ statuses }) => statuses),
  fc.tuple(anySession, anySession).map((sessions) =>
    sessions.flatMap(({ statuses }) => statuses.filter(({ status }) => status !== "success"))
  ),
  anyObjects,
).chain((objects) => fc.tuple(...objects.map((object) => fc.tuple(pauses, fc.constant(object)))));

/** Holds for the snapshots of any input, one after the other. */
function forAllSnapshots(
  check: (snapshot: PullProgress, previous: PullProgress | undefined) => void,
): void {
  fc.assert(
    fc.property(anyArrivals, anyLayers, (arrivals, layers) => {
      let previous: PullProgress | undefined;
      for (const snapshot of follow(arrivals, layers).snapshots) {
        check(snapshot, previous);
        previous = snapshot;
      }
    }),
    { numRuns: 500 },
  );
}

/** A promise, and what resolves it. */
function promised<Value>() {
  let resolve = (_: Value) => {};
  const promise = new Promise<Value>((keep) => resolve = keep);
  return { promise, resolve };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

const isSameLayer = (a: PullLayer, b: PullLayer) => a.digest === b.digest && a.status === b.status;

const isLater = ({ phase }: PullProgress) => phase !== "manifest" && phase !== "downloading";

describe("a snapshot", () => {
  it("never has a lower fraction or completed than the one before, in the whole or in a layer", () => {
    forAllSnapshots((snapshot, previous) => {
      if (!previous) return;
      assert(snapshot.fraction >= previous.fraction, "fraction");
      assert(snapshot.completed >= previous.completed, "completed");
      for (const layer of previous.layers) {
        const now = snapshot.layers.find((other) => isSameLayer(layer, other));
        // Layers that are only listed give way to one figure for all, or to layers that are not listed.
        if (!now) assert(layer.completed === 0 && previous.totalIsKnown, "a layer is gone");
        else assert(now.completed >= layer.completed, JSON.stringify(layer));
        // The same words may be used for one file after another.
        const mayGrow = layer.digest === undefined && now?.total! > layer.total!;
        if (now && !mayGrow) assert(now.done >= layer.done, JSON.stringify(layer));
      }
    });
  });

  it("has a fraction from 0 to 1, which is 1 at success and only then", () => {
    forAllSnapshots(({ fraction, phase }) => {
      assert(fraction >= 0 && fraction <= 1, `${fraction}`);
      assertEquals(fraction === 1, phase === "success");
    });
  });

  it("has no more completed than total, in the whole and in each layer", () => {
    forAllSnapshots(({ completed, total, layers }) => {
      assert(completed >= 0 && completed <= total, `${completed} of ${total}`);
      for (const { completed, total } of layers) {
        assert(completed >= 0 && completed <= (total ?? Infinity), `${completed} of ${total}`);
      }
    });
  });

  it("sums up its layers", () => {
    forAllSnapshots(({ completed, total, layers }) => {
      assertEquals(completed, sum(layers.map(({ completed }) => completed)));
      assertEquals(total, sum(layers.map(({ total, completed }) => total ?? completed)));
    });
  });

  it("shows every layer complete from verifying on", () => {
    forAllSnapshots(({ phase, completed, total, layers }) => {
      if (phase === "manifest" || phase === "downloading") return;
      assertEquals(completed, total);
      for (const layer of layers) {
        assertEquals([layer.done, layer.completed], [true, layer.total ?? layer.completed]);
      }
    });
  });

  it("shows a layer done only when it has all of its bytes", () => {
    forAllSnapshots(({ layers }) => {
      for (const { done, total, completed } of layers) {
        if (done) assertEquals(completed, total ?? completed);
        else assert(total === undefined || total === 0 || completed < total);
      }
    });
  });

  it("lists each layer once, in the order of first appearance", () => {
    forAllSnapshots((snapshot, previous) => {
      const names = snapshot.layers.map(({ digest, status }) => JSON.stringify([digest, status]));
      assertEquals(new Set(names).size, names.length);
      const before = (previous?.layers ?? [])
        .map(({ digest, status }) => JSON.stringify([digest, status]))
        .filter((name) => names.includes(name));
      assertEquals(names.slice(0, before.length), before);
    });
  });

  it("has a fraction of 0 while no layer has a size", () => {
    forAllSnapshots(({ layers, fraction, phase }) => {
      if (phase === "success") return;
      if (layers.every(({ total = 0 }) => total === 0)) assertEquals(fraction, 0);
    });
  });

  it("knows the total from verifying on, until another layer is named", () => {
    forAllSnapshots((snapshot, previous) => {
      if (isLater(snapshot)) assert(snapshot.totalIsKnown);
      if (!previous?.totalIsKnown || snapshot.totalIsKnown) return;
      const isNewOrLarger = (layer: PullLayer) => {
        const before = previous.layers.find((other) => isSameLayer(layer, other));
        return !before || before.total! < layer.total!;
      };
      assert(snapshot.layers.some(isNewOrLarger));
    });
  });

  it("does not know the total before that, however many layers are named", () => {
    fc.assert(fc.property(anySession, ({ statuses, dialect }) => {
      for (const snapshot of snapshotsOf(statuses)) {
        const { totalIsKnown, layers: [first] } = snapshot;
        const isOneForAll = dialect === "tensor" && first?.digest !== undefined &&
          first.total !== undefined;
        assertEquals(totalIsKnown, isLater(snapshot) || isOneForAll);
      }
    }));
  });

  it("has the share of the total as fraction, or an earlier higher fraction", () => {
    forAllSnapshots(({ completed, total, totalIsKnown, fraction, phase }, previous) => {
      if (!totalIsKnown || total === 0 || phase === "success") return;
      const share = Math.min(completed / total, 1 - 2 ** -53);
      assertEquals(fraction, Math.max(previous?.fraction ?? 0, share));
    });
  });

  it("does not move the fraction for a layer that is complete when first reported", () => {
    fc.assert(
      fc.property(anyArrivals, (arrivals) => {
        let previous: PullProgress | undefined;
        for (const snapshot of follow(arrivals).snapshots) {
          const last = snapshot.layers.at(-1);
          const isNew = snapshot.layers.length > (previous?.layers.length ?? 0);
          if (isNew && last?.done && !isLater(snapshot) && !snapshot.totalIsKnown) {
            assertEquals(snapshot.fraction, previous?.fraction ?? 0);
          }
          previous = snapshot;
        }
      }),
      { numRuns: 500 },
    );
  });

  it("has a rate and a time left that are finite and not negative, and only while downloading", () => {
    forAllSnapshots(({ bytesPerSecond = 0, etaSeconds = 0, phase, ...rest }) => {
      assert(Number.isFinite(bytesPerSecond) && bytesPerSecond >= 0, `${bytesPerSecond}`);
      assert(Number.isFinite(etaSeconds) && etaSeconds >= 0, `${etaSeconds}`);
      if (phase !== "downloading") assertEquals([bytesPerSecond, etaSeconds], [0, 0]);
      assert(Object.values<unknown>(rest).every((value) => value !== undefined));
    });
  });

  it("never changes after it was emitted", () => {
    fc.assert(fc.property(anyArrivals, anyLayers, (arrivals, layers) => {
      const { snapshots } = follow(arrivals, layers);
      const texts: string[] = [];
      let time = 0;
      const decoder = new PullProgressDecoder({ now: () => time, layers: layers ?? [] });
      const frozen: PullProgress[] = [];
      const emit = (snapshot: PullProgress) => {
        texts.push(JSON.stringify(snapshot));
        frozen.push(deepFreeze(snapshot)); // to write to it throws from here on
      };
      for (const [milliseconds, object] of arrivals.slice(0, snapshots.length)) {
        time += milliseconds;
        decoder.push(toPullStatus(object)!, emit);
      }
      assertEquals(frozen.map((snapshot) => JSON.stringify(snapshot)), texts);
    }));
  });

  it("is the same to the byte for the same input at the same times", () => {
    fc.assert(fc.property(anyArrivals, anyLayers, (arrivals, layers) => {
      const [once, again] = [follow(arrivals, layers), follow(arrivals, layers)];
      assertEquals(JSON.stringify(once.snapshots), JSON.stringify(again.snapshots));
    }));
  });

  it("stays within its bounds for numbers of any size that the protocol allows", () => {
    const objects = fc.array(statusObjects(), { maxLength: 30, size: "max" });
    fc.assert(
      fc.property(objects, (objects) => {
        let previous: PullProgress | undefined;
        for (const snapshot of snapshotsOf(objects)) {
          const { fraction, completed, total, phase, etaSeconds = 0 } = snapshot;
          assert(completed <= total, `${completed} of ${total}`);
          assert(fraction >= (previous?.fraction ?? 0));
          assert(completed >= (previous?.completed ?? 0));
          assertEquals(fraction === 1, phase === "success");
          assert(etaSeconds >= 0, `${etaSeconds}`);
          previous = snapshot;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

/** A status about a layer, as servers of today write it. */
function layerStatus(digest: string, total: number, completed?: number): StatusObject {
  const status = `pulling ${digest.slice("sha256:".length, "sha256:".length + 12)}`;
  return completed === undefined ? { status, digest, total } : { status, digest, total, completed };
}

const [A, B] = ["sha256:aaaa", "sha256:bbbb"] as const;

describe("PullProgressDecoder", () => {
  /** What is shown of statuses before and after a promise of layers was resolved. */
  async function showLate(
    before: readonly StatusObject[],
    list: LayerSize[],
    after: readonly StatusObject[] = [],
  ): Promise<PullProgress> {
    const { promise: layers, resolve } = promised<LayerSize[]>();
    const tracker = new ProgressTracker(layers);
    for (const object of before) tracker.push(toPullStatus(object)!, 0);
    resolve(list);
    await layers;
    for (const object of after) tracker.push(toPullStatus(object)!, 0);
    return tracker.snapshot();
  }

  it("takes the phase from the kind of status, and keeps the server's latest words", () => {
    const objects = [
      { status: "pulling manifest" },
      { status: "waiting for a slot" },
      layerStatus(A, 10),
      { digest: A, total: 10, completed: 5 },
      {},
      { status: "verifying sha256 digest" },
      { status: "writing manifest" },
      { status: "removing any unused layers" },
      { status: "success" },
    ];
    assertEquals(snapshotsOf(objects).map(({ phase, status }) => [phase, status]), [
      ["manifest", "pulling manifest"],
      ["manifest", "waiting for a slot"],
      ["downloading", "pulling aaaa"],
      ["downloading", "pulling aaaa"],
      ["downloading", "pulling aaaa"],
      ["verifying", "verifying sha256 digest"],
      ["writing", "writing manifest"],
      ["removing", "removing any unused layers"],
      ["success", "success"],
    ]);
  });

  it("emits one snapshot per status", () => {
    fc.assert(fc.property(pullSessions(), ({ statuses }) => {
      assertEquals(snapshotsOf(statuses).length, statuses.length);
    }));
  });

  it("shows the layers of the manifest, each complete, at the end of any session", () => {
    fc.assert(fc.property(pullSessions().filter(hasDigests), (session) => {
      const { statuses, manifest, dialect } = session;
      const last = snapshotsOf(statuses, layerSizesOf(manifest)).at(-1)!;
      const size = sum(layerSizesOf(manifest).map(({ size }) => size));
      assertEquals([last.phase, last.fraction], ["success", 1]);
      assertEquals([last.completed, last.total], [size, size]);
      if (dialect === "tensor") return;
      assertEquals(
        last.layers,
        layerSizesOf(manifest).map(({ digest, size }) => (
          { digest, total: size, completed: size, done: true }
        )),
      );
    }));
  });

  it("has the right total from the first update on, if the layers are known", () => {
    fc.assert(fc.property(anySession.filter(hasDigests), ({ statuses, manifest }) => {
      const size = sum(layerSizesOf(manifest).map(({ size }) => size));
      for (const { total, totalIsKnown } of snapshotsOf(statuses, layerSizesOf(manifest))) {
        assertEquals([total, totalIsKnown], [size, true]);
      }
    }));
  });

  it("never has a fraction above the true share, if the layers are known", () => {
    fc.assert(fc.property(anySession.filter(hasDigests), ({ statuses, manifest }) => {
      const size = sum(layerSizesOf(manifest).map(({ size }) => size));
      for (const { completed, fraction } of snapshotsOf(statuses, layerSizesOf(manifest))) {
        assert(fraction <= completed / size, `${fraction} for ${completed} of ${size}`);
      }
    }));
  });

  it("uses the layers of a promise once it resolves, and holds fraction until the true share catches up", async () => {
    const hasSizes = ({ dialect, statuses }: PullSession) =>
      dialect !== "tensor" || statuses.every(({ digest, total }) => !digest || total);
    const sessions = anySession.filter(hasDigests).filter(hasSizes);
    const moments = sessions.chain((session) =>
      fc.tuple(fc.constant(session), fc.nat({ max: session.statuses.length }))
    );
    await fc.assert(fc.asyncProperty(moments, async ([{ statuses, manifest }, moment]) => {
      const size = sum(layerSizesOf(manifest).map(({ size }) => size));
      const { promise: layers, resolve } = promised<LayerSize[]>();
      const decoder = new PullProgressDecoder({ layers, now: standingStill });
      const snapshots: PullProgress[] = [];
      const follow = (objects: readonly StatusObject[]) => {
        for (const object of objects.filter(({ error }) => error === undefined)) {
          decoder.push(toPullStatus(object)!, (snapshot) => snapshots.push(snapshot));
        }
        return snapshots.length;
      };
      const before = follow(statuses.slice(0, moment));
      resolve(layerSizesOf(manifest));
      await layers;
      follow(statuses.slice(moment));

      let highest = snapshots[before - 1]?.fraction ?? 0;
      for (const { phase, completed, total, totalIsKnown, fraction } of snapshots.slice(before)) {
        assertEquals([total, totalIsKnown], [size, true]);
        if (phase === "success") continue;
        highest = Math.max(highest, Math.min(completed / total, 1 - 2 ** -53));
        assertEquals(fraction, highest);
      }
    }));
  });

  it("accepts layers from any iterable, and counts duplicates once", () => {
    function* layers() {
      yield { digest: A, size: 10 };
      yield { digest: A, size: 10 };
    }
    assertEquals(snapshotsOf([{ status: "pulling manifest" }], layers())[0]?.total, 10);
  });

  it("rejects layers without a digest or a size in bytes, and anything but a list", () => {
    for (
      const layer of [{ digest: A }, { size: 1 }, { digest: A, size: -1 }, { digest: A, size: 1.5 }]
    ) {
      assertThrows(
        () => new ProgressTracker([layer as LayerSize]),
        TypeError,
        "it needs a digest, and a size",
      );
    }
    for (const layers of [{ layers: [] }, 5, null]) {
      assertThrows(
        () => new ProgressTracker(layers as unknown as LayerSize[]),
        TypeError,
        "Cannot use the layers: they must be a list",
      );
    }
  });

  it("rejects the same from a promise, at the next status", async () => {
    for (const [layers, message] of [[[{ digest: A }], "needs a digest"], [{}, "must be a list"]]) {
      const promise = Promise.resolve(layers as LayerSize[]);
      const decoder = new PullProgressDecoder({ layers: promise });
      await promise;
      const push = () => decoder.push({ kind: "manifest", status: "pulling manifest" }, () => {});
      assertThrows(push, TypeError, message as string);
    }
  });

  it("works without layers if their promise rejects, or is empty", async () => {
    const layers = Promise.reject(new Error("no such manifest"));
    for (const promise of [layers, Promise.resolve([]), Promise.resolve(undefined as never)]) {
      const decoder = new PullProgressDecoder({ layers: promise, now: standingStill });
      await promise.catch(() => {});
      const snapshots: PullProgress[] = [];
      for (const object of [layerStatus(A, 100, 25), { status: "success" }]) {
        decoder.push(toPullStatus(object)!, (snapshot) => snapshots.push(snapshot));
      }
      assertEquals(
        snapshots.map(({ total, totalIsKnown, fraction }) => [
          total,
          totalIsKnown,
          fraction,
        ]),
        [[100, false, 0.25], [100, true, 1]],
      );
    }
  });

  it("leaves no rejection of the promise unhandled", async () => {
    const work = () => {
      new ProgressTracker(Promise.reject(new Error("no such manifest")));
      return Promise.resolve();
    };
    assertEquals(await unhandledRejections(work), []);
  });

  it("shows the layers of a promise even in a chunk without news, but not after success", async () => {
    const body = new TestSource<Uint8Array>(utf8(lines(layerStatus(A, 60, 30))));
    const { promise: layers, resolve } = promised<LayerSize[]>();
    const reader = decodeProgress(body.stream, { layers, now: standingStill }).getReader();
    const next = async () => {
      const { value } = await reader.read();
      return [value?.completed, value?.total, value?.totalIsKnown, value?.fraction];
    };
    assertEquals(await next(), [30, 60, false, 0.5]);
    resolve([{ digest: A, size: 60 }, { digest: B, size: 40 }]);
    await layers;
    body.give(utf8("\n"));
    assertEquals(await next(), [30, 100, true, 0.5]);

    const late = promised<LayerSize[]>();
    const tracker = new ProgressTracker(late.promise);
    tracker.push({ kind: "success", status: "success" }, 0);
    late.resolve([{ digest: A, size: 60 }]);
    await late.promise;
    assertEquals(tracker.snapshot().total, 0);
  });

  it("completes the layers of a promise that resolves in a later phase", async () => {
    const verifying = { status: "verifying sha256 digest" };
    const snapshot = await showLate([verifying], [{ digest: A, size: 60 }]);
    const { completed, total, layers: [layer] } = snapshot;
    assertEquals([completed, total, layer?.done], [60, 60, true]);
  });

  it("drops the unreported layers when the server names another one", () => {
    const listed = [{ digest: A, size: 60 }, { digest: B, size: 40 }];
    for (const stranger of [{ digest: "sha256:cccc", total: 20 }, { status: "c", total: 20 }]) {
      const objects = [
        { status: "pulling manifest" },
        layerStatus(B, 40, 10),
        stranger,
        layerStatus(A, 60, 60),
      ];
      const snapshots = snapshotsOf(objects, listed);
      assertEquals(
        snapshots.map(({ completed, total, totalIsKnown, fraction, layers }) => [
          completed,
          total,
          totalIsKnown,
          fraction,
          layers.map(({ digest, status }) => digest ?? status),
        ]),
        [
          [0, 100, true, 0, [A, B]],
          [10, 100, true, 0.1, [A, B]],
          [10, 60, false, 10 / 60, [B, stranger.digest ?? stranger.status]],
          // A was complete when it was first reported.
          [70, 120, false, 10 / 60, [B, stranger.digest ?? stranger.status, A]],
        ],
      );
    }
  });

  it("ignores the layers of a promise if the server has named another one", async () => {
    for (const stranger of [layerStatus(B, 40, 10), { status: "b", total: 40, completed: 10 }]) {
      const { total, totalIsKnown } = await showLate([stranger], [{ digest: A, size: 60 }]);
      assertEquals([total, totalIsKnown], [40, false]);
    }
  });

  it("takes the size of a layer from a promise, if the server gave none", async () => {
    const unsized = { digest: A, completed: 5 };
    const list = [{ digest: A, size: 60 }];
    const done = { digest: A, total: 60, completed: 60, done: true };
    const manifest = { status: "pulling manifest" };
    const verifying = { status: "verifying sha256 digest" };
    const downloading = { digest: A, total: 60, completed: 5, done: false };
    assertEquals((await showLate([unsized], list)).layers, [downloading]);
    assertEquals((await showLate([unsized, verifying], list)).layers, [done]);
    assertEquals((await showLate([unsized, verifying, manifest], list)).layers, [done]);
    const { layers } = await showLate([{ digest: A }], list, [layerStatus(B, 40)]);
    assertEquals(layers.map(({ digest }) => digest), [A, B]);
  });

  it("does not treat sha256:model as all layers, if there are other layers", () => {
    const model = { digest: "sha256:model", total: 100 };
    for (const objects of [[layerStatus(A, 60, 10), model], [model, layerStatus(A, 60, 10)]]) {
      for (const layers of [[], [{ digest: A, size: 60 }]]) {
        const { total, totalIsKnown } = snapshotsOf(objects, layers).at(-1)!;
        assertEquals([total, totalIsKnown], [160, false]);
      }
    }
  });

  it("estimates from the named layers, without a config.json that comes first", () => {
    const config = "sha256:config";
    const objects = [
      layerStatus(config, 1_000, 1_000),
      layerStatus(B, 10, 10),
      layerStatus(A, 5_000_000_000),
      layerStatus(A, 5_000_000_000, 1_000_000_000),
      layerStatus("sha256:cccc", 5_000_000_000, 5_000_000_000),
      { status: "verifying sha256 digest" },
    ];
    const fractions = snapshotsOf(objects).map(({ fraction }) => Math.floor(fraction * 1000));
    assertEquals(fractions, [0, 0, 0, 200, 200, 999]);
  });

  it("reports tensor models as one layer, in place of the listed layers", () => {
    const listed = [{ digest: A, size: 60 }, { digest: B, size: 40 }];
    const objects = [
      { status: "pulling manifest" },
      { status: "pulling model", digest: "sha256:model", total: 100 },
      { status: "pulling model", digest: "sha256:model", total: 100, completed: 50 },
      { status: "writing manifest" },
      { status: "success" },
    ];
    const snapshots = snapshotsOf(objects, listed);
    assert(snapshots.every(({ totalIsKnown }) => totalIsKnown));
    assertEquals(
      snapshots.map(({ total, completed, fraction }) => [total, completed, fraction]),
      [[100, 0, 0], [100, 0, 0], [100, 50, 0.5], [100, 100, snapshots[3]?.fraction], [100, 100, 1]],
    );
    assertEquals(snapshots[2]?.layers, [
      { digest: "sha256:model", total: 100, completed: 50, done: false },
    ]);
  });

  it("keeps its sums when a tensor model is reported after its layers were complete", () => {
    const objects = [
      { status: "verifying sha256 digest" },
      { status: "pulling model", digest: "sha256:model", total: 10, completed: 5 },
    ];
    const last = snapshotsOf(objects, [{ digest: A, size: 10 }]).at(-1)!;
    assert(last.completed <= last.total, `${last.completed} of ${last.total}`);
  });

  it("does not fall at a rollback, and goes on when the server has caught up", () => {
    const completions = [50, 20, 49, 50, 80];
    const objects = completions.map((completed) => layerStatus(A, 100, completed));
    assertEquals(snapshotsOf(objects).map(({ completed }) => completed), [50, 50, 50, 50, 80]);
  });

  it("lets a late layer raise the total, but not lower the fraction", () => {
    const objects = [layerStatus(A, 100, 90), layerStatus(B, 900), layerStatus(B, 900, 850)];
    assertEquals(
      snapshotsOf(objects).map(({ completed, total, fraction }) => [completed, total, fraction]),
      [[90, 100, 0.9], [90, 1000, 0.9], [940, 1000, 0.94]],
    );
  });

  it("treats more bytes than the total as the total", () => {
    const [snapshot] = snapshotsOf([layerStatus(A, 100, 150)]);
    assertEquals([snapshot?.completed, snapshot?.total], [100, 100]);
    assertEquals(snapshot?.layers[0]?.done, true);
  });

  it("counts the bytes of a layer without a size in both sums, and not in the fraction", () => {
    const objects = [
      { digest: A, completed: 70 },
      { digest: B, total: 100, completed: 25 },
    ];
    const last = snapshotsOf(objects).at(-1)!;
    assertEquals([last.completed, last.total, last.fraction], [95, 170, 0.25]);
    assertEquals(last.layers[0], { digest: A, completed: 70, done: false });
    assertEquals(last.etaSeconds, undefined);
  });

  it("follows a total that changes, but never below the bytes present", () => {
    const objects = [
      layerStatus(A, 100, 50),
      layerStatus(A, 200, 60),
      layerStatus(A, 40, 60),
    ];
    assertEquals(snapshotsOf(objects).map(({ completed, total }) => [completed, total]), [
      [50, 100],
      [60, 200],
      [60, 60],
    ]);
  });

  it("ignores everything after success, except an error", () => {
    const success = [layerStatus(A, 100, 50), { status: "success" }];
    const { snapshots, error } = follow(
      [...success, layerStatus(B, 100), { status: "pulling manifest" }].map((
        object,
      ) => [60, object]),
    );
    assertEquals(error, undefined);
    assertEquals(snapshots.slice(1), Array(3).fill(snapshots[1]));
    const failed = follow([...success, { error: "disk full" }].map((object) => [60, object]));
    assertEquals(asPullError(failed.error).code, "server");
  });

  it("fails with server at an error object, with its message", () => {
    const { snapshots, error } = follow([[0, { status: "pulling manifest" }], [0, {
      error: "disk full",
    }]]);
    assertEquals(snapshots.length, 1);
    assertEquals([asPullError(error).code, asPullError(error).message], ["server", "disk full"]);
    const silent = asPullError(follow([[0, { error: "" }]]).error);
    assertEquals([silent.code, silent.message], ["server", "The server gave no reason"]);
  });

  it("fails with truncated at an end without success, and says after which status", () => {
    const messages: [StatusObject[], string][] = [
      [[], "The stream ended without success"],
      [[{}], "The stream ended without success"],
      [
        [{ status: "writing manifest" }],
        'The stream ended without success, after "writing manifest"',
      ],
    ];
    for (const [objects, message] of messages) {
      const error = asPullError(follow(objects.map((object) => [0, object])).error);
      assertEquals([error.code, error.message], ["truncated", message]);
    }
  });

  it("counts thousands of layers", () => {
    const objects = Array.from(
      { length: 5000 },
      (_, index) => layerStatus(`sha256:${index}`, 100, 1),
    );
    const last = snapshotsOf([...objects, ...objects]).at(-1)!;
    assertEquals([last.completed, last.total, last.layers.length], [5000, 500_000, 5000]);
  });
});

/** Arrivals of one layer at a steady rate: lines a tick apart. */
function* steady(
  { digest = A, from = 0, to, bytesPerSecond, tickMs = 60, total = to }: {
    digest?: string;
    from?: number;
    to: number;
    bytesPerSecond: number;
    tickMs?: number;
    total?: number;
  },
): Generator<Arrival> {
  const step = bytesPerSecond * tickMs / 1000;
  for (let completed = from; completed < to; completed += step) {
    yield [tickMs, layerStatus(digest, total, Math.round(completed))];
  }
}

/** All rates reported, which have to be some. */
function ratesOf(arrivals: Iterable<Arrival>): number[] {
  const rates = follow(arrivals).snapshots.flatMap(({ bytesPerSecond }) => bytesPerSecond ?? []);
  assert(rates.length > 0, "no rate was reported");
  return rates;
}

function assertWithin(percent: number, actual: readonly number[], expected: number): void {
  for (const value of actual) assertAlmostEquals(value, expected, expected * percent / 100);
}

describe("bytesPerSecond", () => {
  const MB = 1_000_000;

  it("is the true rate of a steady download within 1 %, from the first time it is given", () => {
    const rates = fc.integer({ min: 1000, max: 10_000 * MB });
    const ticks = fc.constantFrom(60, 100, 7, 1000);
    fc.assert(fc.property(rates, ticks, (bytesPerSecond, tickMs) => {
      const to = bytesPerSecond * 20 * tickMs / 60;
      assertWithin(1, ratesOf(steady({ to, bytesPerSecond, tickMs })), bytesPerSecond);
    }));
  });

  it("is the true rate if lines come at uneven times, within 1 %", () => {
    const pauses = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 20, maxLength: 50 });
    fc.assert(fc.property(pauses, (pauses) => {
      let completed = 0;
      const arrivals = pauses.map((pause): Arrival => {
        completed += pause * 1000;
        return [pause, layerStatus(A, 100 * MB, completed)];
      });
      const { snapshots } = follow(arrivals);
      const rates = snapshots.flatMap(({ bytesPerSecond }) => bytesPerSecond ?? []);
      assertWithin(1, rates, MB);
    }));
  });

  it("is not distorted by the bytes of a resumed layer, by more than 1 %", () => {
    const arrivals = steady({ from: 900 * MB, to: 1000 * MB, bytesPerSecond: 10 * MB });
    assertWithin(1, ratesOf(arrivals), 10 * MB);
  });

  it("is not distorted by cached layers, before or within a download, by more than 1 %", () => {
    const download = [...steady({ to: 100 * MB, bytesPerSecond: 10 * MB })];
    const cached: Arrival = [0, layerStatus("sha256:cccc", 5000 * MB, 5000 * MB)];
    const late: Arrival = [0, layerStatus("sha256:dddd", 5000 * MB, 5000 * MB)];
    assertWithin(
      1,
      ratesOf([cached, ...download.slice(0, 80), late, ...download.slice(80)]),
      10 * MB,
    );
  });

  it("is not distorted by bytes that come together with the first line about a layer", () => {
    const arrivals: Arrival[] = [
      [60, layerStatus(A, 1000 * MB)],
      [0, layerStatus(A, 1000 * MB, 900 * MB)],
      ...steady({ from: 900.6 * MB, to: 1000 * MB, bytesPerSecond: 10 * MB }),
    ];
    assertWithin(1, ratesOf(arrivals), 10 * MB);
  });

  it("is not distorted by a rollback, by more than the tick in which nothing was measured", () => {
    const arrivals = [
      ...steady({ to: 60 * MB, total: 100 * MB, bytesPerSecond: 10 * MB }),
      ...steady({ from: 10 * MB, to: 100 * MB, bytesPerSecond: 10 * MB }),
    ];
    assertWithin(2, ratesOf(arrivals), 10 * MB);
  });

  it("is 0 after a pause between two layers, which does not distort it later by more than 1 %", () => {
    const arrivals: Arrival[] = [
      ...steady({ digest: A, to: 60 * MB, bytesPerSecond: 10 * MB }),
      [60_000, layerStatus(B, 60 * MB)],
      ...[...steady({ digest: B, to: 60 * MB, bytesPerSecond: 10 * MB })].slice(1),
    ];
    const rates = ratesOf(arrivals);
    assertEquals(rates.filter((rate) => rate === 0).length, 1);
    assertWithin(1, rates.filter((rate) => rate > 0), 10 * MB);
  });

  it("is that of all layers together if they run in parallel, within 1 %", () => {
    const [a, b] = [A, B].map((digest) => [
      ...steady({ digest, to: 100 * MB, bytesPerSecond: 10 * MB, tickMs: 100 }),
    ]);
    const arrivals = a!.flatMap((arrival, index): Arrival[] => [arrival, [0, b![index]![1]]]);
    // In between two lines of one time, what one of them brings is not there yet.
    const afterBoth = follow(arrivals).snapshots.filter((_, index) => index % 2 === 1);
    const rates = afterBoth.flatMap(({ bytesPerSecond }) => bytesPerSecond ?? []);
    assert(rates.length > 0);
    assertWithin(1, rates, 20 * MB);
  });

  it("does not depend on whether simultaneous lines are in one chunk or in many", () => {
    const arrivals = [...steady({ to: 100 * MB, bytesPerSecond: 10 * MB })];
    const halved = arrivals.flatMap(([pause, object]): Arrival[] => {
      const { completed = 0, total } = object as { completed?: number; total: number };
      return [[pause, layerStatus(A, total, Math.max(completed - 1000, 0))], [0, object]];
    });
    assertWithin(1, ratesOf(halved), 10 * MB);
  });

  it("counts only bytes that came since the pull was resumed on a new connection", () => {
    const tracker = new ProgressTracker();
    let time = 0;
    const push = ([pause, object]: Arrival) => {
      time += pause;
      tracker.push(toPullStatus(object)!, time);
    };
    for (
      const arrival of steady({ to: 30 * MB, total: 100 * MB, bytesPerSecond: 10 * MB })
    ) push(arrival);
    tracker.restart();
    time += 30_000;
    const [first, ...later] = steady({ from: 60 * MB, to: 100 * MB, bytesPerSecond: 10 * MB });
    push(first!);
    assertEquals(tracker.snapshot().bytesPerSecond, 0);
    for (const arrival of later) {
      push(arrival);
      assertWithin(1, [tracker.snapshot().bytesPerSecond!], 10 * MB);
    }
  });

  it("gives the time left: the missing bytes at that rate, within 1 %", () => {
    const snapshots = follow(steady({ to: 100 * MB, bytesPerSecond: 10 * MB })).snapshots;
    for (const { etaSeconds, total, completed } of snapshots) {
      if (etaSeconds === undefined) continue;
      assertAlmostEquals(etaSeconds, (total - completed) / (10 * MB), 0.1);
    }
    assert(snapshots.at(-1)?.etaSeconds !== undefined);
  });

  it("gives no time left while there is a layer without a size that is not complete", () => {
    const unsized: Arrival = [0, { digest: B, completed: 5 }];
    const arrivals = [unsized, ...steady({ to: 100 * MB, bytesPerSecond: 10 * MB })];
    const { bytesPerSecond, etaSeconds } = follow(arrivals).snapshots.at(-1)!;
    assertEquals([bytesPerSecond !== undefined, etaSeconds], [true, undefined]);
  });

  it("includes bytes to be fetched again after a rollback in the time left", () => {
    const arrivals: Arrival[] = [
      ...steady({ to: 80 * MB, total: 100 * MB, bytesPerSecond: 10 * MB }),
      [60, layerStatus(A, 100 * MB, 30 * MB)],
    ];
    assertAlmostEquals(follow(arrivals).snapshots.at(-1)!.etaSeconds!, 7, 0.1);
  });

  it("gives no time left while a server sends nothing new from the start", () => {
    const arrivals = Array.from({ length: 20 }, (): Arrival => [100, layerStatus(A, 100)]);
    const last = follow(arrivals).snapshots.at(-1)!;
    assertEquals([last.bytesPerSecond, last.etaSeconds], [0, undefined]);
  });

  it("is 0, without a time left, once a server has repeated itself for 10 s", () => {
    const frozen = Array.from(
      { length: 1000 },
      (): Arrival => [60, layerStatus(A, 100 * MB, 80 * MB)],
    );
    const arrivals = [
      ...steady({ to: 80 * MB, total: 100 * MB, bytesPerSecond: 10 * MB }),
      ...frozen,
    ];
    const { snapshots } = follow(arrivals);
    const known = snapshots.slice(-1000, -1000 + 10_000 / 60);
    for (const { etaSeconds } of known) assertAlmostEquals(etaSeconds!, 2, 0.1);
    for (const { bytesPerSecond, etaSeconds } of snapshots.slice(-1000 + 10_000 / 60 + 1)) {
      assertEquals([bytesPerSecond, etaSeconds], [0, undefined]);
    }
    // Nothing changes any more, so nothing is emitted.
    const decoder = new ProgressDecoder({ now: () => time });
    let time = 0;
    let emittedAt = 0;
    for (const [pause, object] of arrivals) {
      time += pause;
      decoder.push(utf8(lines(object)), () => emittedAt = time);
    }
    assert(emittedAt < time - 40_000, `${emittedAt} of ${time}`);
  });

  it("can be computed for a later time: it falls, and the time left stays until it is unknown", () => {
    const tracker = new ProgressTracker();
    let time = 0;
    for (
      const [pause, object] of steady({ to: 50 * MB, total: 100 * MB, bytesPerSecond: 10 * MB })
    ) {
      tracker.push(toPullStatus(object)!, time += pause);
    }
    const { bytesPerSecond = 0, etaSeconds } = tracker.snapshot();
    assertEquals(tracker.snapshot(time), tracker.snapshot());
    const later = tracker.snapshot(time + 5_000);
    assert(later.bytesPerSecond! < bytesPerSecond / 2, `${later.bytesPerSecond}`);
    assertEquals(later.etaSeconds, etaSeconds);
    const frozen = tracker.snapshot(time + 10_001);
    assertEquals([frozen.bytesPerSecond, frozen.etaSeconds], [0, undefined]);
    assertEquals({ ...frozen, bytesPerSecond, etaSeconds }, tracker.snapshot());
  });
});

/** Bytes that may hold anything, in chunks. */
const anyBytes = fc.oneof(
  anySession.chain(({ statuses }) => ndjsonBytes(statuses)),
  fc.tuple(
    fc.array(fc.oneof(hostileLines(), statusObjects().map((object) => JSON.stringify(object)))),
    fc.boolean(),
  ).map(([all, finalNewline]) => utf8(all.join("\n") + (finalNewline ? "\n" : ""))),
).chain(chunkings);

/** Whether one list is what is left of another when some of it is left out. */
function isSubsequence(part: readonly unknown[], whole: readonly unknown[]): boolean {
  const texts = whole.map((item) => JSON.stringify(item));
  let at = 0;
  return part.every((item) => (at = texts.indexOf(JSON.stringify(item), at) + 1) > 0);
}

describe("decodeProgress", () => {
  it("emits some of the snapshots of the three streams, in order, with the same last one and error", async () => {
    for (const onMalformed of ["error", "skip"] as const) {
      const options = { now: standingStill, onMalformed };
      await fc.assert(fc.asyncProperty(anyBytes, async (chunks) => {
        const fused = await outcomeOf(decodeProgress(streamOf(chunks), options));
        const piped = await outcomeOf(pipeProgress(streamOf(chunks), options));
        assert(isSubsequence(fused.values, piped.values));
        assertEquals(fused.values.at(-1), piped.values.at(-1));
        assertEquals(codeOf(fused.failure), codeOf(piped.failure));
      }));
    }
  });

  it("does so at any times, if all statuses of a chunk have the same time", () => {
    const arrivals = anyBytes.chain((chunks) =>
      fc.tuple(fc.constant(chunks), fc.array(pauses, { minLength: chunks.length }))
    );
    fc.assert(fc.property(arrivals, ([chunks, pauses]) => {
      let time = 0;
      const now = () => time;
      const [fused, each]: PullProgress[][] = [[], []];
      const whole = new ProgressDecoder({ now });
      const [statuses, progress] = [new PullDecoder({}), new PullProgressDecoder({ now })];
      const errors: unknown[] = [];
      for (
        const run of [
          (chunk: Bytes) => whole.push(chunk, (snapshot) => fused!.push(snapshot)),
          (chunk: Bytes) =>
            statuses.push(chunk, (status) => {
              progress.push(status, (snapshot) => each!.push(snapshot));
            }),
        ]
      ) {
        time = 0;
        try {
          for (const [index, chunk] of chunks.entries()) {
            time += pauses[index]!;
            run(chunk);
          }
        } catch (error) {
          errors.push(codeOf({ error }));
        }
      }
      assert(isSubsequence(fused!, each!));
      assertEquals(fused!.at(-1), each!.at(-1));
      assertEquals(errors[0], errors[1]);
    }));
  });

  it("emits one snapshot per chunk, and one for each change of phase in it", async () => {
    const chunk = utf8(lines(
      { status: "pulling manifest" },
      layerStatus(A, 100, 1),
      layerStatus(A, 100, 2),
      layerStatus(A, 100, 3),
      { status: "verifying sha256 digest" },
      { status: "success" },
    ));
    const { values } = await outcomeOf(decodeProgress(streamOf([chunk])));
    assertEquals(values.map(({ phase, completed }) => [phase, completed]), [
      ["manifest", 0],
      ["downloading", 1],
      ["verifying", 100],
      ["success", 100],
    ]);
  });

  it("emits none for a chunk that changes nothing", async () => {
    const chunks = [
      lines({ status: "pulling manifest" }),
      lines({ status: "pulling manifest" }),
      "\n\n",
      lines({}),
      lines(layerStatus(A, 100, 5)),
      lines(layerStatus(A, 200, 5), layerStatus(A, 100, 5)),
      lines({ status: "success" }),
    ].map(utf8);
    const { values } = await outcomeOf(decodeProgress(streamOf(chunks)));
    assertEquals(values.map(({ phase }) => phase), ["manifest", "downloading", "success"]);
  });

  it("reads the clock once per chunk", async () => {
    const now = spy(() => 0);
    const chunk = utf8(lines(layerStatus(A, 100), layerStatus(A, 100, 5), { status: "success" }));
    await outcomeOf(decodeProgress(streamOf([chunk]), { now }));
    assertSpyCalls(now, 2); // and once at the end
  });

  it("reads nothing before it is asked to, and cancels the body", async () => {
    const source = new TestSource<Uint8Array>(utf8(lines({ status: "pulling manifest" })));
    const reader = decodeProgress(source.stream).getReader();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    assertEquals(source.reads, 0);
    await reader.read();
    assertEquals(source.reads, 1);
    await reader.cancel("enough");
    assertEquals(source.cancels, ["enough"]);
  });

  it("gives the same last snapshot and error however the bytes are split", async () => {
    const options = { now: standingStill };
    for (const text of STREAMS) {
      const bytes = utf8(text);
      const whole = await outcomeOf(decodeProgress(streamOf([bytes]), options));
      for (let at = 0; at <= bytes.length; at++) {
        const split = await outcomeOf(decodeProgress(streamOf(cutBytes(bytes, [at])), options));
        assertEquals(split.values.at(-1), whole.values.at(-1));
        assertEquals(codeOf(split.failure), codeOf(whole.failure));
      }
    }
  });

  it("is truncated when it is cut at any byte before success, with all that came before", async () => {
    const options = { now: standingStill };
    for (const text of STREAMS) {
      const bytes = utf8(text);
      const successEnds = bytes.length - (text.match(/[\r\n]*$/)?.[0].length ?? 0);
      for (let at = 0; at < bytes.length; at++) {
        const start = bytes.slice(0, at);
        const fused = await outcomeOf(decodeProgress(streamOf([start]), options));
        const code = at < successEnds ? "truncated" : undefined;
        assertEquals(codeOf(fused.failure), code, `cut at ${at} of ${text}`);
        const statuses = new TextDecoder().decode(start).split("}").length - 1;
        const piped = await outcomeOf(pipeProgress(streamOf([start]), options));
        assertEquals(codeOf(piped.failure), code);
        assertEquals(piped.values.length, statuses);
        assertEquals(piped.values.at(-1), fused.values.at(-1));
      }
    }
  });

  it("agrees with PullProgressStream, whose snapshots can be read as they come", async () => {
    const statuses = [{ status: "pulling manifest" }, { status: "success" }]
      .map((object) => toPullStatus(object)!);
    const reader = streamOf(statuses).pipeThrough(new PullProgressStream()).getReader();
    assertEquals((await reader.read()).value?.phase, "manifest");
    assertEquals((await reader.read()).value?.phase, "success");
    assertEquals((await reader.read()).done, true);
  });
});

function codeOf(failure: { error: unknown } | undefined): PullErrorCode | undefined {
  return failure && asPullError(failure.error).code;
}

/** Streams as servers send them. */
const STREAMS = [
  lines(
    { status: "pulling manifest" },
    layerStatus(A, 100),
    layerStatus(A, 100, 60),
    layerStatus(B, 50, 50),
    { status: "verifying sha256 digest" },
    { status: "success" },
  ),
  lines({ status: "pulling manifest" }, { digest: "größe 😀", total: 5 }, { status: "success" })
    .replaceAll("\n", "\r\n"),
  `\ufeff${lines({ status: "pulling model", digest: "sha256:model", total: 9 })}\n${
    lines({ status: "success" })
  }`,
];

describe("a hostile body", () => {
  const manifest = { status: "pulling manifest" };
  const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const before = lines(manifest);
  const success = lines({ status: "success" });

  /** Bodies, with the code and the message that they have to fail with. */
  const FAILING: [body: string, code: PullErrorCode, message: RegExp][] = [
    ["", "truncated", /^The stream ended without success$/],
    ["\n\n", "truncated", /^The stream ended without success$/],
    [before, "truncated", /without success, after "pulling manifest"$/],
    ["Ollama is running\n", "malformed", /^Line 1 is not JSON: "Ollama is running"$/],
    ["Ollama is running", "truncated", /^The stream ended in the middle of line 1: "Ollama/],
    [`${before}<html>\n<body>\n`, "malformed", /^Line 2 is not JSON: "<html>"$/],
    [`${before}"success"\n${success}`, "malformed", /^Line 2 is not a status object: success$/],
    [`${before}[]\n${success}`, "malformed", /^Line 2 is not a status object: an array$/],
    [`${before}null\n${success}`, "malformed", /^Line 2 is not a status object: null$/],
    [`${before}{"a":1}}\n${success}`, "malformed", /^Line 2 is not JSON: "{\\"a\\":1}}"$/],
    [`${before}${deep(10_000)}\n`, "malformed", /^Line 2 is not (JSON|a status object): /],
    [`${before}${lines({ error: "disk full" })}${success}`, "server", /^disk full$/],
    [
      `${before}${"x".repeat(2_000_000)}\n`,
      "line-too-long",
      /^Line 2 is longer than 1048576 bytes$/,
    ],
  ];

  it("fails with the right code, says what is wrong and where, and first delivers what came before", async () => {
    for (const [body, code, message] of FAILING) {
      for (const decode of [decodeProgress, pipeProgress]) {
        const { values, failure } = await outcomeOf(decode(streamOf([utf8(body)])));
        const error = asPullError(failure?.error);
        assertEquals(error.code, code, body.slice(0, 100));
        if (decode === decodeProgress || !/not a status object/.test(error.message)) {
          assertMatch(error.message, message);
        }
        assert(error.message.length < 200, "a message is short");
        assertEquals(values.length, body.startsWith(before) ? 1 : 0, body.slice(0, 100));
      }
    }
  });

  it("fails at brackets nested 400,000 deep", async () => {
    const body = streamOf([utf8(`${before}${deep(400_000)}\n`)]);
    const { values, failure } = await outcomeOf(decodeProgress(body));
    assertEquals([values.length, codeOf(failure)], [1, "malformed"]);
  });

  /** Lines that are objects, and change nothing but what they rightly say. */
  const HARMLESS = [
    '{"digest":5,"total":"5"}',
    '{"digest":"","total":0}',
    '{"digest":null,"total":-5,"completed":0}',
    '{"status":"pulling manifest","digest":"","total":5,"completed":0}',
    '{"status":5}',
    '{"status":{"status":"success"}}',
    '{"error":null}',
    '{"error":5}',
    '{"__proto__":{"digest":"sha256:aaaa","error":"polluted","status":"success"}}',
    '{"constructor":{"prototype":{"error":"polluted"}}}',
    '{"kind":"success"}',
    '{"extra":{"status":"success"}}',
    `{"deep":${deep(1000)}}`,
  ];

  it("is not changed by objects without known fields", async () => {
    for (const line of HARMLESS) {
      for (const decode of [decodeProgress, pipeProgress]) {
        const { values, failure } = await outcomeOf(
          decode(streamOf([utf8(`${before}${line}\n${success}`)])),
        );
        assertEquals(failure, undefined, line);
        for (const { completed, total, layers } of values) {
          assertEquals([completed, total, layers], [0, 0, []], line);
        }
        assertEquals(values.at(-1)?.phase, "success", line);
      }
      assertEquals(({} as { error?: unknown }).error, undefined);
    }
  });

  it("uses valid numbers of bytes, and ignores others", async () => {
    const numbers = ["-1", "1.5", "1e400", "-1e400", "9007199254740992", '"5"', "null", "[5]"];
    for (const number of numbers) {
      const text = `{"digest":"sha256:aaaa","total":100,"completed":${number}}\n` +
        `{"digest":"sha256:bbbb","total":${number},"completed":7}\n${success}`;
      const { values, failure } = await outcomeOf(pipeProgress(streamOf([utf8(text)])));
      assertEquals(failure, undefined);
      assertEquals(values[0]?.layers, [{ digest: A, total: 100, completed: 0, done: false }]);
      assertEquals(values[1]?.layers[1], { digest: B, completed: 7, done: false });
    }
  });

  it("fails early at an endless line of 100 MB, and holds no more than the limit", async () => {
    const chunk = new Uint8Array(64 * 1024).fill(0x20);
    const source = new TestSource<Uint8Array>(utf8(before), ...Array(1600).fill(chunk));
    const { values, failure } = await outcomeOf(decodeProgress(source.stream));
    assertEquals(codeOf(failure), "line-too-long");
    assertEquals(values.length, 1);
    assert(source.reads < 25, `${source.reads} reads`);
    assertStrictEquals(source.cancels[0], failure?.error);
  });

  it("decodes a megabyte that comes byte by byte", async () => {
    const text = `${before}${" ".repeat(1_000_000)}\n${success}`;
    const bytes = utf8(text);
    function* byteByByte() {
      for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
    }
    const { values } = await outcomeOf(decodeProgress(streamOf(byteByByte())));
    assertEquals(values.map(({ phase }) => phase), ["manifest", "success"]);
  });

  it("is truncated in the middle of a character just as anywhere else", async () => {
    const bytes = utf8(`${before}{"status":"größe 😀"`);
    for (let missing = 1; missing <= 3; missing++) {
      const error = await pullErrorOf(
        decodeProgress(streamOf([bytes.slice(0, bytes.length - 1 - missing)])),
      );
      assertEquals([error.code, error.line], ["truncated", 2]);
    }
  });
});

describe("a layer without a digest", () => {
  const words = (status: string, total?: number, completed?: number): StatusObject => ({
    status,
    ...(total !== undefined && { total }),
    ...(completed !== undefined && { completed }),
  });

  it("counts like any other, and is named by the server's words", () => {
    const objects = [
      { status: "pulling manifest", total: 1000, completed: 250 },
      { status: "downloading", completed: 5, total: 40 },
      { status: "downloading", digest: "", completed: 20, total: 40 },
      { total: 7 },
    ];
    const last = snapshotsOf(objects).at(-1)!;
    assertEquals([last.phase, last.completed, last.total, last.totalIsKnown], [
      "downloading",
      270,
      1047,
      false,
    ]);
    assertEquals(last.layers, [
      { status: "pulling manifest", total: 1000, completed: 250, done: false },
      { status: "downloading", total: 40, completed: 20, done: false },
      { status: "", total: 7, completed: 0, done: false },
    ]);
  });

  it("is not confused with a layer whose digest has the same letters", () => {
    const objects = [{ digest: "downloading", total: 5 }, words("downloading", 7)];
    const { total, layers } = snapshotsOf(objects).at(-1)!;
    assertEquals([total, layers.length], [12, 2]);
  });

  it("is identified by its words, whatever they are and in whatever order", () => {
    const names = fc.array(fc.string(), { minLength: 1, maxLength: 5 });
    fc.assert(fc.property(names, fc.array(fc.nat()), (names, order) => {
      const objects = order.map((index) => words(`layer ${names[index % names.length]}`, 10, 5));
      const layers = new Set(objects.map(({ status }) => layerName(String(status))));
      const last = snapshotsOf(objects).at(-1);
      assertEquals(last?.layers.length ?? 0, layers.size);
      assertEquals(last?.total ?? 0, layers.size * 10);
    }));
  });

  it("stays one while percentages, amounts, speeds and times change in its words", () => {
    const objects = Array.from(
      { length: 100 },
      (_, index) =>
        words(
          `downloading a.gguf ${index}% (${index / 10} MB/10 MB, ${index} kB/s, ${index}s)`,
          1e7,
          index * 1e5,
        ),
    );
    const last = snapshotsOf(objects).at(-1)!;
    assertEquals(last.layers, [{
      status: "downloading a.gguf … (…/…, …, …)",
      total: 1e7,
      completed: 9.9e6,
      done: false,
    }]);
  });

  it("may be one file after another, if the server uses the same words for them", () => {
    const objects = [
      words("downloading", 1_000, 1_000),
      words("downloading", 5_000_000),
      words("downloading", 5_000_000, 1_000_000),
      words("downloading", 5_000_000, 5_000_000),
      words("downloading", 20, 20),
      { status: "verifying sha256 digest" },
    ];
    const seen = snapshotsOf(objects).map(({ completed, total, fraction }) => [
      completed,
      total,
      Math.floor(fraction * 1_000),
    ]);
    assertEquals(seen, [
      [1_000, 1_000, 0],
      [1_000, 5_000_000, 0],
      [1_000_000, 5_000_000, 200],
      [5_000_000, 5_000_000, 999],
      [5_000_000, 5_000_000, 999],
      [5_000_000, 5_000_000, 999],
    ]);
  });

  it("does not move the fraction if each of these files is complete when it is first reported", () => {
    const objects = [words("cached", 1_000, 1_000), words("cached", 2_000, 2_000)];
    const grown = [words("cached", 3_000, 3_000), words("cached", 4_000, 1_000)];
    const fractions = snapshotsOf([...objects, ...grown]).map(({ fraction }) => fraction);
    assertEquals(fractions, [0, 0, 0, 0.75]);
  });

  it("is complete from verifying on, even if it has grown since an earlier one", () => {
    const verifying = { status: "verifying sha256 digest" };
    const objects = [words("x", 5, 5), verifying, words("x", 9, 6), verifying];
    const snapshots = snapshotsOf(objects);
    assertEquals(
      snapshots.map(({ completed, total, totalIsKnown }) => [
        completed,
        total,
        totalIsKnown,
      ]),
      [[5, 5, false], [5, 5, true], [6, 9, false], [9, 9, true]],
    );
  });

  it("shares the last of a thousand names, if a server keeps inventing words: the pull goes on", () => {
    const objects = Array.from(
      { length: 20_000 },
      (_, index) => words(`downloading [${"=".repeat(index % 50)}${index}]`, 1e6, 1 + index),
    );
    const { snapshots, error } = follow(
      [...objects, { status: "success" }].map((object) => [60, object]),
    );
    assertEquals(error, undefined);
    const [before, last] = snapshots.slice(-2);
    assertEquals([before?.layers.length, before?.layers.at(-1)?.completed], [1_000, 20_000]);
    assertEquals(last?.fraction, 1);
  });
});

describe("lines in a row that differ in their bytes alone", () => {
  /** Follows every status by itself, as the decoder of a chunk did before it left any out. */
  function followEach(chunks: readonly Uint8Array[], now: () => number): PullProgress[] {
    const statuses = new PullDecoder({});
    const tracker = new ProgressTracker();
    const snapshots: PullProgress[] = [];
    const emitChange = () => {
      const snapshot = tracker.snapshot();
      if (JSON.stringify(snapshot) !== JSON.stringify(snapshots.at(-1))) snapshots.push(snapshot);
    };
    let phase: string | undefined;
    for (const chunk of chunks) {
      const time = now();
      statuses.push(chunk, (status) => {
        tracker.push(status, time);
        if (tracker.phase === phase) return;
        phase = tracker.phase;
        emitChange();
      });
      if (phase !== undefined) emitChange();
    }
    return snapshots;
  }

  /** A clock that goes on by as much each time that it is read. */
  const steady = () => {
    let time = 0;
    return () => time += 250;
  };

  it("give the same snapshots as if each of them were followed", () => {
    const size = fc.oneof(fc.nat(1_000), fc.maxSafeNat());
    const run = fc.record({
      digest: fc.constantFrom("sha256:aaaa", "sha256:bbbb", "sha256:model", ""),
      total: fc.option(size, { nil: undefined }),
      completed: fc.array(fc.option(size, { nil: undefined }), { minLength: 1, maxLength: 8 }),
    }).map(({ completed, ...fields }) =>
      completed.map((completed) => ({ status: "pulling", ...fields, completed }))
    );
    const others = fc.constantFrom("pulling manifest", "verifying sha256 digest", "success", "what")
      .map((status) => [{ status }]);
    const chunk = fc.array(fc.oneof({ weight: 5, arbitrary: run }, others), { maxLength: 4 })
      .map((runs) => utf8(lines(...runs.flat())));
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 4 }), (chunks) => {
        const decoder = new ProgressDecoder({ now: steady() });
        const snapshots: PullProgress[] = [];
        for (const chunk of chunks) {
          decoder.push(chunk, (snapshot) => void snapshots.push(snapshot));
        }
        assertEquals(snapshots, followEach(chunks, steady()));
      }),
      { numRuns: 1_000 },
    );
  });
});
