/**
 * Checks that clients and servers of `POST /api/pull`, in any language, follow its protocol. Rules are
 * properties, so a run finds the smallest input that breaks an implementation.
 *
 * ```ts
 * import { mockServer, reporters, runServerConformance } from "@ollama-pull/kit/conformance";
 *
 * const report = await runServerConformance(mockServer({ dialect: "v0.33" }), { runs: 5 });
 * console.log(reporters.pretty([report]));
 * ```
 *
 * The generators of pulls that the rules use are also exported, for your own tests.
 *
 * @module
 */

export type { Bytes } from "./generators/bytes.ts";
export type { ClientUnderTest } from "./client/observation.ts";
export {
  type AnswerScript,
  type ContentCoding,
  Play,
  type ReceivedRequest,
  type Redirect,
  ScriptedServer,
} from "./client/scripted_server.ts";
export {
  type ClientRun,
  type ClientSubject,
  commandClient,
  type CommandClientOptions,
} from "./client/subject.ts";
export {
  clientRules,
  clientSuite,
  closeClient,
  openClient,
  runClientConformance,
} from "./client/suite.ts";
export type { AnswerEnding, Exchange, ExchangeAnswer } from "./exchange.ts";
export {
  chunkings,
  cutBytes,
  digests,
  hostileLines,
  layerSizesOf,
  type Manifest,
  type ManifestLayer,
  type ManifestOptions,
  manifests,
  ndjsonBytes,
  type PullEnding,
  type PullSession,
  type PullSessionOptions,
  pullSessions,
  type PullSurprise,
  type StatusObject,
  statusObjects,
  unknownStatuses,
} from "./generators/mod.ts";
export {
  registerConformance,
  type SkippableTest,
  type TestFunction,
  type TestRunner,
} from "./register.ts";
export {
  excuseOf,
  type Failure,
  type Gate,
  isBroken,
  isFailure,
  parseReport,
  passes,
  type Report,
  type RuleResult,
  type StateCount,
  type SubjectInfo,
  type Tally,
  tally,
  type Verdict,
} from "./report.ts";
export * from "./reporters/mod.ts";
export {
  CannotRun,
  type Check,
  type CheckRun,
  Inconclusive,
  type Level,
  OutOfTime,
  type Rule,
  rule,
  type RuleInfo,
  type SearchOutcome,
  type SearchParameters,
  type Side,
  type TryInput,
  type TypedRule,
  Violation,
} from "./rule.ts";
export {
  type PlainPull,
  type Plan,
  type RunOptions,
  type Suite,
  type Walk,
  type Watch,
} from "./run.ts";
export { type Breach, Findings, type Place } from "./findings.ts";
export { faults } from "./server/faults.ts";
export {
  mockServer,
  type MockSubjectOptions,
  type Need,
  type OpenServer,
  type OtherModel,
  remoteServer,
  type RemoteServerOptions,
  type ServerSetup,
  type ServerSubject,
} from "./server/subject.ts";
export { runServerConformance, serverRules, serverSuite } from "./server/suite.ts";
export { createWireFetch, type WireFetch } from "./server/wire/wire_fetch.ts";
