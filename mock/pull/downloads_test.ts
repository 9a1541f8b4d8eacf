import { assert, assertAlmostEquals, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import type { Blob } from "../models/models.ts";
import { BlobStore } from "./downloads.ts";

/** A store with a link of 1000 bytes a second: one byte a millisecond. */
function slowStore(): BlobStore {
  return new BlobStore(1_000);
}

function blobOf(digest: string, size: number): Blob {
  return { digest, size, mediaType: "", key: "" };
}

describe("A download", () => {
  it("is shared by all requests for the blob", () => {
    const store = slowStore();
    assertStrictEquals(store.download(blobOf("a", 5)), store.download(blobOf("a", 5)));
    assert(store.download(blobOf("a", 5)) !== store.download(blobOf("b", 5)));
  });

  it("goes on while a pull waits for it, and keeps its bytes when none does", () => {
    const download = slowStore().download(blobOf("a", 100));
    assertStrictEquals(download.completedAt(50), 0);
    download.join(50);
    assertStrictEquals(download.endAt(50), 150);
    assertStrictEquals(download.completedAt(80), 30);
    download.join(80);
    download.leave(90);
    assertStrictEquals(download.completedAt(100), 50);
    download.leave(100);
    assertStrictEquals(download.completedAt(1_000), 50);
    download.join(1_000);
    assertStrictEquals(download.endAt(1_000), 1_050);
    assertStrictEquals(download.completedAt(2_000), 100);
    assert(download.isDone);
  });

  it("stands still while it is held, for everybody", () => {
    const download = slowStore().download(blobOf("a", 100));
    download.join(0);
    download.hold(10);
    download.hold(20);
    assertStrictEquals(download.completedAt(30), 10);
    assertStrictEquals(download.endAt(30), Infinity);
    download.release(30);
    download.join(40);
    assertStrictEquals(download.completedAt(50), 10);
    download.release(50);
    assertStrictEquals(download.completedAt(60), 20);
  });

  it("does not go on after a hold if no pull waits any more", () => {
    const download = slowStore().download(blobOf("a", 100));
    download.join(0);
    download.hold(10);
    download.leave(20);
    download.release(30);
    assertStrictEquals(download.completedAt(40), 10);
  });

  it("loses bytes and fetches them again", () => {
    const download = slowStore().download(blobOf("a", 100));
    download.join(0);
    download.rollBack(30, 50);
    assertStrictEquals(download.completedAt(50), 20);
    assertStrictEquals(download.endAt(50), 130);
    download.rollBack(1_000, 60);
    assertStrictEquals(download.completedAt(60), 0);
  });
});

describe("Downloads", () => {
  it("share the bandwidth equally", () => {
    const store = slowStore();
    const [a, b] = [store.download(blobOf("a", 100)), store.download(blobOf("b", 30))];
    a.join(0);
    b.join(20);
    assertEquals([a.completedAt(40), b.completedAt(40)], [30, 10]);
    assertStrictEquals(b.endAt(40), 80);
    // The other one has it to itself once this one has ended.
    assertEquals([a.completedAt(90), b.completedAt(90)], [60, 30]);
    assertStrictEquals(a.endAt(90), 130);
  });

  it("take no time where the bandwidth has no limit", () => {
    const download = new BlobStore(Infinity).download(blobOf("a", 1e15));
    download.join(5);
    assertStrictEquals(download.endAt(5), 5);
    assertStrictEquals(download.completedAt(5), 1e15);
  });

  it("are forgotten with their blob, unless a pull waits for it", () => {
    const store = slowStore();
    store.download(blobOf("a", 100)).join(0);
    store.remove("a");
    assertStrictEquals(store.download(blobOf("a", 100)).completedAt(50), 50);
    store.download(blobOf("a", 100)).leave(50);
    store.remove("a");
    assertStrictEquals(store.download(blobOf("a", 100)).completedAt(50), 0);
  });

  it("get the full bandwidth together, and never more, whichever pulls come and go", () => {
    const steps = fc.array(
      fc.record({
        wait: fc.integer({ min: 0, max: 50 }),
        which: fc.nat(3),
        what: fc.constantFrom("join", "leave", "rollBack"),
      }),
      { maxLength: 50 },
    );
    fc.assert(fc.property(steps, (all) => {
      const store = slowStore();
      const sizes = [40, 90, 200, 1_000];
      const downloads = sizes.map((size, index) => store.download(blobOf(`${index}`, size)));
      let time = 0;
      for (const { wait, which, what } of all) {
        const download = downloads[which]!;
        const before = downloads.map((each) => each.completedAt(time));
        const isBusy = downloads.some((each) => each.callers > 0 && !each.isDone);
        time += wait;
        const after = downloads.map((each) => each.completedAt(time));
        const fetched = after.reduce((sum, bytes, index) => sum + bytes - before[index]!, 0);
        assert(fetched <= wait + downloads.length, "more than the bandwidth"); // bytes are whole
        const isStillBusy = downloads.some((each) => each.callers > 0 && !each.isDone);
        if (isBusy && isStillBusy) assertAlmostEquals(fetched, wait, downloads.length);
        after.forEach((bytes, index) => assert(bytes >= before[index]! && bytes <= sizes[index]!));

        if (what === "join") download.join(time);
        else if (what === "rollBack" && download.callers > 0) download.rollBack(10, time);
        else if (download.callers > 0) download.leave(time);
      }
    }));
  });
});
