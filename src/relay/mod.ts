/**
 * Progress across a border: from the process that pulls to a page, a worker or another process, with the
 * end and its reason.
 *
 *     progress ── toResponse ──▶ Response ── fromResponse ──▶ progress
 *     progress ── toRecords ──▶ messages ── fromRecords ──▶ progress
 *
 * ```ts
 * import { pull } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 * import { fromResponse, toResponse } from "@ollama-pull/kit/relay";
 * import { assertRejects } from "@std/assert";
 *
 * const { client } = createMockServer();
 * const response = toResponse(pull("not-there", client)); // in the server
 * const progress = fromResponse(response); // in the page, which has fetched it
 * await assertRejects(() => Array.fromAsync(progress), Error, "file does not exist");
 * ```
 *
 * @module
 */

export type {
  PullChangeRecord,
  PullEndRecord,
  PullLayerRecord,
  PullRecord,
  PullSnapshotRecord,
} from "./record.ts";
export { fromRecords, toRecords } from "./records.ts";
export {
  fromResponse,
  type FromResponseOptions,
  type RecordFormat,
  toResponse,
  type ToResponseOptions,
} from "./response.ts";
