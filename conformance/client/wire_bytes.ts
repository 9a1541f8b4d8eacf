/**
 * Bytes of pulls, for scripts: as servers write them, and cut as networks cut them.
 *
 * @module
 */

import fc from "fast-check";
import { concatBytes } from "../../src/bytes.ts";
import type { Bytes } from "../generators/bytes.ts";
import {
  chunkings,
  type PullSession,
  type PullSessionOptions,
  pullSessions,
  type StatusObject,
} from "../generators/mod.ts";

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

/** A part of a pull: the lines before some point, which is before `success`. */
export function partOf(session: PullSession, point: number): readonly StatusObject[] {
  return session.statuses.slice(0, point % session.statuses.length);
}

/** A text of more than ASCII, none of it control characters. */
export function texts(): fc.Arbitrary<string> {
  const characters = fc.constantFrom("a", " ", "é", "ж", "中", "€", "😀", "🏴‍☠️");
  return fc.array(characters, { minLength: 1, maxLength: 12 })
    .map((parts) => parts.join("").trim() || "é");
}
