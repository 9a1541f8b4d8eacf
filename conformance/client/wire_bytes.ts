/**
 * Bytes of pulls for scripts: as servers write them, and split as networks split them.
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

/** Objects as a server sends them, each in its own chunk. */
export function lines(objects: readonly StatusObject[]): Bytes[] {
  return objects.map(line);
}

/** Objects in some JSON style, each as a line in its own chunk. */
export function styledLines(objects: readonly StatusObject[], style: JsonStyle): Bytes[] {
  return objects.map((object) => encode(`${writeJson(object, style)}\n`));
}

/** The way in which servers write JSON. */
export const COMPACT: JsonStyle = { keys: "as they are", gap: "", escapes: "shortest" };

/** The default JSON style of most languages. */
export const SPACED: JsonStyle = { keys: "as they are", gap: " ", escapes: "not ASCII" };

/** A JSON style in which nothing looks as servers write it. */
export const UNUSUAL: JsonStyle = { keys: "reversed", gap: " ", escapes: "everything" };

/** JSON styles, usually that of servers. */
export function wireStyles(): fc.Arbitrary<JsonStyle> {
  return fc.oneof({ weight: 2, arbitrary: fc.constant(COMPACT) }, jsonStyles());
}

/** A pull, and how its lines are encoded. */
export interface StyledPull extends Pick<PullSession, "statuses"> {
  readonly style: JsonStyle;
}

/** Fixed pulls in every JSON style, on which rules depend. */
export function inEveryStyle(pulls: readonly Pick<PullSession, "statuses">[]): StyledPull[] {
  return pulls.flatMap(({ statuses }) =>
    [COMPACT, SPACED, UNUSUAL].map((style) => ({ statuses, style }))
  );
}

/** Pulls in any JSON style. */
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
 * Small pulls, because rules about framing and failures need only a few lines. They use the spec's dialect
 * and sizes that fit into 32 bits; other rules cover the rest.
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

/** A text beyond ASCII, without control characters. */
export function texts(): fc.Arbitrary<string> {
  const characters = fc.constantFrom("a", " ", "é", "ж", "中", "€", "😀", "🏴‍☠️");
  return fc.array(characters, { minLength: 1, maxLength: 12 })
    .map((parts) => parts.join("").trim() || "é");
}

/** A server's error message: any text, or a misleading one. */
export function messages(): fc.Arbitrary<string> {
  // With a unique part, since a client may change quotes and brackets.
  return fc.oneof(texts(), misleadingTexts().map((text) => `failed: ${text}`));
}
