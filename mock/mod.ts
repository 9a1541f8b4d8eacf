/**
 * A mock of Ollama's server, to test code that pulls models: it sends exactly what the real server
 * sends, is the same in every run, and injects faults. It answers in process without a port, or listens.
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
 * await assertRejects(() => pullModel("llama3.2", { fetch: server.fetch }), Error, "without success");
 * await pullModel("llama3.2", { fetch: server.fetch }); // goes on from the half that is there
 * assertEquals(server.requests.map(({ outcome }) => outcome), ["faulted", "finished"]);
 * ```
 *
 * @module
 */

export { type Dialect, type DialectName, dialects, type WireError } from "../src/dialects.ts";
export type { Clock, ClockTask } from "./clock/clock.ts";
export { realClock } from "./clock/real.ts";
export { VirtualClock } from "./clock/virtual.ts";
export { ConfigurationError } from "./configuration_error.ts";
export { type Fallback, forwardTo } from "./endpoints/fallback.ts";
export type { RegistryOptions } from "./endpoints/registry.ts";
export type { RegistryFault } from "./endpoints/registry_faults.ts";
export type { LoggedRequest, RequestOutcome } from "./exchange/request_log.ts";
export {
  type Fault,
  type FaultKind,
  type FaultKindInfo,
  faultKinds,
  type FaultParameters,
  type FaultPoint,
  type FaultTarget,
  parseFault,
  type RandomFaults,
} from "./faults/faults.ts";
export type { Manifest, ManifestEntry } from "./models/manifests.ts";
export type { MockLayer, MockModel } from "./models/models.ts";
export { presets } from "./models/presets.ts";
export type { AsyncDisposableIfKnown } from "./runtime/async_dispose.ts";
export type { Listener, ListenOptions } from "./runtime/listen.ts";
export type { NodeListener, NodeRequest, NodeResponse } from "./runtime/node_listener.ts";
export {
  createMockServer,
  type MockRegistry,
  type MockServer,
  type MockServerOptions,
} from "./server.ts";
