import { assert, assertEquals, AssertionError } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  chunkings,
  cutBytes,
  digests,
  faults,
  hostileLines,
  layerSizesOf,
  manifests,
  ndjsonBytes,
  type PullSession,
  pullSessions,
  type PullSurprise,
  type StatusObject,
  statusObjects,
  unknownStatuses,
} from "./generators.ts";
import { type DialectName, dialects } from "../mock/dialects.ts";
import { faultKinds } from "../mock/faults.ts";
import { createMockServer } from "../mock/server.ts";

const ALL_DIALECTS = Object.keys(dialects) as DialectName[];

/** Whether something is among many samples, which are the same on every run. */
function occurs<Value>(values: fc.Arbitrary<Value>, happens: (value: Value) => boolean): boolean {
  return fc.sample(values, { numRuns: 500, seed: 7 }).some(happens);
}

/** The smallest value for which something holds, as fast-check shrinks to it. */
function smallest<Value>(values: fc.Arbitrary<Value>, holds: (value: Value) => boolean): Value {
  const property = fc.property(values, (value) => !holds(value));
  const { counterexample } = fc.check(property, { numRuns: 1000, seed: 7 });
  if (!counterexample) throw new AssertionError("There is no such value");
  return counterexample[0];
}

/** The lines about one layer, in their order. */
function linesOf({ statuses }: PullSession, digest: string): StatusObject[] {
  return statuses.filter((status) => status.digest === digest);
}

/** The bytes that each line about a layer says are there. */
function completionsOf(session: PullSession, digest: string): number[] {
  return linesOf(session, digest).map(({ completed }) => completed as number ?? 0);
}

/** Whether something holds for the lines about any layer, tensor models being one. */
function anyLayer(
  session: PullSession,
  holds: (layer: { size: number; lines: StatusObject[]; completions: number[] }) => boolean,
): boolean {
  const layers = layerSizesOf(session.manifest);
  const whole = layers.reduce((sum, { size }) => sum + size, 0);
  const reported = session.dialect === "tensor"
    ? [{ digest: "sha256:model", size: whole }]
    : layers;
  return reported.some(({ digest, size }) =>
    holds({ size, lines: linesOf(session, digest), completions: completionsOf(session, digest) })
  );
}

const isFalling = (numbers: number[]) =>
  numbers.some((number, index) => number < (numbers[index - 1] ?? 0));

/** Whether lines about a layer come before the first one about another. */
function hasLateLayer({ statuses }: PullSession): boolean {
  const named = statuses.map(({ digest }) => digest).filter((digest) => digest !== undefined);
  const layers = new Set(named);
  return new Set(named.slice(0, layers.size)).size < layers.size;
}

/** Whether lines about other layers come between those about one. */
function alternates({ statuses }: PullSession): boolean {
  const runs = statuses.map(({ digest }) => digest).filter((digest) => digest !== undefined)
    .filter((digest, index, all) => digest !== all[index - 1]);
  return new Set(runs).size < runs.length;
}

