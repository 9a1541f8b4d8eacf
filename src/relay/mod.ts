/**
 * Progress across a border: from the process that pulls to a page, a worker or another process, with the
 * end and its reason.
 *
 *     progress ── toResponse ──▶ Response ── fromResponse ──▶ progress
 *     progress ── toRecords ──▶ messages ── fromRecords ──▶ progress
 *     requests ── createRelay ──▶ responses, any number of them for each pull
 *     relay ── events, over as many connections as it takes ── watchPull ──▶ progress
 *
 * ```ts
 * import { pull, PullError } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 * import { fromResponse, toResponse } from "@ollama-pull/kit/relay";
 *
 * const { client } = createMockServer();
 * const response = toResponse(pull("not-there", client)); // in the server
 * try {
 *   for await (const { fraction } of fromResponse(response)) console.log(fraction); // in the page
 * } catch (error) {
 *   if (!(error instanceof PullError)) throw error;
 *   console.error(error.reason); // "model-not-found", as if the page had pulled
 * }
 * ```
 *
 * @module
 */

export { cancelPull } from "./cancel_pull.ts";
export type {
  PullChangeRecord,
  PullEndRecord,
  PullLayerRecord,
  PullRecord,
  PullSnapshotRecord,
} from "./record.ts";
export { fromRecords, toRecords } from "./records.ts";
export { redactError } from "./redaction.ts";
export type { RelayRefusalCode } from "./refusal.ts";
export { createRelay } from "./relay.ts";
export type { RelayAction, RelayOptions, RelayQuestion } from "./relay_options.ts";
export {
  fromResponse,
  type FromResponseOptions,
  type RecordFormat,
  toResponse,
  type ToResponseOptions,
} from "./response.ts";
export type { RelayRequestInit, RelayRequestOptions, WatchPullOptions } from "./watch_options.ts";
export { watchPull } from "./watch_pull.ts";
