/**
 * Rules about what a client sends.
 *
 * @module
 */

import type fc from "fast-check";
import type { PullSession } from "../../generators/mod.ts";
import { type CheckRun, type Rule, rule, Violation } from "../../rule.ts";
import { type ClientUnderTest, observe } from "../observation.ts";
import type { Play, ReceivedRequest } from "../scripted_server.ts";
import { unlessUpdating } from "../subject.ts";
import { lines, smallPulls } from "../wire_bytes.ts";

const inputs: fc.Arbitrary<PullSession> = smallPulls();

/** The pull among the requests: clients may ask for other things, such as the version, before. */
function requirePull(play: Play, run: CheckRun): ReceivedRequest {
  const pull = play.requests.find(({ path }) => path.endsWith("/api/pull"));
  if (!pull) {
    throw new Violation("a request to /api/pull", "none", [play.exchange], "C-REQ-1");
  }
  run.saw();
  return pull;
}

function requireBody(play: Play, run: CheckRun): Record<string, unknown> {
  const { body } = requirePull(play, run);
  try {
    return Object(JSON.parse(body));
  } catch {
    throw new Violation("a JSON body", JSON.stringify(body), [play.exchange]);
  }
}

/** The evidence of all these rules. */
const evidence = "a request";

/** The name of a model without the parts that are defaults (observed). */
function withoutDefaults(name: string): string {
  return name.replace(/^(registry\.ollama\.ai\/)?library\//, "").replace(/:latest$/, "");
}

/** The rules. */
export const requestRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-REQ-1",
    side: "client",
    level: "must",
    title: "A pull is a POST to /api/pull",
    cites: 'spec: "POST /api/pull"',
    evidence,
    maxRuns: 3,
    inputs,
    async check(client, { statuses }, run) {
      const { play } = await observe(client, { chunks: lines(statuses) }, run);
      const { method } = requirePull(play, run);
      if (method !== "POST") throw new Violation("POST", method, [play.exchange]);
    },
  }),
  rule({
    id: "C-REQ-2",
    side: "client",
    level: "must",
    title: "The body is JSON and names the model",
    cites:
      'spec: "model: name of the model to pull"; observed: `name` stands for it where it is empty',
    evidence,
    maxRuns: 3,
    inputs,
    async check(client, { statuses }, run) {
      const { play } = await observe(client, { chunks: lines(statuses) }, run);
      const { model, name } = requireBody(play, run);
      const named = model || name;
      if (typeof named === "string" && withoutDefaults(named) === play.model) return;
      const expected = `the model ${JSON.stringify(play.model)}`;
      throw new Violation(expected, JSON.stringify(named) ?? "no model", [play.exchange]);
    },
  }),
  rule({
    id: "C-REQ-3",
    side: "client",
    level: "must",
    title: "A client that reports updates does not ask for a single object",
    skips: (client: ClientUnderTest) => unlessUpdating(client),
    cites:
      'spec: "stream: (optional) if false the response will be returned as a single response ' +
      'object, rather than a stream of objects"',
    evidence,
    maxRuns: 3,
    inputs,
    async check(client, { statuses }, run) {
      const { play } = await observe(client, { chunks: lines(statuses) }, run);
      const { stream } = requireBody(play, run);
      // Servers that are written in Go take `null` for absent.
      if (stream === undefined || stream === null || stream === true) return;
      throw new Violation("`stream` absent or true", JSON.stringify(stream), [play.exchange]);
    },
  }),
];