/** How each surprise shows. */
const SURPRISES: Record<PullSurprise, (session: PullSession) => boolean> = {
  "silent-layer": (session) => anyLayer(session, ({ lines }) => lines.length === 0),
  "unfinished-layer": (session) =>
    anyLayer(session, ({ size, completions }) => (completions.at(-1) ?? size) < size),
  "cached-layer": (session) =>
    anyLayer(
      session,
      ({ size, completions }) => completions.length === 1 && completions[0] === size,
    ),
  "resumed-layer": (session) =>
    anyLayer(session, ({ size, completions: [first = 0] }) => first > 0 && first < size),
  "rollback": (session) => anyLayer(session, ({ completions }) => isFalling(completions)),
  "parallel-layers": (session) => session.dialect !== "client2" && alternates(session),
  "late-layer": (session) => session.dialect === "client2" && hasLateLayer(session),
  "missing-total": (session) => anyLayer(session, ({ lines }) => lines.some(({ total }) => !total)),
  "missing-status": (session) =>
    session.dialect !== "client2" &&
    anyLayer(session, ({ lines }) => lines.some(({ status }) => status === undefined)),
  "failed-removal": ({ statuses }) =>
    statuses.some(({ status }) => String(status).startsWith("couldn't remove unused layers: ")),
  "unknown-status": ({ statuses }) =>
    statuses.some(({ status, digest }) =>
      digest === undefined &&
      !/^(pulling manifest|verifying sha256 digest|writing manifest|remov|couldn't remove|success)/
        .test(String(status))
    ),
  "unknown-field": ({ statuses }) =>
    statuses.some((status) =>
      Object.keys(status).some((key) =>
        !["status", "digest", "total", "completed", "error"].includes(key)
      ) && Object.keys(status).length > 1
    ),
};

describe("manifests", () => {
  it("have layers and a config, all different, each with a digest and a size in bytes", () => {
    fc.assert(fc.property(manifests(), (manifest) => {
      const layers = layerSizesOf(manifest);
      assertEquals(layers.length, manifest.layers.length + 1);
      assertEquals(layers.at(-1)?.digest, manifest.config.digest);
      assertEquals(new Set(layers.map(({ digest }) => digest)).size, layers.length);
      for (const { digest, size } of layers) {
        assert(/^sha256:[0-9a-f]{64}$/.test(digest));
        assert(Number.isSafeInteger(size) && size >= 1 && size <= 2 ** 40);
      }
      assertEquals(JSON.parse(JSON.stringify(manifest)), manifest);
    }));
  });

  it("are no larger than they may be", () => {
    fc.assert(fc.property(manifests({ maxLayers: 2, maxLayerBytes: 10 }), (manifest) => {
      assert(manifest.layers.length <= 2);
      assert(layerSizesOf(manifest).every(({ size }) => size <= 10));
    }));
  });

  it("shrink to a config of one byte", () => {
    const { layers, config } = smallest(manifests(), () => true);
    assertEquals([layers.length, config.size], [0, 1]);
  });
});

describe("digests", () => {
  it("are told apart by their first twelve hex digits", () => {
    fc.assert(fc.property(digests(), digests(), (a, b) => {
      assertEquals(a === b, a.slice(7, 19) === b.slice(7, 19));
    }));
  });
});

describe("pullSessions", () => {
  it("begin with the manifest and end with success", () => {
    fc.assert(fc.property(pullSessions(), ({ statuses }) => {
      assertEquals(statuses[0]?.status, "pulling manifest");
      assertEquals(statuses.at(-1)?.status, "success");
    }));
  });

  it("name only layers of the manifest, with their sizes, and never more bytes than those", () => {
    fc.assert(fc.property(pullSessions(), ({ statuses, manifest, dialect }) => {
      const sizes = new Map(layerSizesOf(manifest).map(({ digest, size }) => [digest, size]));
      const whole = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      for (const { digest, total, completed = 0 } of statuses) {
        if (digest === undefined) continue;
        const size = dialect === "tensor" ? whole : sizes.get(digest as string);
        assert(total === undefined || total === size);
        assert((completed as number) <= size!);
      }
    }));
  });

  it("are JSON, without a field that is 0 or empty", () => {
    fc.assert(fc.property(pullSessions(), ({ statuses }) => {
      assertEquals(JSON.parse(JSON.stringify(statuses)), [...statuses]);
      for (const { digest = "x", total = 1, completed = 1 } of statuses) {
        assert(digest && total && completed);
      }
    }));
  });

  it("speak every dialect, or those that are asked for", () => {
    for (const dialect of ALL_DIALECTS) {
      assert(occurs(pullSessions(), (session) => session.dialect === dialect), dialect);
      fc.assert(fc.property(pullSessions({ dialects: [dialect] }), (session) => {
        assertEquals(session.dialect, dialect);
      }));
    }
  });

  it("hold every surprise, and no other than those that are asked for", () => {
    for (const [name, shows] of Object.entries(SURPRISES)) {
      const surprise = name as PullSurprise;
      assert(occurs(pullSessions(), shows), `${name} never occurs`);
      assert(occurs(pullSessions({ surprises: [surprise] }), shows), `${name} never occurs alone`);
      const surprises = (Object.keys(SURPRISES) as PullSurprise[]).filter((other) =>
        other !== name
      );
      fc.assert(fc.property(pullSessions({ surprises }), (session) => {
        assert(!shows(session), `${name} occurs unasked`);
      }));
    }
  });

  it("go on in the plainest way without surprises", () => {
    fc.assert(fc.property(pullSessions({ surprises: [] }), (session) => {
      for (const [name, shows] of Object.entries(SURPRISES)) assert(!shows(session), name);
    }));
  });

  it("end with an error or in the middle, if asked to", () => {
    fc.assert(fc.property(pullSessions({ endings: ["error"] }), ({ statuses, ending }) => {
      assertEquals(ending, "error");
      assert(statuses.slice(0, -1).every(({ error }) => error === undefined));
      assertEquals(typeof statuses.at(-1)?.error, "string");
    }));
    fc.assert(fc.property(pullSessions({ endings: ["cut"] }), ({ statuses, ending }) => {
      assertEquals(ending, "cut");
      assert(statuses.every(({ status }) => status !== "success"));
    }));
  });

  it("shrink to the dialect of the spec, one layer and no surprise", () => {
    const { dialect, manifest, statuses } = smallest(pullSessions(), () => true);
    assertEquals([dialect, manifest.layers.length, manifest.config.size], ["spec", 0, 1]);
    assertEquals(statuses.map(({ status }) => status), [
      "pulling manifest",
      `downloading ${manifest.config.digest}`,
      `downloading ${manifest.config.digest}`,
      "verifying sha256 digest",
      "writing manifest",
      "removing any unused layers",
      "success",
    ]);
  });

  it("shrink to a single surprise, where one is needed", () => {
    for (const [name, shows] of Object.entries(SURPRISES)) {
      const shrunk = smallest(pullSessions(), shows);
      const shown = Object.keys(SURPRISES)
        .filter((other) => SURPRISES[other as PullSurprise](shrunk));
      assertEquals(shown, [name], JSON.stringify(shrunk.statuses));
    }
  });
});

describe("statusObjects", () => {
  it("are JSON objects, none of them an error", () => {
    fc.assert(fc.property(statusObjects(), (object) => {
      assertEquals(JSON.parse(JSON.stringify(object)), object);
      assertEquals(object.error, undefined);
    }));
  });

  it("have no more bytes than they may, and only the digests given", () => {
    fc.assert(
      fc.property(statusObjects(["sha256:x"], 7), ({ digest, total = 0, completed = 0 }) => {
        assert(digest === undefined || digest === "sha256:x");
        assert((total as number) <= 7 && (completed as number) <= 7);
      }),
    );
  });
});

describe("unknownStatuses", () => {
  it("say nothing known", () => {
    fc.assert(fc.property(unknownStatuses(), (object) => {
      assertEquals([object.digest, object.error], [undefined, undefined]);
      assert(!/^(success|pulling manifest)$/.test(String(object.status)));
    }));
  });
});

describe("hostileLines", () => {
  it("are single lines", () => {
    fc.assert(fc.property(hostileLines(), (line) => assert(!line.includes("\n"))));
  });

  it("are JSON or not, and objects or not", () => {
    const parse = (line: string): unknown[] => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    };
    const isObject = (value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value);
    assert(occurs(hostileLines(), (line) => parse(line).length === 0));
    assert(occurs(hostileLines(), (line) => parse(line).length > 0 && !isObject(parse(line)[0])));
    assert(occurs(hostileLines(), (line) => isObject(parse(line)[0])));
    assert(occurs(hostileLines(), (line) => line.includes('"__proto__":{')));
    assert(occurs(hostileLines(), (line) => line.includes("[[[[[[[[")));
  });
});

