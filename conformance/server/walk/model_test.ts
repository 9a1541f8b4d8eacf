import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { HeldModel } from "./model.ts";
import { Pace } from "./pace.ts";

const LAYERS = [{ digest: "a", size: 100 }, { digest: "b", size: 50 }];

/** A server that has downloaded a byte a millisecond. */
function slowPace(): Pace {
  const pace = new Pace();
  pace.measure([{ ms: 0, bytes: 0 }, { ms: 200, bytes: 200 }]);
  return pace;
}

function freshModel(): HeldModel {
  return new HeldModel({ layers: LAYERS, isFresh: true, pace: slowPace() });
}

describe("What a server holds", () => {
  it("is at least the most that it has reported of a layer to anyone", () => {
    const told = fc.array(fc.nat({ max: 99 }), { minLength: 1 });
    fc.assert(fc.property(told, (all) => {
      const model = freshModel();
      model.join(0);
      for (const bytes of all) model.hold("a", bytes, 100);
      model.leave(10);
      const most = Math.max(...all);
      const floor = { bytes: most, isWhole: false, because: "kept" };
      assertEquals(model.join(20).get("a"), most === 0 ? undefined : floor);
    }));
  });

  it("is shared while another caller pulls, and kept when nobody does", () => {
    const model = freshModel();
    assertEquals(model.cause, "alone");
    model.join(0);
    model.hold("a", 30, 100);
    assertEquals(model.join(10).get("a")?.because, "shared");
    model.leave(20);
    model.leave(20);
    assertEquals(model.join(30).get("a")?.because, "kept");
  });

  it("is whole once a pull has succeeded, and stays so where another version has the same layer", () => {
    const model = freshModel();
    model.join(0);
    model.succeed();
    model.leave(10);
    const whole = { bytes: 100, isWhole: true };
    assertEquals(model.join(20).get("a"), { ...whole, because: "whole" });
    model.leave(30);
    model.publish([LAYERS[0]!, { digest: "c", size: 60 }]);
    const floors = model.join(40);
    assertEquals(floors.get("a"), { ...whole, because: "changed" });
    assertEquals([...floors.keys()], ["a"]);
    assertEquals([model.isRemoved("b"), model.isRemoved("a")], [true, false]);
  });

  it("need not be in part in another version", () => {
    const model = freshModel();
    model.join(0);
    model.hold("a", 30, 100);
    model.leave(10);
    model.publish([LAYERS[0]!]);
    assertEquals(model.join(20).size, 0);
  });

  it("is harmed by a refused request if it is less after it", () => {
    const model = freshModel();
    model.join(0);
    model.hold("a", 30, 100);
    model.leave(10);
    model.refuse();
    assertEquals(model.join(20).get("a")?.because, "refused");
    model.leave(30);
    assertEquals(model.join(40).get("a")?.because, "kept");
  });

  it("is unknown once the model was deleted", () => {
    const model = freshModel();
    model.join(0);
    model.succeed();
    model.leave(10);
    model.forget();
    assertEquals([model.state, model.join(20).size], ["nothing", 0]);
    assertStrictEquals(model.ceilingOf("a", 30), undefined);
  });

  it("cannot be more than time allows, which counts only while somebody pulls", () => {
    fc.assert(fc.property(fc.nat({ max: 10_000 }), fc.nat({ max: 1_000 }), (pauseMs, pullMs) => {
      const model = freshModel();
      model.join(0);
      model.hold("a", 30, 100);
      model.limit("a", 30, 10);
      model.leave(10);
      model.join(10 + pauseMs);
      const most = model.ceilingOf("a", 10 + pauseMs + pullMs);
      const expected = Math.min(30 + 2 * pullMs, 2 * (10 + pullMs)) + 200;
      assert(most !== undefined && Math.abs(most - expected) < 1e-6, `${most}, not ${expected}`);
    }));
  });

  it("cannot become more by being seen often", () => {
    fc.assert(fc.property(fc.array(fc.nat({ max: 300 }), { minLength: 1 }), (skipped) => {
      const model = new HeldModel({ isFresh: false, pace: slowPace() });
      model.join(0);
      let bytes = 0;
      for (const more of skipped) model.limit("a", bytes += more, 0);
      assertStrictEquals(model.ceilingOf("a", 100), skipped[0]! + 2 * 100 + 200);
    }));
  });

  it("may be anything where it is not known what was there before", () => {
    const model = new HeldModel({ layers: LAYERS, isFresh: false, pace: slowPace() });
    model.join(0);
    assertStrictEquals(model.ceilingOf("a", 10), undefined);
    assertStrictEquals(freshModel().ceilingOf("a", 0), 200);
  });
});

describe("The pace of a server", () => {
  it("is unknown until something was seen for a while", () => {
    const pace = new Pace();
    pace.measure([{ ms: 0, bytes: 0 }, { ms: 20, bytes: 2_000 }]);
    assertStrictEquals(pace.growthIn(0), undefined);
  });

  it("is the fastest that was seen", () => {
    const pace = slowPace();
    pace.measure([{ ms: 0, bytes: 0 }, { ms: 200, bytes: 400 }]);
    pace.measure([{ ms: 0, bytes: 0 }, { ms: 200, bytes: 100 }]);
    assertStrictEquals(pace.growthIn(0), 400);
  });

  it("allows for the time during which this process stands still", () => {
    const pace = slowPace();
    pace.watchLag();
    const end = performance.now() + 120;
    while (performance.now() < end);
    assert(pace.growthIn(0)! >= 250);
    pace.settle();
    assertStrictEquals(pace.growthIn(0), 200);
  });
});
