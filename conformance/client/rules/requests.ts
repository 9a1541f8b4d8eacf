/**
 * Rules about the requests that a client sends.
 *
 * @module
 */

import fc from "fast-check";
import type { PullSession } from "../../generators/mod.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { type ClientUnderTest, expectFailure, observe, start } from "../observation.ts";
import { expectSuccess } from "../plain_pull.ts";
import { wholePull } from "../pull_states.ts";
import { type AnswerScript, isPull, type Play, type ReceivedRequest } from "../scripted_server.ts";
import { unlessUpdating } from "../subject.ts";
import { lines, smallPulls } from "../wire_bytes.ts";
import { within } from "../within.ts";
import { SOON_MS } from "./endings.ts";

/** A pull, and how its first attempt ends. */
interface Attempts extends Pick<PullSession, "statuses"> {
  /** The number of lines after which the connection breaks. The client may then pull again. */
  readonly breakFirstAfter?: number;
}

const inputs: fc.Arbitrary<Attempts> = smallPulls().map(({ statuses }) => ({ statuses }));

/** A pull that goes well, and one that needs a second attempt. */
const ATTEMPTS: readonly Attempts[] = [wholePull, { ...wholePull, breakFirstAfter: 3 }];

/** How long to wait for a second attempt, in milliseconds. */
const SECOND_ATTEMPT_MS = { "network": 3_000, "in-process": 1_000 };

/** The pulls among the requests. Clients may request other things first, such as the version. */
function requirePulls(play: Play, run: CheckRun): ReceivedRequest[] {
  const pulls = play.requests.filter(isPull);
  if (pulls.length === 0) {
    const seen = play.requests.map(({ method, path }) => `${method} ${path}`).join(", ") || "none";
    throw new Violation("a request to /api/pull", seen, [play.exchange], "C-REQ-1");
  }
  run.saw();
  return pulls;
}

/** The body of a pull request. */
function bodyOf(play: Play, request: ReceivedRequest): Record<string, unknown> {
  try {
    return Object(JSON.parse(request.body));
  } catch {
    const exchanges = [play.exchangeOf(request)];
    throw new Violation("a JSON body", JSON.stringify(request.body), exchanges);
  }
}

/** Shows a client a pull. Returns its requests, one per attempt, and the failure if it failed. */
async function follow(
  client: ClientUnderTest,
  script: Partial<AnswerScript>,
  run: CheckRun,
): Promise<{ readonly play: Play; readonly failure: string | undefined }> {
  const running = start(client, { chunks: lines(wholePull.statuses), ...script }, run);
  const { play, result, cancel } = running;
  if (script.breakFirstAfter === undefined) return await result;
  if (await within(result, SECOND_ATTEMPT_MS[client.transport])) return await result;
  cancel();
  await within(result, SOON_MS[client.transport]);
  return { play, failure: "it was cancelled" };
}

/** Shows a client a pull, and checks each of its requests. */
async function checkRequests(
  client: ClientUnderTest,
  { statuses, ...script }: Attempts & Partial<AnswerScript>,
  run: CheckRun,
  check: (request: ReceivedRequest, play: Play) => void,
): Promise<void> {
  const { play } = await follow(client, { chunks: lines(statuses), ...script }, run);
  for (const request of requirePulls(play, run)) check(request, play);
}

/** The evidence for all these rules. */
const evidence = "a request";

