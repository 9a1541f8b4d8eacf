/**
 * Holds the decoder, the progress and the mock's dialects to recordings of real servers.
 *
 * @module
 */

import { assert, assertEquals, assertGreaterOrEqual, assertIsError } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { decodeProgress, decodePull, PullError, type PullProgress } from "../../../mod.ts";
import type { RecordedExchange, Recording } from "../../../mock/recordings/recording.ts";
import { arriving } from "../../../mock/recordings/test_helpers.ts";
import type { DialectName } from "../../../src/dialects.ts";
import { encodeStatus } from "../../../src/status.ts";
import { encode } from "../../client/wire_bytes.ts";
import { chunkings } from "../../generators/mod.ts";
import { mockServer } from "../../server/subject.ts";
import { isStream, readRecordings, type RecordedServer, textOf } from "./recording.ts";
import { play, scenarios } from "./scenarios.ts";
import { shapeOf } from "./shape.ts";

const servers = await readRecordings();

/** Scenarios in which something goes wrong in the registry, for which the mock has faults of its own. */
const REGISTRY_FAULTS = ["missing blob", "broken connection"];

/** What the mock does not imitate of a dialect: it reads requests as the server of today does. */
const DIFFERENCES: Partial<Record<DialectName, Readonly<Record<string, string>>>> = {
  "v0.1.0": {
    "shared": "which tells one of its callers at a time",
    "single object": "which does not know `stream`",
    "unknown model": "which does not know `stream`, and has other words",
    "refused": "which refuses less",
  },
  "v0.1": { "refused": "which refuses less" },
  "client2": {
    "unknown model": "which answers with 404 where there is no stream",
    "single object": "which has another type, and a newline",
    "refused": "which refuses less",
    "digest mismatch": "which does not say what failed",
  },
  "tensor": { "digest mismatch": "which fetches the layer again by itself" },
};

/** The objects of an answer, read one line after another. */
function objectsOf(answer: RecordedExchange): Record<string, unknown>[] {
  return textOf(answer).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Registers a test for every answer that is a stream. */
function forEachStream(
  { recordings }: RecordedServer,
  what: string,
  test: (answer: RecordedExchange, recording: Recording, scenario: string) => Promise<void>,
): void {
  for (const [scenario, recording] of recordings) {
    const streams = recording.exchanges.filter(isStream);
    it(`${what}: ${scenario}`, async () => {
      for (const answer of streams) await test(answer, recording, scenario);
    });
  }
}

async function collect<Value>(stream: ReadableStream<Value>): Promise<{
  values: Value[];
  failure: unknown;
}> {
  const values: Value[] = [];
  try {
    for await (const value of stream) values.push(value);
    return { values, failure: undefined };
  } catch (failure) {
    return { values, failure };
  }
}

for (const server of servers) {
  describe(`the decoder, of ${server.server}`, () => {
    forEachStream(server, "knows every word, however the bytes are cut", async (answer) => {
      const objects = objectsOf(answer);
      const bytes = encode(textOf(answer));
      await fc.assert(
        fc.asyncProperty(chunkings(bytes), async (chunks) => {
          const { values, failure } = await collect(decodePull(ReadableStream.from(chunks)));
          assertEquals(failure, undefined);
          assertEquals(values.map(encodeStatus), objects);
          assertEquals(values.filter(({ kind }) => kind === "other"), []);
        }),
        { numRuns: 20 },
      );
    });
  });

  describe(`progress, of ${server.server}`, () => {
    forEachStream(server, "never falls, and ends as the pull ends", async (answer) => {
      const { body, now } = arriving(answer.chunks);
      const { values, failure } = await collect(decodeProgress(body, { now }));
      requireRising(values);
      const last = objectsOf(answer).at(-1)!;
      if (last.status === "success") {
        assertEquals(failure, undefined);
        requireComplete(values.at(-1)!, answer);
      } else {
        assertIsError(failure, PullError);
        const { code, message } = failure as PullError;
        assertEquals(code, answer.end.how === "left" ? "truncated" : "server");
        if (code === "server") assertEquals(message, last.error);
      }
    });

    forEachStream(server, "has the right total at once if it is told the layers", async (
      answer,
      { layers = [] },
      scenario,
    ) => {
      if (scenario === "changed" || server.dialect === "tensor") return;
      const total = layers.reduce((sum, { size }) => sum + size, 0);
      const { body, now } = arriving(answer.chunks);
      const { values } = await collect(decodeProgress(body, { now, layers }));
      for (const progress of values) assertEquals(progress.total, total);
    });
  });

  describe(`the dialect ${server.dialect} of the mock`, () => {
    for (const scenario of scenarios) {
      if (REGISTRY_FAULTS.includes(scenario.name)) continue;
      const recording = server.recordings.get(scenario.name)!;
      const reason = DIFFERENCES[server.dialect]?.[scenario.name];
      if (reason !== undefined) {
        it(`is not like ${server.server}: ${scenario.name}, ${reason}`, async () => {
          const played = await play(mockServer({ dialect: server.dialect }), scenario);
          assert(
            JSON.stringify(shapeOf(played, server.dialect)) !==
              JSON.stringify(shapeOf(recording, server.dialect)),
            "it is: leave out the reason",
          );
        });
        continue;
      }
      it(`is like ${server.server}: ${scenario.name}`, async () => {
        const played = await play(mockServer({ dialect: server.dialect }), scenario);
        assertEquals(shapeOf(played, server.dialect), shapeOf(recording, server.dialect));
      });
    }
  });
}

function requireRising(snapshots: readonly PullProgress[]): void {
  let [completed, fraction] = [0, 0];
  for (const snapshot of snapshots) {
    assertGreaterOrEqual(snapshot.completed, completed);
    assertGreaterOrEqual(snapshot.fraction, fraction);
    ({ completed, fraction } = snapshot);
  }
}

/** Requires that all bytes are there that the server has told of. */
function requireComplete(last: PullProgress, answer: RecordedExchange): void {
  const sizes = new Map(
    objectsOf(answer).filter(({ digest }) => digest !== undefined)
      .map(({ digest, total }) => [digest, Number(total)]),
  );
  const sum = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  assertEquals([last.completed, last.total, last.fraction], [sum, sum, 1]);
  assert(last.layers.every(({ done }) => done));
}
