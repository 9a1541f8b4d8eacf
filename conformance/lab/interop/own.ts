/**
 * Our own client and the mock, as subjects.
 *
 * @module
 */

import { decodePull, pull } from "../../../mod.ts";
import { dialects } from "../../../src/dialects.ts";
import type { DialectName } from "../../../src/dialects.ts";
import type { ClientRun, ClientSubject } from "../../client/subject.ts";
import { mockServer, type ServerSubject } from "../../server/subject.ts";
import { bodyOf } from "../body.ts";

/**
 * The time limit of our client for a silent server, in milliseconds. Over the network, it is longer than a
 * busy machine can delay lines.
 */
const TIME_LIMIT_MS = { "in-process": 250, "network": 1_500 };

/** Without a port, requests use the `fetch` given by the test. */
function fetchOf({ fetch }: ClientRun, transport: ClientSubject["transport"]) {
  return transport === "in-process" ? { fetch } : {};
}

/** Our client: `pull`, which sums up the layers. */
export function ownClient(transport: ClientSubject["transport"]): ClientSubject {
  const timeLimitMs = TIME_LIMIT_MS[transport];
  return {
    name: `pull (${transport})`,
    reports: "progress",
    transport,
    timeLimitMs,
    async pull(run) {
      const { host, model, signal, onUpdate } = run;
      const options = {
        host,
        signal,
        stallTimeoutMs: timeLimitMs,
        silenceTimeoutMs: timeLimitMs,
        ...fetchOf(run, transport),
      };
      for await (const progress of pull(model, options)) onUpdate(progress);
    },
  };
}

/** The client shown in the docs for the server's own statuses: `decodePull`. */
export function ownDecoder(transport: ClientSubject["transport"]): ClientSubject {
  return {
    name: `decodePull (${transport})`,
    reports: "statuses",
    transport,
    async pull(run) {
      const { host, model, signal, onUpdate } = run;
      const { fetch = globalThis.fetch } = fetchOf(run, transport);
      const body = JSON.stringify({ model });
      const response = await fetch(
        new Request(`${host.replace(/\/$/, "")}/api/pull`, { method: "POST", body, signal }),
      );
      if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
      for await (const status of decodePull(bodyOf(response))) {
        if (status.kind === "error") throw new Error(status.message);
        onUpdate(status);
        if (status.kind === "success") return;
      }
      throw new Error("The stream ended without success");
    },
  };
}

/** The mock, in every dialect. */
export const mocks: readonly ServerSubject[] = (Object.keys(dialects) as DialectName[])
  .map((dialect) => mockServer({ dialect }));
