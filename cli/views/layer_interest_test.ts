import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import type { PullLayer } from "../../mod.ts";
import { LayerInterest } from "./layer_interest.ts";

const layer = (digest: string, completed: number): PullLayer => {
  return { digest, total: 100, completed, done: completed === 100 };
};
const names = (layers: readonly PullLayer[]) => layers.map(({ digest }) => digest).join("");

describe("LayerInterest", () => {
  it("prefers the layer that moves to those that only look unfinished", () => {
    const interest = new LayerInterest();
    const stuck = [layer("a", 99), layer("b", 99)];
    interest.rank(stuck);
    for (let look = 1; look < 20; look++) interest.rank([...stuck, layer("c", look)]);
    assertEquals(names(interest.rank([...stuck, layer("c", 50)])), "cab");
  });

  it("prefers layers that move to those that wait or are done", () => {
    const interest = new LayerInterest();
    const waiting = [layer("a", 0), layer("b", 0), layer("c", 0), layer("d", 0)];
    for (let look = 0; look < 20; look++) interest.rank(waiting);
    const [a, , , d] = waiting;
    const moved = interest.rank([a!, layer("b", 100), layer("c", 1), d!]);
    assertEquals(names(moved), "cbad");
  });

  it("keeps layers that move in their order", () => {
    const interest = new LayerInterest();
    const a = layer("a", 1);
    interest.rank([a, layer("b", 1)]);
    assertEquals(names(interest.rank([a, layer("b", 2)])), "ab");
  });
});
