/**
 * Pure Web Streams transformers for the stream of `POST /api/pull`, by which Ollama reports how far
 * the download of a model has come, and a client on top of them.
 *
 *     bytes ── NdjsonDecoderStream ──▶ values ── PullStatusStream ──▶ statuses
 *                                      statuses ── PullProgressStream ──▶ progress
 *
 * {@link pull} does all of it for a model's name, {@link decodeProgress} and {@link decodePull} for the
 * body of a response. Works in Deno, Bun, Node, Workers and browsers, and depends on nothing.
 *
 * ```ts
 * import { pull } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const { fetch } = createMockServer(); // leave it out to pull from Ollama
 * for await (const { completed, total, etaSeconds } of pull("llama3.2", { fetch })) {
 *   console.log(`${completed} of ${total} bytes, ${etaSeconds ?? "?"} s left`);
 * }
 * ```
 *
 * @module
 */

export {
  type OnMalformed,
  PullError,
  type PullErrorCode,
  type PullErrorDetails,
} from "./src/errors.ts";
export {
  type NdjsonDecoderOptions,
  NdjsonDecoderStream,
  NdjsonEncoderStream,
} from "./src/ndjson.ts";
export { decodePull, type DecodePullOptions } from "./src/pull_decoder.ts";
export {
  type DownloadingStatus,
  encodeStatus,
  type ErrorStatus,
  type ManifestStatus,
  type OtherStatus,
  type PullStatus,
  type PullStatusFields,
  type PullStatusOptions,
  PullStatusStream,
  type RemovingStatus,
  type SuccessStatus,
  type VerifyingStatus,
  type WireStatus,
  type WritingStatus,
} from "./src/status.ts";
export {
  decodeProgress,
  type DecodeProgressOptions,
  type LayerSize,
  type PullLayer,
  type PullPhase,
  type PullProgress,
  type PullProgressOptions,
  PullProgressStream,
} from "./src/progress.ts";
export { pull, pullModel, type PullModelOptions, type PullOptions } from "./src/pull.ts";
