/**
 * Rules about forms of request that must all be answered with the stream of a pull. A rule tries its forms on
 * as few servers as possible, each of which downloads the model at most once.
 *
 * @module
 */

import fc, { type Arbitrary } from "fast-check";
import { type CheckRun, type Rule, rule, Violation } from "../../rule.ts";
import { requireSuccess, SUCCESS } from "../plain_pull.ts";
import { READY_SETUP, withServer } from "../server_states.ts";
import type { OpenServer, ServerSubject } from "../subject.ts";
import { ask, isSingleObject, pullAll, type PullRequest, type Transcript } from "../transcript.ts";

/** A request that must be answered with a stream, or `undefined` if the server has no such request. */
export type Form = (server: OpenServer) => PullRequest | undefined;

/** A rule's text, and the forms it covers. */
export interface FormRule extends Pick<Rule<ServerSubject>, "id" | "level" | "title" | "cites"> {
  /** The forms to try in every run. */
  readonly forms: readonly Form[];
  /** Forms that the runtime may be unable to send: each is tried separately. @default none */
  readonly rareForms?: readonly Form[] | undefined;
  /** Random forms. @default none */
  readonly byChance?: Arbitrary<Form> | undefined;
  /** Throws a {@link Violation} if an answer is wrong in some other way. */
  readonly requireMore?: ((transcript: Transcript) => void) | undefined;
}

/** The most forms to try on one server, so that a check does not take long. */
const MAX_FORMS = 8;

/** How many random inputs are worth trying. */
const MAX_RUNS = 20;

/** Creates a rule about forms of request that must be answered with a stream. */
export function streamRule(
  { forms, rareForms = [], byChance, requireMore, ...info }: FormRule,
): Rule<ServerSubject> {
  const decisive = [...inGroups(forms), ...rareForms.map((form) => [form])];
  const more = byChance && fc.array(byChance, { minLength: 1, maxLength: MAX_FORMS });
  return rule<ServerSubject, readonly Form[]>({
    ...info,
    side: "server",
    evidence: SUCCESS,
    decisive,
    inputs: more ?? fc.constantFrom(...decisive),
    maxRuns: more ? MAX_RUNS : decisive.length,
    pulls: 0, // the model may already be on disk
    check: (subject, forms, run) =>
      withServer(subject, READY_SETUP, async (server) => {
        for (const form of forms) {
          const request = form(server);
          if (!request) continue;
          const transcript = await (await ask(server, request, run)).readAll();
          await requireStream(subject, server, transcript, run);
          requireMore?.(transcript);
        }
      }),
  });
}

/** Groups forms that are tried on the same server. */
function* inGroups(forms: readonly Form[]): Generator<readonly Form[], void, void> {
  for (let start = 0; start < forms.length; start += MAX_FORMS) {
    yield forms.slice(start, start + MAX_FORMS);
  }
}

/** Throws unless the answer is a stream of objects that ends in `success`. */
async function requireStream(
  subject: ServerSubject,
  server: OpenServer,
  transcript: Transcript,
  run: CheckRun,
): Promise<void> {
  const { status, statuses, exchange } = transcript;
  await requireSuccess(subject, transcript, run);
  if (status !== 200) throw new Violation("HTTP 200", `HTTP ${status}`, [exchange]);
  run.saw();
  if (statuses.length > 1) return;
  const because = isSingleObject(await pullAll(server, run)) ? "S-REQ-2" : undefined;
  throw new Violation("a stream of objects", "a single object", [exchange], because);
}