/** The name of a model without the parts that have defaults (observed). */
function withoutDefaults(name: string): string {
  return name.replace(/^(registry\.ollama\.ai\/)?library\//, "").replace(/:latest$/, "");
}

/** Puts a required text into a model name. */
interface Naming extends Pick<Attempts, "breakFirstAfter"> {
  readonly before: string;
  readonly after: string;
}

/** Names with every part that a name may have, and one that JSON must escape. */
const NAMINGS: readonly Naming[] = [
  { before: "Registry.example:5000/Team_A/", after: "-GGUF:IQ2_XXS" },
  { before: "", after: ":latest" },
  { before: "", after: '","insecure":true,"é😀":"\\' },
  { before: "Registry.example:5000/Team_A/", after: "-GGUF:IQ2_XXS", breakFirstAfter: 3 },
];

/** Paths of hosts, as people write them. */
const HOST_PATHS: readonly (Pick<Attempts, "breakFirstAfter"> & { readonly hostPath: string })[] = [
  { hostPath: "/proxy/ollama" },
  { hostPath: "/proxy/ollama/" },
  { hostPath: "/" },
];

/** The redirect statuses that keep method and body. */
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
    decisive: ATTEMPTS,
    inputs,
    check: (client, attempts, run) =>
      checkRequests(client, attempts, run, (request, play) => {
        const seen = `${request.method} ${request.path}`;
        if (seen === "POST /api/pull") return;
        throw new Violation("POST /api/pull", seen, [play.exchangeOf(request)]);
      }),
  }),
  rule({
    id: "C-REQ-2",
    side: "client",
    level: "must",
    title: "The body is JSON and names the model",
    cites: 'spec: "model: name of the model to pull"; observed: `name` is used if it is empty',
    evidence,
    maxRuns: 5,
    decisive: NAMINGS,
    inputs: namings,
    async check(client, { before, after, ...attempts }, run) {
      const nameModel = (id: string) => `${before}${id}${after}`;
      const { play, failure } = await follow(client, { nameModel, ...attempts }, run);
      if (play.requests.length === 0 && failure !== undefined) {
        throw new Inconclusive(`The client refuses the name ${JSON.stringify(play.model)}`);
      }
      for (const request of requirePulls(play, run)) {
        const { model, name } = bodyOf(play, request);
        const named = model || name;
        if (typeof named === "string" && withoutDefaults(named) === withoutDefaults(play.model)) {
          continue;
        }
        const expected = `the model ${JSON.stringify(play.model)}`;
        const seen = JSON.stringify(named) ?? "no model";
        throw new Violation(expected, seen, [play.exchangeOf(request)]);
      }
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
    decisive: ATTEMPTS,
    inputs,
    check: (client, attempts, run) =>
      checkRequests(client, attempts, run, (request, play) => {
        const { stream } = bodyOf(play, request);
        // Servers written in Go treat `null` as absent.
        if (stream === undefined || stream === null || stream === true) return;
        const exchanges = [play.exchangeOf(request)];
        throw new Violation("`stream` absent or true", JSON.stringify(stream), exchanges);
      }),
  }),
  rule({
    id: "C-REQ-4",
    side: "client",
    level: "observed",
    title: "The path of a host comes before /api/pull, with one slash between them",
    cites:
      "observed: what follows the first `/` of `OLLAMA_HOST` is a path, such as that of a gateway in " +
      "front of a server",
    evidence,
    maxRuns: 3,
    decisive: [...HOST_PATHS, { ...HOST_PATHS[0]!, breakFirstAfter: 3 }],
    inputs: fc.constantFrom(...HOST_PATHS),
    check: (client, { hostPath, ...attempts }, run) =>
      checkRequests(client, { ...wholePull, hostPath, ...attempts }, run, (request, play) => {
        const expected = `${hostPath.replace(/\/$/, "")}/api/pull`;
        if (request.path === expected) return;
        throw new Violation(`the path ${expected}`, request.path, [play.exchangeOf(request)]);
      }),
  }),
  rule({
    id: "C-REQ-5",
    side: "client",
    level: "should",
    title: "A 307 or 308 redirect is followed with the same method and body, or is a failure",
    cites: "HTTP: the method must not change (RFC 9110, 15.4.8 and 15.4.9); observed: gateways " +
      "redirect to another path or to another server",
    evidence,
    maxRuns: 3,
    decisive: REDIRECTS,
    inputs: fc.constantFrom(...REDIRECTS),
    async check(client, status, run) {
      const redirect = { status, location: `${client.server.host}/moved/api/pull` };
      const script = { chunks: lines(wholePull.statuses), redirect };
      const observation = await observe(client, script, run);
      const { play } = observation;
      const pulls = requirePulls(play, run);
      const first = pulls[0]!;
      const last = pulls.at(-1)!;
      if (last === first) expectFailure(observation, `there was a ${status} redirect`);
      else if (last.method !== first.method || last.body !== first.body) {
        const expected = `${first.method} ${first.body}, as before the ${status} redirect`;
        throw new Violation(expected, `${last.method} ${last.body}`, [play.exchange]);
      } else await expectSuccess(client, observation, run);
    },
  }),
  rule({
    id: "C-REQ-6",
    side: "client",
    level: "must",
    title: "A client requests an insecure pull only if it is told to",
    cites:
      'spec: "insecure: (optional) allow insecure connections to the library. Only use this if you ' +
      'are pulling from your own library during development."',
    evidence,
    maxRuns: 3,
    decisive: ATTEMPTS,
    inputs,
    check: (client, attempts, run) =>
      checkRequests(client, attempts, run, (request, play) => {
        const { insecure } = bodyOf(play, request);
        if (insecure === undefined || insecure === null || insecure === false) return;
        const exchanges = [play.exchangeOf(request)];
        throw new Violation("`insecure` absent or false", JSON.stringify(insecure), exchanges);
      }),
  }),
];
