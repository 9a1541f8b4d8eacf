/**
 * Web Streams transformers for `POST /api/pull`, the endpoint by which Ollama downloads a model and
 * streams its progress, and a client on top of them.
 *
 *     bytes ── NdjsonDecoderStream ──▶ values ── PullStatusStream ──▶ statuses
 *                                      statuses ── PullProgressStream ──▶ progress
 *
 * {@link pull} takes the name of a model and does all of this; {@link decodeProgress} and
 * {@link decodePull} take a response or its body. {@link PullHub} shares a pull among any number of
 * watchers, and {@link PullManager} keeps all pulls of an app, by model name. The package works in Deno,
 * Bun, Node, Workers and browsers, and has no dependencies. Every stream can be read with `for await` in
 * every engine: see {@link PullStream}.
 *
 * ```ts
 * import { formatProgress, pull } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const { fetch } = createMockServer(); // leave it out to pull from Ollama
 * for await (const progress of pull("llama3.2", { fetch })) {
 *   console.log(progress.phase, formatProgress(progress).line);
 * }
 * ```
 *
 * @module
 */

export {
  type CauseJson,
  PullError,
  type PullErrorCode,
  type PullErrorDetails,
  type PullErrorJson,
  type PullErrorReason,
} from "./src/errors.ts";
export {
  formatProgress,
  type FormatProgressOptions,
  type FormattedProgress,
  type ProgressAmounts,
  type ProgressWords,
} from "./src/format.ts";
export { parseHost } from "./src/host.ts";
export type {
  PullEntry,
  PullEntryJson,
  PullManagerSnapshot,
  PullState,
} from "./src/manager/entry.ts";
export { PullHub, type PullHubOptions } from "./src/manager/hub.ts";
export { PullManager } from "./src/manager/manager.ts";
export type {
  PullManagerOptions,
  PullServer,
  PullStartOptions,
  StartPull,
  StartPullOptions,
} from "./src/manager/options.ts";
export type { IteratorOptions } from "./src/streams/iterator.ts";
export type { OnMalformed } from "./src/malformed.ts";
export { isSameModel, type ModelName, parseModelName } from "./src/model_name.ts";
export {
  type NdjsonDecoderOptions,
  NdjsonDecoderStream,
  NdjsonEncoderStream,
} from "./src/ndjson.ts";
export {
  decodeProgress,
  type DecodeProgressOptions,
  type PullProgressOptions,
  PullProgressStream,
} from "./src/progress.ts";
export { ensureModel } from "./src/pull/ensure.ts";
export { fetchManifest, type Manifest, type ManifestLayer } from "./src/pull/manifest.ts";
export type { FetchManifestOptions, ManifestRequestInit } from "./src/pull/manifest_options.ts";
export { type ModelState, modelState } from "./src/pull/model_state.ts";
export type {
  EnsureModelOptions,
  ModelStateOptions,
  ModelStateRequestInit,
} from "./src/pull/model_state_options.ts";
export type {
  PullModelOptions,
  PullOptions,
  PullRequestInit,
  PullRetry,
} from "./src/pull/options.ts";
export { pull, pullModel } from "./src/pull/pull.ts";
export { decodePull, type DecodePullOptions } from "./src/pull_decoder.ts";
export type {
  PipeOptions,
  PullStream,
  PullStreamMethods,
  StepStream,
} from "./src/streams/pull_stream.ts";
export type { LayerSize, PullLayer, PullPhase, PullProgress } from "./src/snapshot.ts";
export {
  type DownloadingStatus,
  encodeStatus,
  type ErrorStatus,
  type ManifestStatus,
  type OtherStatus,
  type PullStatus,
  type PullStatusFields,
  type RemovingStatus,
  type SuccessStatus,
  type VerifyingStatus,
  type WireStatus,
  type WritingStatus,
} from "./src/status.ts";
export { type PullStatusOptions, PullStatusStream } from "./src/status_stream.ts";
