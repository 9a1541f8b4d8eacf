/**
 * Shows that the OpenAPI document is valid, describes all that there is, and takes what the mock takes: the
 * schemas that check requests and those of the document are held against each other.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import { describe, it } from "node:test";
import { faultKinds, presets } from "../mod.ts";
import { ControlledTest } from "./control_test_helpers.ts";
import { fits } from "./schema.ts";
import * as schemas from "./schemas.ts";

const { document } = await ControlledTest.begin();

/** Bodies that can be used, by the name of their schema. */
const USABLE = {
  Setup: [
    {},
    {
      $schema: "x",
      models: ["tiny", {
        name: "a",
        size: "4GB",
        layers: [{ size: 1, digest: "x" }],
        installs: false,
      }],
      installed: [{
        name: "b",
        details: { family: "llama", context_length: 5 },
        capabilities: ["tools"],
      }],
      anyModel: { size: 5, config: { size: "1KiB", mediaType: "x" }, model_info: { a: [1] } },
      dialect: "v0.5",
      rate: "2MiB/s",
      tickMs: 0.5,
      clock: "step",
      seed: 7,
      realBytes: true,
      registry: {
        requireToken: true,
        serveIndex: false,
        rate: 5,
        faults: [{ kind: "slow", ms: 5 }],
      },
      fallback: "http://127.0.0.1",
      origins: ["*"],
      hosts: ["localhost"],
      maxBodyBytes: 5,
    },
    {
      faults: ["cut", {
        kind: "stall",
        at: { completed: "50%", layer: 0 },
        ms: 5,
        times: 1,
        after: 2,
      }],
    },
    { faults: { chance: 0.5, kinds: ["cut", "reset"] }, anyModel: true },
  ],
  Fault: [
    "cut@50%",
    { kind: "http-error", status: 500, body: "html", path: "/api/tags" },
    { kind: "error", message: "x", at: { line: 3 }, model: "tiny" },
  ],
  Faults: [[], ["cut"], { chance: 1 }],
  HoldRequest: [{}, { at: { byte: 5 }, model: "tiny" }, { at: { layer: "sha256:" } }],
  Model: ["tiny", { name: "a" }],
  Advance: [{ ms: 5 }],
} as const;

type SchemaName = keyof typeof USABLE;

/** A value in which one part was replaced, left out, or added to. */
function mutated(value: unknown, path: readonly number[], what: unknown): unknown {
  if (typeof value !== "object" || value === null || path.length === 0) {
    return what === LEFT_OUT ? null : what;
  }
  const keys = [...Object.keys(value), "added"];
  const key = keys[path[0]! % keys.length]!;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value)
    ? [...value]
    : { ...value };
  const parts = copy as Record<string, unknown>;
  if (what === LEFT_OUT && path.length === 1 && !Array.isArray(copy)) delete parts[key];
  else if (Array.isArray(copy) && key === "added") copy.push(what === LEFT_OUT ? null : what);
  else parts[key] = mutated(parts[key], path.slice(1), what);
  return copy;
}

const LEFT_OUT = Symbol("left out");

describe("The OpenAPI document", () => {
  it("is valid", async () => {
    const { valid, errors } = await new Validator().validate({ ...document.document });
    assert(valid, JSON.stringify(errors));
    assertStrictEquals(document.document.openapi, "3.1.0");
  });

  it("takes what the mock takes, and nothing else", () => {
    const cases = fc.constantFrom(...Object.keys(USABLE) as SchemaName[]).chain((name) =>
      fc.record({
        name: fc.constant(name),
        usable: fc.constantFrom<unknown>(...USABLE[name]),
        path: fc.array(fc.nat(20), { maxLength: 5 }),
        what: fc.oneof(
          fc.constant(LEFT_OUT),
          fc.constantFrom<unknown>(null, 2 ** 53, -1, 0, 0.5, 1, "", "cut", true, [], {}, ["x"]),
          fc.jsonValue({ maxDepth: 1 }),
        ),
      })
    );
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(cases, ({ name, usable, path, what }) => {
        const body = mutated(usable, path, what);
        const isTaken = fits(body, schemas[name]);
        const schema = document.document.components.schemas[name]!;
        assertStrictEquals(document.fits(schema, body), isTaken, `${name} ${JSON.stringify(body)}`);
        seen[isTaken ? "taken" : "refused"]++;
      }),
      { numRuns: 2_000 },
    );
    assert(seen.taken > 100 && seen.refused > 100, JSON.stringify(seen));
  });

  it("takes what is usable", () => {
    for (const [name, bodies] of Object.entries(USABLE)) {
      const schema = document.document.components.schemas[name]!;
      for (const body of bodies) assert(document.fits(schema, body), JSON.stringify(body));
    }
    assert(
      document.fits(document.document.components.schemas.Setup!, {
        models: Object.values(presets),
      }),
    );
  });

  it("has each kind of fault, with what it does", () => {
    const { anyOf } = document.document.components.schemas.Fault as { anyOf: { title?: string }[] };
    const titles = anyOf.flatMap(({ title }) => title ?? []);
    assertEquals(titles, Object.keys(faultKinds));
  });

  it("has a summary and an answer for every operation, each with a name of its own", () => {
    const operations = Object.values(document.document.paths).flatMap((path) =>
      Object.values(path)
    );
    for (const operation of operations) {
      assert((operation as { summary?: string }).summary, operation.operationId);
      assert(Object.keys(operation.responses).some((status) => status.startsWith("2")));
    }
    const names = operations.map(({ operationId }) => operationId);
    assertEquals([...new Set(names)], names);
  });
});
