/**
 * Arbitrary pulls for property tests with fast-check: manifests, the objects that a server sends while it
 * pulls one, the bytes that encode these, and the chunks in which they arrive.
 *
 *     manifests ──▶ pullSessions ── objects ──▶ ndjsonBytes ── bytes ──▶ chunkings ── chunks
 *
 * Sources are named as in the protocol's description: `spec` is the published page of `POST /api/pull`,
 * `observed` is what real servers send. Every generator shrinks towards the plain case: few layers of few
 * bytes, the dialect of the spec, no surprises, one compact line per object, one chunk.
 *
 * ```ts
 * import { decodeProgress } from "@ollama-pull/kit";
 * import { chunkings, ndjsonBytes, pullSessions } from "@ollama-pull/kit/conformance";
 * import fc from "fast-check";
 *
 * const arrivals = pullSessions().chain(({ statuses }) => ndjsonBytes(statuses)).chain(chunkings);
 * await fc.assert(fc.asyncProperty(arrivals, async (chunks) => {
 *   const body = new ReadableStream<Uint8Array>({
 *     start(controller) {
 *       for (const chunk of chunks) controller.enqueue(chunk);
 *       controller.close();
 *     },
 *   });
 *   let last = 0;
 *   for await (const { fraction } of decodeProgress(body)) {
 *     if (fraction < last) throw new Error("progress has fallen");
 *     last = fraction;
 *   }
 * }));
 * ```
 *
 * @module
 */

export type { Arbitrary } from "./arbitrary.ts";
export { chunkings, cutBytes } from "./chunkings.ts";
export { hostileLines } from "./hostile.ts";
export {
  digests,
  layerSizesOf,
  type Manifest,
  type ManifestLayer,
  type ManifestOptions,
  manifests,
} from "./manifests.ts";
export { ndjsonBytes } from "./ndjson.ts";
export { type StatusObject, statusObjects, unknownStatuses } from "./objects.ts";
export {
  type PullEnding,
  type PullSession,
  type PullSessionOptions,
  pullSessions,
  type PullSurprise,
} from "./sessions.ts";
