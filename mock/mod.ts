/**
 * A mock of Ollama's server, to test code that pulls models. It sends exactly what the real server sends,
 * behaves the same in every run, and injects faults. It answers in process without a port, or listens on one.
 *
 * ```ts
 * import { pullModel } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const server = createMockServer({
 *   models: ["llama3.2"],
 *   faults: [{ kind: "cut", at: { completed: "50%" }, times: 1 }],
 * });
 * await assertRejects(() => pullModel("llama3.2", server.client), Error, "without success");
 * await pullModel("llama3.2", server.client); // resumes from the half already downloaded
 * assertEquals(server.requests.map(({ outcome }) => outcome), ["faulted", "finished"]);
 * ```
 *
 * @module
 */

export { type Dialect, type DialectName, dialects, type WireError } from "../src/dialects.ts";
export type { Clock, ClockTask } from "./clock/clock.ts";
export { realClock } from "./clock/real.ts";
export { SteppedClock } from "./clock/stepped.ts";
export { VirtualClock } from "./clock/virtual.ts";
export { ConfigurationError } from "./configuration_error.ts";
export { type Fallback, forwardTo } from "./endpoints/fallback.ts";
export type { RegistryOptions } from "./endpoints/registry.ts";
export type { RegistryFault } from "./endpoints/registry_faults.ts";
export type { LoggedRequest, RequestOutcome } from "./exchange/request_log.ts";
export type { HoldOptions } from "./faults/fault_set.ts";
export type { Fault, FaultTarget, RandomFaults } from "./faults/faults.ts";
export type { PullHold } from "./faults/hold.ts";
export {
  type FaultKind,
  type FaultKindInfo,
  faultKinds,
  type FaultParameters,
} from "./faults/kinds.ts";
export { formatFault, parseFault } from "./faults/parse.ts";
export type { FaultPoint } from "./faults/points.ts";
export type { Manifest, ManifestEntry } from "./models/manifests.ts";
export type { MockModelDetails, MockModelInfo } from "./models/model_info.ts";
export type { MockLayer, MockModel, MockModelTemplate } from "./models/models.ts";
export { type Preset, presets } from "./models/presets.ts";
export type {
  MockClient,
  MockRegistry,
  MockServer,
  MockServerOptions,
  MockSetup,
  RequestEndedOptions,
} from "./options.ts";
export { parseRecording } from "./recordings/parse.ts";
export type {
  RecordedAnswer,
  RecordedChunk,
  RecordedEnd,
  RecordedExchange,
  RecordedLayer,
  RecordedRequest,
  Recording,
} from "./recordings/recording.ts";
export type { AsyncDisposableIfKnown } from "./runtime/async_dispose.ts";
export type { Listener, ListenOptions } from "./runtime/listen.ts";
export type { NodeListener, NodeRequest, NodeResponse } from "./runtime/node_listener.ts";
export { createMockServer } from "./server.ts";
