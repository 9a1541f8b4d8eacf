/**
 * Bytes of pulls, for scripts: as servers write them, and cut as networks cut them.
 *
 * @module
 */

import fc from "fast-check";
import { concatBytes } from "../../src/bytes.ts";
import type { Bytes } from "../generators/bytes.ts";
import { pointIn, type PullPoint } from "./pull_states.ts";
import {
  chunkings,
  type PullSession,
  type PullSessionOptions,
  pullSessions,
  type StatusObject,
} from "../generators/mod.ts";
import { misleadingTexts } from "../generators/misleading.ts";
import { type JsonStyle, jsonStyles, writeJson } from "../generators/ndjson.ts";

const utf8 = new TextEncoder();

/** A text as UTF-8. */
export function encode(text: string): Bytes {
  return utf8.encode(text);
}

/** An object as a server writes it: one compact line. */
export function line(object: StatusObject): Bytes {
  return encode(`${JSON.stringify(object)}\n`);
}

/** Objects as a server sends them: a chunk for each. */
export function lines(objects: readonly StatusObject[]): Bytes[] {
  return objects.map(line);
}

/** Objects in a way of writing JSON: a line and a chunk for each. */
export function styledLines(objects: readonly StatusObject[], style: JsonStyle): Bytes[] {
  return objects.map((object) => encode(`${writeJson(object, style)}\n`));
}

/** The way in which servers write JSON. */
export const COMPACT: JsonStyle = { keys: "as they are", gap: "", escapes: "shortest" };

/** The way in which most languages write JSON unless they are told otherwise. */
export const SPACED: JsonStyle = { keys: "as they are", gap: " ", escapes: "not ASCII" };

/** A way of writing JSON in which nothing looks as servers write it. */
export const UNUSUAL: JsonStyle = { keys: "reversed", gap: " ", escapes: "everything" };

/** Ways of writing JSON: mostly that of servers. */
export function wireStyles(): fc.Arbitrary<JsonStyle> {
  return fc.oneof({ weight: 2, arbitrary: fc.constant(COMPACT) }, jsonStyles());
}

/** A pull, and how its lines are written. */
export interface StyledPull extends Pick<PullSession, "statuses"> {
  readonly style: JsonStyle;
}

/** Pulls in every way of writing JSON that decides rules. */
export function inEveryStyle(pulls: readonly Pick<PullSession, "statuses">[]): StyledPull[] {
  return pulls.flatMap(({ statuses }) =>
    [COMPACT, SPACED, UNUSUAL].map((style) => ({ statuses, style }))
  );
}

/** Pulls in any way of writing JSON. */
export function styledPulls(
  pulls: fc.Arbitrary<Pick<PullSession, "statuses">>,
): fc.Arbitrary<StyledPull> {
  return fc.tuple(pulls, wireStyles()).map(([{ statuses }, style]) => ({ statuses, style }));
}

/** A pull and the chunks in which it arrives. */
export interface ArrivingPull {
  readonly session: PullSession;
  readonly chunks: readonly Bytes[];
}

/**
 * Small pulls: rules about framing and failures need only a few lines. They are in the dialect of the
 * spec, with sizes that fit into 32 bits; other rules cover the rest.
 */
const SMALL: PullSessionOptions = {
  dialects: ["spec"],
  maxLayers: 2,
  maxLayerBytes: 1_000_000_000,
  surprises: [],
};

/** Small pulls, without surprises by default. */
export function smallPulls(options: PullSessionOptions = {}): fc.Arbitrary<PullSession> {
  return pullSessions({ ...SMALL, ...options });
}

/** Small pulls that arrive in any chunks. */
export function cutPulls(options: PullSessionOptions = {}): fc.Arbitrary<ArrivingPull> {
  return smallPulls(options).chain((session) =>
    chunkings(concatBytes(lines(session.statuses))).map((chunks) => ({
      session,
      chunks: chunks.filter(({ length }) => length > 0),
    }))
  );
}

/** A small pull at any point before its `success`. */
export function interruptedPulls(): fc.Arbitrary<PullPoint> {
  return fc.tuple(smallPulls(), fc.nat())
    .map(([session, point]) => pointIn(session, point % session.statuses.length));
}

/** A small pull at a point before its `success`, when something has been sent. */
export function begunPulls(): fc.Arbitrary<PullPoint> {
  return fc.tuple(smallPulls(), fc.nat())
    .map(([session, point]) => pointIn(session, 1 + point % (session.statuses.length - 1)));
}

/** A text of more than ASCII, none of it control characters. */
export function texts(): fc.Arbitrary<string> {
  const characters = fc.constantFrom("a", " ", "é", "ж", "中", "€", "😀", "🏴‍☠️");
  return fc.array(characters, { minLength: 1, maxLength: 12 })
    .map((parts) => parts.join("").trim() || "é");
}

/** What a server says of a failure: any text, or one that misleads. */
export function messages(): fc.Arbitrary<string> {
  // With words of its own, since a client may show quotes and brackets in another form.
  return fc.oneof(texts(), misleadingTexts().map((text) => `failed: ${text}`));
}
