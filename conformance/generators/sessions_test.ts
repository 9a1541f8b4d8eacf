import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { type DialectName, dialects } from "../../src/dialects.ts";
import { layerSizesOf } from "./manifests.ts";
import type { StatusObject } from "./objects.ts";
import { type PullSession, pullSessions, type PullSurprise } from "./sessions.ts";
import { occurs, smallest } from "./test_helpers.ts";

const ALL_DIALECTS = Object.keys(dialects) as DialectName[];

/** What is known of the layer that a line is about: its digest or else its words, if it has bytes. */
function layerOf({ status, digest, total, completed }: StatusObject): unknown {
  return digest ?? (total || completed ? status : undefined);
}

/** The lines about one layer, in their order. */
function linesOf({ statuses, dialect }: PullSession, digest: string): StatusObject[] {
  const words = dialects[dialect].downloading(digest);
  return statuses.filter((status) =>
    status.digest === digest || status.digest === undefined && words && status.status === words
  );
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
  const named = statuses.map(layerOf).filter((layer) => layer !== undefined);
  const layers = new Set(named);
  return new Set(named.slice(0, layers.size)).size < layers.size;
}

/** Whether lines about other layers come between those about one. */
function alternates({ statuses }: PullSession): boolean {
  const runs = statuses.map(layerOf).filter((layer) => layer !== undefined)
    .filter((layer, index, all) => layer !== all[index - 1]);
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
  "missing-digest": ({ statuses }) =>
    statuses.some((status) => status.digest === undefined && layerOf(status) !== undefined),
  "failed-removal": ({ statuses }) =>
    statuses.some(({ status }) => String(status).startsWith("couldn't remove unused layers: ")),
  "unknown-status": ({ statuses }) =>
    statuses.some(({ status, digest }) =>
      digest === undefined &&
      !/^(pulling |downloading |verifying sha256 digest|writing manifest|remov|couldn't remove|success)/
        .test(String(status))
    ),
  "unknown-field": ({ statuses }) =>
    statuses.some((status) =>
      Object.keys(status).some((key) =>
        !["status", "digest", "total", "completed", "error"].includes(key)
      ) && Object.keys(status).length > 1
    ),
};

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
