import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { PullLayer, PullProgress } from "../snapshot.ts";
import { Ratchet } from "./ratchet.ts";

const layer = (digest: string, completed: number, total?: number): PullLayer => ({
  digest,
  completed,
  done: completed === total,
  ...(total !== undefined && { total }),
});

/** A snapshot of some layers, whose sizes are those of the model. */
function snapshot(layers: readonly PullLayer[], more: Partial<PullProgress> = {}): PullProgress {
  const completed = layers.reduce((sum, layer) => sum + layer.completed, 0);
  const total = layers.reduce((sum, layer) => sum + (layer.total ?? layer.completed), 0);
  const fraction = completed / total;
  const known = { phase: "downloading", status: "", totalIsKnown: true } as const;
  return { ...known, completed, total, fraction, layers, ...more };
}

/** What is shown of a snapshot that comes in a second connection. */
function shownAfter(before: PullProgress, now: PullProgress): PullProgress {
  const ratchet = new Ratchet();
  assertStrictEquals(ratchet.push(before), before);
  ratchet.restart();
  return ratchet.push(now);
}

describe("what is shown in a new connection", () => {
  const before = snapshot([layer("a", 100, 100), layer("b", 40, 100)]);

  it("is what comes, where nothing of it is below what was shown", () => {
    const more = snapshot([layer("a", 100, 100), layer("b", 41, 100)]);
    for (const now of [before, more]) assertStrictEquals(shownAfter(before, now), now);
    const listed = snapshot([layer("a", 100, 100), layer("b", 0, 100)]);
    const another = snapshot([layer("a", 100, 100), layer("c", 1, 9)]);
    assertStrictEquals(shownAfter(listed, another), another);
  });

  it("is what was shown, with what is new, until the pull has caught up", () => {
    const ratchet = new Ratchet();
    ratchet.push(before);
    ratchet.restart();
    const begun = snapshot([layer("a", 30, 100)], { totalIsKnown: false, status: "a" });
    assertEquals(ratchet.push(begun), { ...before, status: "a" });
    const further = snapshot([layer("b", 60, 100), layer("c", 50, 50)], { totalIsKnown: false });
    const expected = [layer("a", 100, 100), layer("b", 60, 100), layer("c", 50, 50)];
    assertEquals(
      ratchet.push(further),
      snapshot(expected, { totalIsKnown: false, fraction: 110 / 150 }),
    );
    const all = snapshot([...expected.slice(0, 2), layer("c", 50, 50)]);
    assertStrictEquals(ratchet.push(all), all);
    const less = snapshot([layer("a", 0, 100)]); // which no relay sends in one connection
    assertStrictEquals(ratchet.push(less), less);
  });

  it("has each layer as far as it was, though all together are further", () => {
    const now = snapshot([layer("a", 90, 100), layer("b", 100, 100)]);
    const { layers, completed } = shownAfter(before, now);
    assertEquals(layers, [layer("a", 100, 100), layer("b", 100, 100)]);
    assertEquals(completed, 200);
  });

  it("counts what was shown into the share, not the new connection's layers alone", () => {
    const now = snapshot([layer("b", 90, 100)]);
    assertEquals(
      shownAfter(snapshot([layer("a", 10, 800), layer("b", 90, 100)]), now).fraction,
      1 / 9,
    );
  });

  it("keeps the size of a layer that the server has yet to tell again", () => {
    const now = snapshot([layer("a", 100, 100), layer("b", 50)]);
    assertEquals(shownAfter(before, now).layers, [layer("a", 100, 100), layer("b", 50, 100)]);
  });

  it("is complete after success, also where the model has other layers now", () => {
    const now = snapshot([layer("c", 10, 10)], { phase: "success" });
    const expected = [layer("a", 100, 100), layer("b", 100, 100), layer("c", 10, 10)];
    assertEquals(shownAfter(before, now), snapshot(expected, { phase: "success" }));
  });
});
