/**
 * A mock of Ollama's server, for tests of everything that pulls models: exact in what it sends, the
 * same in every run, and with faults on demand. It answers in process without a port, or listens.
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

export type { Manifest, ManifestEntry } from "./catalog.ts";
export { type Clock, type ClockTask, realClock, VirtualClock } from "./clock.ts";
export { ConfigurationError } from "./configuration_error.ts";
export { type Dialect, type DialectName, dialects, type WireError } from "./dialects.ts";
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
} from "./faults.ts";
export type { LibraryFault, LibraryOptions } from "./library.ts";
export type { Listener, ListenOptions } from "./listen.ts";
export { type MockLayer, type MockModel, presets } from "./models.ts";
export type { LoggedRequest, RequestOutcome } from "./request_log.ts";
export {
  createMockServer,
  type MockLibrary,
  type MockServer,
  type MockServerOptions,
} from "./server.ts";
