/**
 * Has the mock play the recordings of real servers, and holds it to every byte and time.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { createMockServer } from "../../../mock/mod.ts";
import type { RecordedAnswer, RecordedExchange } from "../../../mock/recordings/recording.ts";
import { parseModelName } from "../../../mod.ts";
import { bodyOf } from "../body.ts";
import { readRecordings } from "./recording.ts";

/** Whether a request names a model, so that it can be told which recording it is meant for. */
function namesModel({ request }: RecordedExchange): boolean {
  const { model } = Object(request.body);
  try {
    return typeof model === "string" && parseModelName(model) !== undefined;
  } catch {
    return false;
  }
}

for (const { server, dialect, recordings } of await readRecordings()) {
  describe(`the mock, with recordings of ${server}`, () => {
    for (const [scenario, recording] of recordings) {
      it(`plays them to the byte: ${scenario}`, async () => {
        const mock = createMockServer({ recordings: [recording], models: [], dialect });
        for (const exchange of recording.exchanges.filter(namesModel)) {
          assertEquals(await play(mock, exchange), {
            ...exchange.answer,
            chunks: exchange.chunks,
          });
        }
      });
    }
  });
}

/** Makes a recorded request again, and takes down the answer. */
async function play(
  { fetch, clock }: ReturnType<typeof createMockServer>,
  { request }: RecordedExchange,
): Promise<RecordedAnswer & Pick<RecordedExchange, "chunks">> {
  const start = clock.now();
  const init = { method: "POST", body: JSON.stringify(request.body) };
  const response = await fetch("http://mock/api/pull", init);
  const atMs = clock.now() - start;
  const chunks: { atMs: number; bytes: Uint8Array<ArrayBuffer> }[] = [];
  try {
    for await (const bytes of bodyOf(response)) chunks.push({ atMs: clock.now() - start, bytes });
  } catch {
    // The client that was recorded had left here.
  }
  const { status, headers } = response;
  return { atMs, status, contentType: headers.get("Content-Type"), chunks };
}