describe("ndjsonBytes", () => {
  /** The values that lines of JSON hold, read in the plainest way. */
  const read = (bytes: Uint8Array): unknown[] =>
    new TextDecoder().decode(bytes).split("\n").filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line));

  const values = fc.array(fc.jsonValue({ maxDepth: 3, stringUnit: "grapheme" }), { maxLength: 4 })
    .map((values) => JSON.parse(JSON.stringify(values)) as unknown[]);

  it("hold the values that they are made from, and no others", () => {
    const written = values.chain((values) => fc.tuple(fc.constant(values), ndjsonBytes(values)));
    fc.assert(
      fc.property(written, ([values, bytes]) => assertEquals(read(bytes), values)),
      { numRuns: 500 },
    );
  });

  it("are framed in every way that there is", () => {
    const values = [{ b: "é", a: 1 }, { c: "/" }];
    const framings: [string, RegExp][] = [
      ["a byte order mark", /^\ufeff/],
      ["LF", /[^\r]\n/],
      ["CRLF", /}\r\n/],
      ["blank lines", /\n[ \t]*\r?\n/],
      ["no last newline", /}$/],
      ["other key order", /a.*b/],
      ["white space", /{ +"/],
      ["tabs", /{\t"/],
      ["escapes", /\\u00e9/],
      ["plain characters", /é/],
    ];
    const texts = ndjsonBytes(values).map((bytes) =>
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
    );
    for (const [name, framing] of framings) {
      assert(occurs(texts, (text) => framing.test(text)), name);
    }
  });

  it("shrink to compact lines that end in newlines", () => {
    const bytes = smallest(ndjsonBytes([{ b: 1, a: "é" }, {}]), () => true);
    assertEquals(new TextDecoder().decode(bytes), '{"b":1,"a":"é"}\n{}\n');
  });
});

