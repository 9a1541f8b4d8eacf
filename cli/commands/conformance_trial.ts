/**
 * What the command can test, apart from how it shows it.
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
}

/** A client to test. */
export interface ClientTarget {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** What it prints: the objects of the server, progress over all layers, or nothing to be read. */
  readonly reports: "statuses" | "progress" | "outcome";
  /** After how long a silent server makes it fail, in milliseconds, if it does. */
  readonly timeLimitMs?: number;
}

/** A suite and what to run it against. */
export interface Trial {
  /** Which side is tested. */
  readonly side: Side;
  /** What is tested. */
  readonly subject: SubjectInfo;
  /** How many inputs are tried for each rule, unless options say so. */
  readonly runs: number;
  /** The rules that options ask for. */
  select(options: RunOptions): readonly RuleInfo[];
  /** Runs them. */
  run(options: RunOptions): Promise<Report>;
}

/** What can be tested. */
export interface ConformanceKit {
  /** Tests a server. */
  server(target: ServerTarget): Trial;
  /** Tests a client. */
  client(target: ClientTarget): Trial;
}

const DEFAULT_RUNS = 100;

/** The kit of this package. It is loaded when it is needed, so that other commands start without it. */
export async function loadKit(): Promise<ConformanceKit> {
  const [clients, { clientRules, runClientConformance }, servers, suite, { selectRules }] =
    await Promise.all([
      import("../../conformance/client/subject.ts"),
      import("../../conformance/client/suite.ts"),
      import("../../conformance/server/subject.ts"),
      import("../../conformance/server/suite.ts"),
      import("../../conformance/run.ts"),
    ]);
  return {
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
        runs: DEFAULT_RUNS,
        select: (options) => selectRules(clientRules, options),
        run: (options) => runClientConformance(subject, options),
      };
    },
  };
}
