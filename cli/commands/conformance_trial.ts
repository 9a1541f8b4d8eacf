/**
 * What `conformance` can test, regardless of how results are shown.
 *
 * @module
 */

import type { Report, SubjectInfo } from "../../conformance/report.ts";
import type { RuleInfo, Side } from "../../conformance/rule.ts";
import type { RunOptions } from "../../conformance/run.ts";

/** A server to test. */
export interface ServerTarget {
  /** Its address. */
  readonly url: string;
  /** A model that it can pull. */
  readonly model: string;
  /** Whether that model may be deleted between pulls. */
  readonly mayDelete: boolean;
  /** Another model that it can pull. */
  readonly otherModel?: string;
}

/** A client to test. */
export interface ClientTarget {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** What it prints: the statuses of the server, progress over all layers, or nothing. */
  readonly reports: "statuses" | "progress" | "outcome";
  /** The client's time limit, if it has one: after how many milliseconds without anything new it fails. */
  readonly timeLimitMs?: number;
}

/** A suite, and the subject to run it against. */
export interface Trial {
  /** The side to test. */
  readonly side: Side;
  /** The subject to test. */
  readonly subject: SubjectInfo;
  /** The default number of random inputs per rule. */
  readonly runs: number;
  /** The rules that the options select. */
  select(options: RunOptions): readonly RuleInfo[];
  /** Runs them. */
  run(options: RunOptions): Promise<Report>;
}

/** Everything that can be tested. */
export interface ConformanceKit {
  /** All rules, those for servers first. */
  readonly rules: readonly RuleInfo[];
  /** Tests a server. */
  server(target: ServerTarget): Trial;
  /** Tests a client. */
  client(target: ClientTarget): Trial;
}

/** The suites of this package. They are loaded only here, so that other commands start faster. */
export async function loadKit(): Promise<ConformanceKit> {
  const [
    clients,
    { clientRules, runClientConformance },
    servers,
    suite,
    { DEFAULT_RUNS, selectRules },
  ] = await Promise.all([
    import("../../conformance/client/subject.ts"),
    import("../../conformance/client/suite.ts"),
    import("../../conformance/server/subject.ts"),
    import("../../conformance/server/suite.ts"),
    import("../../conformance/run.ts"),
  ]);
  return {
    rules: [...suite.serverRules, ...clientRules],
    server(target) {
      const subject = servers.remoteServer(target);
      return {
        side: "server",
        subject,
        runs: subject.maxRuns ?? DEFAULT_RUNS,
        select: (options) => selectRules(suite.serverRules, options),
        run: (options) => suite.runServerConformance(subject, options),
      };
    },
    client({ command, ...options }) {
      const subject = clients.commandClient(command, options);
      return {
        side: "client",
        subject,
        runs: subject.maxRuns ?? DEFAULT_RUNS,
        select: (options) => selectRules(clientRules, options),
        run: (options) => runClientConformance(subject, options),
      };
    },
  };
}
