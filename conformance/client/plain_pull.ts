/**
 * The plain pull of a client, which comes before all rules. A client that cannot follow even this pull fails
 * for every reason, so its failures mean nothing.
 *
 * @module
 */

import type { StatusObject } from "../generators/mod.ts";
import { CannotRun, type CheckRun, Violation } from "../rule.ts";
import { type ClientUnderTest, expectFailure, type Observation, observe } from "./observation.ts";
import { lines } from "./wire_bytes.ts";
import { within } from "./within.ts";

/** The digest of the one layer of a plain pull. */
const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

/** The statuses of a plain pull, as in the spec. */
const PLAIN_STATUSES: readonly StatusObject[] = [
  { status: "pulling manifest" },
  { status: `downloading ${DIGEST}`, digest: DIGEST, total: 1000 },
  { status: `downloading ${DIGEST}`, digest: DIGEST, total: 1000, completed: 1000 },
  { status: "verifying sha256 digest" },
  { status: "writing manifest" },
  { status: "removing any unused layers" },
  { status: "success" },
];

/** The rule that a client breaks if it does not follow a plain pull. */
const PLAIN_RULE = "C-DIALECT-1";

/** How long a cancelled pull may continue, in milliseconds. Commands are killed earlier. */
export const LONGEST_END_MS = 6_000;

/** For each client, whether it follows a plain pull, once known. */
const known = new WeakMap<ClientUnderTest, boolean>();

/** Makes a client pull, once nothing else is running. */
async function pullPlainly(client: ClientUnderTest, run: CheckRun): Promise<Observation> {
  const observation = await observe(client, { chunks: lines(PLAIN_STATUSES) }, run);
  known.set(client, observation.failure === undefined);
  return observation;
}

/**
 * Makes the plain pull, before all rules.
 *
 * @throws {CannotRun} If the client cannot be started, or ends without having requested a pull.
 */
export async function plainPull(client: ClientUnderTest, run: CheckRun): Promise<void> {
  await within(Promise.allSettled(client.running), LONGEST_END_MS);
  const { failure, play } = await pullPlainly(client, run);
  if (play.requests.length > 0) return;
  const { host } = client.server;
  const place = client.transport === "network"
    ? "`OLLAMA_HOST`"
    : "`host`, and use the given `fetch`";
  const seen = failure === undefined
    ? "it reported success without requesting a pull"
    : `it failed before it requested a pull: ${failure}`;
  throw new CannotRun(
    `Cannot test the client: ${seen}. It must send its request to ${host}, given in ${place}`,
  );
}

/** Whether a client follows a plain pull to its end. Tested only once. */
export async function followsPlainPull(client: ClientUnderTest, run: CheckRun): Promise<boolean> {
  const isKnown = known.get(client);
  if (isKnown !== undefined) return isKnown;
  return (await pullPlainly(client, run)).failure === undefined;
}

/** Throws unless the client reported success. If the client never does, another rule is blamed. */
export async function expectSuccess(
  client: ClientUnderTest,
  { failure, play }: Observation,
  run: CheckRun,
): Promise<void> {
  if (failure === undefined) return;
  const because = await causeOfAll(client, run);
  throw new Violation("success", `a failure: ${failure}`, [play.exchange], because);
}

/**
 * Throws unless the client reported a failure, and, if texts are given, one that contains one of them. This
 * means something only if the client does not fail anyway.
 */
export async function requireFailure(
  client: ClientUnderTest,
  observation: Observation,
  why: string,
  texts: readonly string[],
  run: CheckRun,
): Promise<void> {
  expectFailure(observation, why);
  if (observation.failure?.trim() === "") {
    const expected = "a failure that says what happened";
    throw new Violation(expected, "a failure without a message", [observation.play.exchange]);
  }
  if (texts.length > 0) await requireReason(client, observation, texts, run);
  if (await followsPlainPull(client, run)) run.saw();
}

/**
 * Whether a failure contains a text: literally, or with other quotes, escapes or line breaks, since a client
 * may show the JSON in which the text came.
 */
function names(failure: string, text: string): boolean {
  if (failure.includes(text)) return true;
  const json = JSON.stringify(text);
  const letters = lettersOf(text);
  const isPlain = json === `"${text}"` && !/[\u0085\u2028\u2029]/.test(text);
  if (isPlain || letters === "") return false;
  return [letters, lettersOf(json)].some((each) => lettersOf(failure).includes(each));
}

/** A text without ASCII punctuation, spaces and line breaks. */
function lettersOf(text: string): string {
  return text.replace(/[^0-9A-Za-z\u00a1-\u{10ffff}]|[\u2028\u2029]/gu, "");
}

/** Throws unless a failure contains one of some texts. */
export async function requireReason(
  client: ClientUnderTest,
  { failure, play }: Observation,
  texts: readonly string[],
  run: CheckRun,
): Promise<void> {
  if (texts.some((text) => names(failure ?? "", text))) return;
  const expected = `a failure that contains ${
    texts.map((text) => JSON.stringify(text)).join(" or ")
  }`;
  const because = await causeOfAll(client, run);
  throw new Violation(expected, `the failure: ${failure}`, [play.exchange], because);
}

/** The rule to blame for everything a client breaks, if it follows no pull. */
async function causeOfAll(client: ClientUnderTest, run: CheckRun): Promise<string | undefined> {
  return await followsPlainPull(client, run) ? undefined : PLAIN_RULE;
}

/** The evidence for rules that require a client to fail. */
export const FAILURE = "a failure of a client that follows plain pulls";

/** The evidence for rules that require a client to succeed. */
export const SUCCESS = "a pull that ends in success";
