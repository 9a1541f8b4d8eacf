/**
 * An exchange with a server as it was seen, whichever rule made it.
 *
 * @module
 */

import type { LayerSize } from "../../../mod.ts";
import { isJsonObject } from "../../../src/ndjson.ts";
import { parseJson, type Transcript } from "../transcript.ts";
import type { AnswerParser } from "../wire/answer_parser.ts";

/** An exchange as it was seen. */
export interface Seen {
  /** The method of the request. */
  readonly method: string;
  /** The path of the request. */
  readonly path: string;
  /** What the request says about codings, or `null`. */
  readonly acceptEncoding: string | null;
  /** The body of the request, where it was sent whole and at once. */
  readonly requestBody: string | undefined;
  /** The fields of the answer. */
  readonly fields: Headers;
  /** What was received: of an answer whose rest nobody wanted, the whole lines. */
  readonly transcript: Transcript;
  /** Whether the answer was read to its end. */
  readonly isWhole: boolean;
  /** What came over the wire, where that was seen. */
  readonly wire: AnswerParser | undefined;
  /** The name of the model of the subject. */
  readonly model: string;
  /** All layers that this model has had, config included, or none if they are not known. */
  readonly layers: readonly LayerSize[];
  /** Whether no other exchange went on meanwhile. */
  readonly isAlone: boolean;
  /** How long this process stood still while it waited for the answer, at most, in milliseconds. */
  readonly lagMs: number;
}

/** What a request for a pull asks for, or `undefined` for another request. */
export function pullAskedFor(
  { method, path, requestBody = "" }: Seen,
): { readonly model: unknown; readonly isStreamed: boolean } | undefined {
  if (method !== "POST" || path !== "/api/pull") return undefined;
  const body = parseJson(requestBody);
  if (!isJsonObject(body)) return undefined;
  const { model, name, stream } = body;
  return { model: model || name, isStreamed: stream !== false };
}
