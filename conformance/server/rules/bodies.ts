/**
 * Rules about equivalent request bodies: JSON as clients write it, long bodies, and bodies sent in pieces.
 *
 * @module
 */

import fc from "fast-check";
import type { Bytes } from "../../generators/bytes.ts";
import type { Rule } from "../../rule.ts";
import type { OpenServer, ServerSubject } from "../subject.ts";
import { absentModel, type Pieces, pullBody } from "../transcript.ts";
import { type Form, streamRule } from "./forms.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The fields of a request for a streamed pull. */
function fieldsOf(server: OpenServer): Fields {
  return pullBody(server, { stream: true });
}

/** A form whose body is written from the fields of a pull. */
function writtenAs(write: (fields: Fields, server: OpenServer) => string): Form {
  return (server) => ({ body: write(fieldsOf(server), server) });
}

function withKeys(fields: Fields, change: (key: string) => string): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [change(key), value])),
  );
}

const upperCase = (key: string) => key.toUpperCase();
const capitalized = (key: string) => key.slice(0, 1).toUpperCase() + key.slice(1);

/**
 * Joins the texts of two objects into one object, with the fields of the first before those of the second.
 */
function inRow(first: string, second: string): string {
  return `${first.slice(0, -1)},${second.slice(1)}`;
}

/** Writes every character of a string as an escape. */
function escaped(text: string): string {
  const units = Array.from(
    { length: text.length },
    (_, index) => `\\u${text.charCodeAt(index).toString(16).padStart(4, "0")}`,
  );
  return `"${units.join("")}"`;
}

/** Writes fields with escapes for every character of keys and strings. */
function withEscapes(fields: Fields): string {
  const members = Object.entries(fields).map(([key, value]) =>
    `${escaped(key)}:${typeof value === "string" ? escaped(value) : JSON.stringify(value)}`
  );
  return `{${members.join(",")}}`;
}

/** A model that the registry does not have. */
const absentFields = (server: OpenServer) => pullBody(server, {}, absentModel(server));

/** Every field, with a value that means it is absent. */
const NO_FIELDS = { model: null, name: null, stream: null, username: null, password: null };

const jsonForms: readonly Form[] = [
  writtenAs((fields) => ` \r\n\t${JSON.stringify(fields, null, "\t")} \r\n\t`),
  writtenAs(withEscapes),
  writtenAs((fields) => JSON.stringify(fields).replaceAll("/", "\\/")),
  (server) => ({ body: { ...NO_FIELDS, ...pullBody(server) } }),
  writtenAs((fields, server) =>
    inRow(JSON.stringify(absentFields(server)), JSON.stringify(fields))
  ),
  writtenAs((fields) => withKeys(fields, upperCase)),
  writtenAs((fields) => withKeys(fields, capitalized)),
  writtenAs((fields, server) =>
    inRow(withKeys(absentFields(server), upperCase), JSON.stringify(fields))
  ),
  writtenAs((fields) => `${JSON.stringify(fields)} and more`),
  writtenAs((fields) => JSON.stringify(fields).repeat(2)),
  (server) => ({ body: pullBody(server, { stream: true }, otherName(server)) }),
];

/** The same model under another name: with or without its default tag. */
function otherName({ model }: OpenServer): string {
  const hasTag = /:[^/:]*$/.test(model);
  return hasTag ? model.replace(/:latest$/, "") : `${model}:latest`;
}

/** White space of JSON. */
const spaces = fc.string({ unit: fc.constantFrom(" ", "\t", "\r", "\n"), maxLength: 20 });

/** JSON with keys in any case, any surrounding white space and anything after it. */
const jsonByChance = fc.record({
  before: spaces,
  between: spaces,
  after: fc.tuple(spaces, fc.string()).map((texts) => texts.join("")),
  isUpper: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
}).map(({ before, between, after, isUpper }): Form =>
  writtenAs((fields) => {
    const mixed = (key: string) =>
      Array.from(
        key,
        (character, index) => isUpper[index % isUpper.length] ? upperCase(character) : character,
      ).join("");
    const text = withKeys(fields, mixed);
    return `${before}{${between}${text.slice(1, -1)}${between}}${after}`;
  })
);

/** Writes fields as an object with a given length in bytes, padded with leading white space. */
function paddedTo(length: number, fields: Fields): Bytes {
  const written = new TextEncoder().encode(JSON.stringify(fields));
  if (written.length >= length) return written;
  const bytes = new Uint8Array(length).fill(SPACE);
  bytes.set(written, length - written.length);
  bytes[0] = written[0]!;
  bytes[length - written.length] = SPACE;
  return bytes;
}

const SPACE = 0x20;

/** A form with a body of a given length, whole or in pieces. */
function ofLength(bytes: number, pieces?: Pieces): Form {
  return (server) => ({ body: paddedTo(bytes, fieldsOf(server)), ...(pieces && { pieces }) });
}

const KB = 1_000;
const MB = 1_000_000;

/**
 * Lengths in bytes just beyond common default limits of servers: a buffer, 64 KiB, 100 KB, 1 MiB, 2 to 8 MB.
 */
const LONG_BYTES = [5 * KB, 70 * KB, 300 * KB, 1.1 * MB, 10 * MB];

const bodyForms: readonly Form[] = [
  ofLength(0, { bytes: 1, pauseMs: 0 }),
  ofLength(0, { bytes: 16, pauseMs: 2 }),
  ofLength(0, { bytes: KB, pauseMs: 20 }),
  ...LONG_BYTES.map((bytes) => ofLength(bytes)),
  ofLength(100 * KB, { bytes: 16 * KB, pauseMs: 2 }),
  ofLength(10 * MB, { bytes: 1 * MB, pauseMs: 0 }),
];

const bodiesByChance = fc.record({
  length: fc.nat({ max: 100 * KB }),
  count: fc.integer({ min: 1, max: 8 }),
  isWhole: fc.boolean(),
}).map(({ length, count, isWhole }): Form => {
  const pieces = { bytes: Math.ceil((length + KB) / count), pauseMs: 0 };
  return isWhole ? ofLength(length) : ofLength(length, pieces);
});

/** The rules. */
export const bodyRules: readonly Rule<ServerSubject>[] = [
  streamRule({
    id: "S-REQ-10",
    level: "observed",
    title: "Equivalent spellings of a request mean the same",
    cites:
      "observed: the reference reads JSON with Go's `encoding/json`, which ignores the case of keys, " +
      "uses the last of two equal keys, treats `null` as absent, and ignores what follows the object; " +
      "a model without a tag has the tag `latest`",
    forms: jsonForms,
    byChance: jsonByChance,
  }),
  streamRule({
    id: "S-REQ-11",
    level: "should",
    title: "A body may be long, and be sent in pieces",
    cites:
      "HTTP allows a body in any pieces, without its length; observed: the reference sets no limit, " +
      "and reads 10 MB",
    forms: bodyForms,
    byChance: bodiesByChance,
  }),
];
