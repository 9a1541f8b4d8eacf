/**
 * What a request asks for, by its path and its method.
 *
 *     POST /models/pulls/hf.co%2Fa%2Fb ── basePath "/models" ──▶ start "hf.co/a/b"
 *
 * @module
 */

import { type ModelName, parseModelName } from "../model_name.ts";
import { messageOf, quote } from "../text.ts";
import { Refusal } from "./refusal.ts";
import type { RelayAction } from "./relay_options.ts";

/** What is asked for. */
export interface Route {
  readonly action: RelayAction;
  /** The name of the model as it was written. */
  readonly name: string;
  /** The same in parts. */
  readonly model: ModelName;
}

const ACTIONS: Readonly<Record<string, RelayAction>> = {
  GET: "watch",
  POST: "start",
  DELETE: "cancel",
};

/** The methods that the relay answers, as in `Allow`. */
export const METHODS: string = [...Object.keys(ACTIONS), "OPTIONS"].join(", ");

/** The schemes that a name may begin with. What else stands before `://` is passed on unread. */
const SCHEMES = ["https", "http"];

/**
 * Reads what a request asks for.
 *
 * @throws {Refusal} If there is no such path or method, or the model has no valid name.
 */
export function readRoute({ url, method }: Request, basePath: string): Route {
  const segment = readSegment(new URL(url).pathname, `${basePath}/pulls/`);
  const action = Object.hasOwn(ACTIONS, method) ? ACTIONS[method] : undefined;
  if (!action) {
    const message = `Cannot ${method} a pull: use GET to watch, POST to start, DELETE to cancel`;
    throw new Refusal(405, "method-not-allowed", message, { Allow: METHODS });
  }
  const name = decodeSegment(segment);
  return { action, name, model: readName(name) };
}

/** The one segment that follows the prefix. */
function readSegment(path: string, prefix: string): string {
  const segment = path.startsWith(prefix) ? path.slice(prefix.length) : "";
  if (segment !== "" && !segment.includes("/")) return segment;
  const hint = segment === "" ? "" : '; write "/" in the name of a model as %2F';
  throw new Refusal(
    404,
    "unknown-path",
    `There is nothing at ${quote(path)}: the form is ${prefix}{model}${hint}`,
  );
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    const problem = "it is not percent-encoded UTF-8; use encodeURIComponent";
    throw new Refusal(
      400,
      "invalid-name",
      `Cannot read the model name ${quote(segment)}: ${problem}`,
    );
  }
}

function readName(name: string): ModelName {
  let model: ModelName;
  try {
    model = parseModelName(name);
  } catch (error) {
    throw new Refusal(400, "invalid-name", messageOf(error));
  }
  if (SCHEMES.includes(model.scheme)) return model;
  const problem = `it begins with the scheme ${quote(model.scheme)}; only https and http are used`;
  throw new Refusal(400, "invalid-name", `Cannot use the model name: ${problem}`);
}
