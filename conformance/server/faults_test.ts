import { assert } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { faultKinds } from "../../mock/faults/kinds.ts";
import { createMockServer } from "../../mock/server.ts";
import { occurs } from "../generators/test_helpers.ts";
import { faults } from "./faults.ts";

describe("faults", () => {
  it("are such as a mock takes, for any model", () => {
    fc.assert(fc.property(faults(), (fault) => {
      createMockServer({ models: [{ name: "a", layers: [{ size: 1 }] }], faults: [fault] });
    }));
  });

  it("are of every kind, or of those that are asked for", () => {
    for (const kind of Object.keys(faultKinds)) {
      assert(occurs(faults(), (fault) => fault.kind === kind), kind);
    }
    assert(!occurs(faults(["cut", "reset"]), ({ kind }) => kind !== "cut" && kind !== "reset"));
  });

  it("strike at shares, lines, bytes and layers", () => {
    for (const name of ["completed", "line", "byte", "layer"]) {
      assert(occurs(faults(["cut"]), ({ at }) => at !== undefined && name in at), name);
    }
  });
});
