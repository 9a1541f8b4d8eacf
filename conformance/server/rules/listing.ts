/**
 * The rule about when a server lists a model.
 *
 * @module
 */

import { isSameModel } from "../../../src/model_name.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { requireSuccess } from "../plain_pull.ts";
import { slowSetups, withServer } from "../server_states.ts";
import { type OpenServer, type ServerSetup, type ServerSubject, unlessHas } from "../subject.ts";
import { beginPull, decode, isPartial, parseJson } from "../transcript.ts";

/** The path of the list of models. */
const LIST_PATH = "/api/tags";

/** Objects that arrive within this time after the list, in milliseconds, may have been sent before it. */
const AT_ONCE_MS = 100;

/** The rule's id. */
export const LIST_RULE = "S-LIST-1";

/** Whether a server lists its model, or `undefined` if it has no list. */
export async function listsModel(server: OpenServer, run: CheckRun): Promise<boolean | undefined> {
  run.awaits("the list of models", () => [{ request: `GET ${LIST_PATH}` }]);
  const text = await server.fetch(LIST_PATH, { signal: run.signal })
    .then((response) => response.text(), () => "");
  run.signal.throwIfAborted();
  const { models } = Object(parseJson(text));
  if (models !== null && !Array.isArray(models)) return undefined;
  return (models ?? []).some((listed: unknown) => isNamed(listed, server.model));
}

function isNamed(listed: unknown, model: string): boolean {
  const { name, model: other = name } = Object(listed);
  return [name, other].some((each) => typeof each === "string" && isSame(each, model));
}

function isSame(name: string, asked: string): boolean {
  const model = asked.replace(/^https?:\/\//, ""); // the scheme is not part of the name
  try {
    return isSameModel(name, model);
  } catch {
    return name === model; // not a valid name
  }
}

/** The violation if a model is listed too early. */
export function listedEarly(): Violation {
  const exchanges = [{ request: `GET ${LIST_PATH}` }];
  return new Violation("only models whose pull has succeeded", "the model in the list", exchanges);
}

/** The rules. */
export const listingRules: readonly Rule<ServerSubject>[] = [
  rule<ServerSubject, ServerSetup>({
    id: LIST_RULE,
    side: "server",
    level: "observed",
    title: "A model is not listed before its pull has succeeded",
    cites: "observed: GET /api/tags lists the models that have a manifest, which is written last",
    evidence: "a list of models during a pull and after it",
    skips: unlessHas("fresh"),
    ...slowSetups(),
    check: (subject, setup, run) =>
      withServer(subject, setup, async (server) => {
        const pulling = await beginPull(server, run);
        await pulling.readUntil((statuses) => statuses.some(isPartial));
        const isListedEarly = await listsModel(server, run);
        if (isListedEarly === undefined) throw new Inconclusive(`There is no list at ${LIST_PATH}`);
        const { elapsedMs } = pulling.transcript();
        const transcript = await pulling.readAll();
        await requireSuccess(subject, transcript, run);
        // Data read right after the list may have been sent before it.
        const after = transcript.arrivedAfterMs.filter((ms) => ms > elapsedMs);
        const later = transcript.chunks.filter((_, index) =>
          transcript.arrivedAfterMs[index]! > (after[0] ?? Infinity) + AT_ONCE_MS
        );
        const isDuring = decode(later).some(isPartial);
        if (isListedEarly && isDuring) throw listedEarly();
        if (!await listsModel(server, run)) {
          throw new Inconclusive("The model is not listed after its pull either");
        }
        if (isDuring) run.saw();
      }),
  }),
];
