/**
 * An observed exchange with a server, whichever rule made it.
 *
 * @module
 */

import type { LayerSize } from "../../../mod.ts";
import { isJsonObject } from "../../../src/ndjson.ts";
import { parseJson, type Transcript } from "../transcript.ts";
import type { AnswerParser } from "../wire/answer_parser.ts";

/** An observed exchange. */
export interface Seen {
  /** The method of the request. */
  readonly method: string;
  /** The path of the request. */
  readonly path: string;
  /** The `Accept-Encoding` of the request, or `null`. */
  readonly acceptEncoding: string | null;
  /** The body of the request, if it was sent in one piece. */
  readonly requestBody: string | undefined;
  /** The headers of the answer. */
  readonly fields: Headers;
  /** What was received. If the reader stopped early, only complete lines. */
  readonly transcript: Transcript;
  /** Whether the answer was read to its end. */
  readonly isWhole: boolean;
  /** What came over the wire, if that was observed. */
  readonly wire: AnswerParser | undefined;
  /** The name of the subject's model. */
  readonly model: string;
  /** All layers that this model has had, including the config, or none if they are not known. */
  readonly layers: readonly LayerSize[];
  /** Whether there was no other exchange at the same time. */
  readonly isAlone: boolean;
  /** The longest time that this process stood still while waiting for the answer, in milliseconds. */
  readonly lagMs: number;
}

/** The fields of a pull request, or `undefined` for any other request. */
export function pullAskedFor(
  { method, path, requestBody = "" }: Seen,
): { readonly model: unknown; readonly isStreamed: boolean } | undefined {
  if (method !== "POST" || path !== "/api/pull") return undefined;
  const body = parseJson(requestBody);
  if (!isJsonObject(body)) return undefined;
  const { model, name, stream } = body;
  return { model: model || name, isStreamed: stream !== false };
}
