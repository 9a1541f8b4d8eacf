/**
 * Rules about what a client sends.
 *
 * @module
 */

import fc from "fast-check";
import type { PullSession } from "../../generators/mod.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { type ClientUnderTest, expectFailure, type Observation, observe } from "../observation.ts";
import { expectSuccess } from "../plain_pull.ts";
import { wholePull } from "../pull_states.ts";
import { type AnswerScript, isPull, type Play, type ReceivedRequest } from "../scripted_server.ts";
import { unlessUpdating } from "../subject.ts";
import { lines, smallPulls } from "../wire_bytes.ts";

const inputs: fc.Arbitrary<Pick<PullSession, "statuses">> = smallPulls();

/** The pull among the requests: clients may ask for other things, such as the version, before. */
function requirePull(play: Play, run: CheckRun): ReceivedRequest {
  const pull = play.requests.find(isPull);
  if (!pull) {
    throw new Violation("a request to /api/pull", "none", [play.exchange], "C-REQ-1");
  }
  run.saw();
  return pull;
}

/** The body of a request for a pull. */
function bodyOf(play: Play, { body }: ReceivedRequest): Record<string, unknown> {
  try {
    return Object(JSON.parse(body));
  } catch {
    throw new Violation("a JSON body", JSON.stringify(body), [play.exchange]);
  }
}

/** Shows a client a pull that succeeds. */
async function follow(
  client: ClientUnderTest,
  script: Partial<AnswerScript>,
  run: CheckRun,
): Promise<Observation> {
  return await observe(client, { chunks: lines(wholePull.statuses), ...script }, run);
}

/** The evidence of all these rules. */
const evidence = "a request";

/** The name of a model without the parts that are defaults (observed). */
function withoutDefaults(name: string): string {
  return name.replace(/^(registry\.ollama\.ai\/)?library\//, "").replace(/:latest$/, "");
}

/** How a model is named, given what must be in its name. */
interface Naming {
  readonly before: string;
  readonly after: string;
}

/** Names with every part that a name may have, and one that does not fit into JSON as it is. */
const NAMINGS: readonly Naming[] = [
  { before: "Registry.example:5000/Team_A/", after: "-GGUF:IQ2_XXS" },
  { before: "", after: ":latest" },
  { before: "", after: '","insecure":true,"é😀":"\\' },
];

/** The statuses by which method and body are kept. */
const REDIRECTS = [307, 308] as const;

/** Parts of names. */
const namings: fc.Arbitrary<Naming> = fc.record({
  before: fc.constantFrom("", "library/", "Team_A/", "hf.co/Team/", "127.0.0.1:5000/a/"),
  after: fc.constantFrom("", ":latest", ":7b", ":7B-Instruct-Q4_K_M", ".v1", "-x_y"),
});

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
    decisive: [wholePull],
    inputs,
    async check(client, { statuses }, run) {
      const { play } = await follow(client, { chunks: lines(statuses) }, run);
      const { method, path } = requirePull(play, run);
      const seen = `${method} ${path}`;
      if (seen !== "POST /api/pull") throw new Violation("POST /api/pull", seen, [play.exchange]);
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
    maxRuns: 5,
    decisive: NAMINGS,
    inputs: namings,
    async check(client, { before, after }, run) {
      const nameModel = (id: string) => `${before}${id}${after}`;
      const { play, failure } = await follow(client, { nameModel }, run);
      if (play.requests.length === 0 && failure !== undefined) {
        throw new Inconclusive(`The client refuses the name ${JSON.stringify(play.model)}`);
      }
      const { model, name } = bodyOf(play, requirePull(play, run));
      const named = model || name;
      if (typeof named === "string" && withoutDefaults(named) === withoutDefaults(play.model)) {
        return;
      }
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
    decisive: [wholePull],
    inputs,
    async check(client, { statuses }, run) {
      const { play } = await follow(client, { chunks: lines(statuses) }, run);
      const { stream } = bodyOf(play, requirePull(play, run));
      // Servers that are written in Go take `null` for absent.
      if (stream === undefined || stream === null || stream === true) return;
      throw new Violation("`stream` absent or true", JSON.stringify(stream), [play.exchange]);
    },
  }),
  rule({
    id: "C-REQ-4",
    side: "client",
    level: "observed",
    title: "The path of a host comes before /api/pull, with one slash between them",
    cites:
      "observed: what follows the first `/` of `OLLAMA_HOST` is a path, as a gateway in front of a " +
      "server has it",
    evidence,
    maxRuns: 3,
    decisive: ["/proxy/ollama", "/proxy/ollama/", "/"],
    inputs: fc.constantFrom("/proxy/ollama", "/proxy/ollama/", "/"),
    async check(client, hostPath, run) {
      const { play } = await follow(client, { hostPath }, run);
      const { path } = requirePull(play, run);
      const expected = `${hostPath.replace(/\/$/, "")}/api/pull`;
      if (path !== expected) {
        throw new Violation(`the path ${expected}`, path, [play.exchange]);
      }
    },
  }),
  rule({
    id: "C-REQ-5",
    side: "client",
    level: "should",
    title: "A redirect by 307 or 308 is followed with method and body, or it is a failure",
    cites: "HTTP: the method must not change (RFC 9110, 15.4.8 and 15.4.9); observed: gateways " +
      "redirect to another path or to another server",
    evidence,
    maxRuns: 3,
    decisive: REDIRECTS,
    inputs: fc.constantFrom(...REDIRECTS),
    async check(client, status, run) {
      const redirect = { status, location: `${client.server.host}/moved/api/pull` };
      const observation = await follow(client, { redirect }, run);
      const { play } = observation;
      const first = requirePull(play, run);
      const last = play.requests.findLast(isPull);
      if (!last || last === first) expectFailure(observation, `there was a redirect by ${status}`);
      else if (last.method !== first.method || last.body !== first.body) {
        const expected = `${first.method} ${first.body}, as before the redirect by ${status}`;
        throw new Violation(expected, `${last.method} ${last.body}`, [play.exchange]);
      } else await expectSuccess(client, observation, run);
    },
  }),
  rule({
    id: "C-REQ-6",
    side: "client",
    level: "must",
    title: "A client that was not told to does not ask for an insecure pull",
    cites:
      'spec: "insecure: (optional) allow insecure connections to the library. Only use this if you ' +
      'are pulling from your own library during development."',
    evidence,
    maxRuns: 3,
    decisive: [wholePull],
    inputs,
    async check(client, { statuses }, run) {
      const { play } = await follow(client, { chunks: lines(statuses) }, run);
      const { insecure } = bodyOf(play, requirePull(play, run));
      if (insecure === undefined || insecure === null || insecure === false) return;
      throw new Violation("`insecure` absent or false", JSON.stringify(insecure), [play.exchange]);
    },
  }),
];