describe("chunkings", () => {
  const join = (chunks: readonly Uint8Array[]) => chunks.flatMap((chunk) => [...chunk]);
  const cut = fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array(bytes))
    .chain((bytes) => fc.tuple(fc.constant(bytes), chunkings(bytes)));

  it("are the same bytes", () => {
    fc.assert(fc.property(cut, ([bytes, chunks]) => assertEquals(join(chunks), [...bytes])));
  });

  it("do not share their bytes", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    for (const chunk of cutBytes(bytes, [1])) chunk.fill(0);
    assertEquals([...bytes], [1, 2, 3]);
  });

  it("are one chunk, many, single bytes, and empty ones too", () => {
    const chunks = chunkings(new Uint8Array(20));
    assert(occurs(chunks, (chunks) => chunks.length === 1));
    assert(occurs(chunks, (chunks) => chunks.length === 20 && chunks.every((c) => c.length === 1)));
    assert(occurs(chunks, (chunks) => chunks.some(({ length }) => length === 0)));
  });

  it("shrink to one chunk", () => {
    assertEquals(smallest(chunkings(new Uint8Array(5)), () => true).length, 1);
  });
});

describe("cutBytes", () => {
  it("cuts where it is told to, in any order", () => {
    const bytes = new Uint8Array([1, 2, 3, 4]);
    assertEquals(cutBytes(bytes, []).map((chunk) => [...chunk]), [[1, 2, 3, 4]]);
    assertEquals(cutBytes(bytes, [3, 1]).map((chunk) => [...chunk]), [[1], [2, 3], [4]]);
    assertEquals(cutBytes(bytes, [0, 2, 2, 4]).map((chunk) => chunk.length), [0, 2, 0, 2, 0]);
  });
});

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
