/**
 * The rules for clients, and how to run them.
 *
 * @module
 */

import type { Report } from "../report.ts";
import type { Rule } from "../rule.ts";
import { type RunOptions, runSuite, type Suite } from "../run.ts";
import { within } from "./within.ts";
import type { ClientUnderTest } from "./observation.ts";
import { LONGEST_END_MS, plainPull } from "./plain_pull.ts";
import { endingRules } from "./rules/endings.ts";
import { errorRules } from "./rules/errors.ts";
import { framingRules } from "./rules/framing.ts";
import { httpRules } from "./rules/http.ts";
import { objectRules } from "./rules/objects.ts";
import { progressRules } from "./rules/progress.ts";
import { requestRules } from "./rules/requests.ts";
import { successRules } from "./rules/success.ts";
import { timingRules } from "./rules/timing.ts";
import { ScriptedServer } from "./scripted_server.ts";
import type { ClientSubject } from "./subject.ts";

/** All rules for clients, by section. */
export const clientRules: readonly Rule<ClientUnderTest>[] = [
  ...requestRules,
  ...framingRules,
  ...objectRules,
  ...errorRules,
  ...httpRules,
  ...successRules,
  ...endingRules,
  ...timingRules,
  ...progressRules,
];

/** Gives a client a server for its tests. The caller must call {@link closeClient}. */
export async function openClient(client: ClientSubject): Promise<ClientUnderTest> {
  const server = new ScriptedServer();
  if (client.transport === "network") await server.listen();
  return { ...client, server, running: new Set() };
}

/** Closes the server of a client, and waits for cancelled pulls to end. */
export async function closeClient({ server, running }: ClientUnderTest): Promise<void> {
  await server.close();
  await within(Promise.allSettled(running), LONGEST_END_MS);
}

/** The rules for clients, and how to test them. */
export const clientSuite: Suite<ClientUnderTest> = {
  side: "client",
  rules: clientRules,
  plainPull,
};

/**
 * Runs the rules for clients against a client.
 *
 * @param client The client.
 * @param options Which rules to run, and how thoroughly. Unless `runs` and `checkTimeoutMs` are given, the
 * client's own values apply (`maxRuns`, `checkTimeoutMs`).
 * @return The report. A broken rule does not throw.
 * @throws {CannotRun} If the client cannot be started, or ends without having requested a pull.
 */
export async function runClientConformance(
  client: ClientSubject,
  options: RunOptions = {},
): Promise<Report> {
  const { runs = client.maxRuns, checkTimeoutMs = client.checkTimeoutMs } = options;
  const limited = { ...options, runs, checkTimeoutMs };
  const subject = await openClient(client);
  try {
    return await runSuite(clientSuite, subject, limited);
  } finally {
    await closeClient(subject);
  }
}
