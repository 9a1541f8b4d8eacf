/**
 * Reads recordings, and reports what is wrong with an invalid one, and where.
 *
 *     text ── lines ──▶ Fields, checked one by one ── by exchange ──▶ Recording
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import {
  FORMAT,
  type RecordedAnswer,
  type RecordedChunk,
  type RecordedEnd,
  type RecordedExchange,
  type RecordedLayer,
  type RecordedRequest,
  type Recording,
  VERSION,
} from "./recording.ts";

/**
 * Reads a recording from the text of a file, as `pull --record FILE` writes it.
 *
 * ```ts
 * import { createMockServer, parseRecording } from "@ollama-pull/kit/mock";
 * import { assertEquals } from "@std/assert";
 *
 * const recording = parseRecording(`
 * {"format":"ollama-pull-recording","version":1,"recordedAt":"2026-11-29T15:00:00Z","recordedBy":"me"}
 * {"exchange":1,"startedAtMs":0,"request":{"url":"/api/pull","body":{"model":"m"}}}
 * {"exchange":1,"atMs":12,"answer":{"status":200,"contentType":"application/x-ndjson"}}
 * {"exchange":1,"atMs":3600000,"text":"{\\"status\\":\\"success\\"}\\n"}
 * {"exchange":1,"atMs":3600000,"end":"whole"}
 * `);
 * const server = createMockServer({ recordings: [recording] });
 * const response = await server.fetch("http://localhost/api/pull", {
 *   method: "POST",
 *   body: '{"model":"m"}',
 * });
 * assertEquals(await response.text(), '{"status":"success"}\n');
 * assertEquals(server.clock.now(), 3_600_000);
 * ```
 *
 * @param text The text. Blank lines are skipped.
 * @return The recording, which {@link MockServerOptions.recordings} accepts.
 * @throws {ConfigurationError} If it is not a recording, or was made by a newer version of the package. The
 * message names the line and says what is wrong with it.
 */
export function parseRecording(text: string): Recording {
  const lines = text.split("\n");
  const numbered = lines.map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== "");
  const [first, ...rest] = numbered.map(({ line, number }) =>
    readLine(line, number, number === lines.length)
  );
  if (!first) return fail("it is empty");
  const header = readHeader(first);
  const exchanges: ExchangeReader[] = [];
  for (const fields of rest) readEntry(fields, exchanges);
  return { ...header, exchanges: exchanges.map((exchange) => exchange.finish()) };
}

function fail(problem: string): never {
  throw new ConfigurationError(`Cannot read the recording: ${problem}`);
}

/** Reads a line of JSON. Every line ends with a newline, so a last line without one may be incomplete. */
function readLine(line: string, number: number, isUnended: boolean): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return isUnended && number > 1
      ? fail(
        `line ${number} is incomplete, probably because the recorder was killed; delete it: ${
          show(line)
        }`,
      )
      : fail(`line ${number} is not JSON: ${show(line)}`);
  }
  return new Fields(value, `line ${number}`);
}

/** A rule for the value of a field. */
interface Rule<Value> {
  readonly form: string;
  readonly accepts: (value: unknown) => value is Value;
}

function rule<Value>(form: string, accepts: (value: unknown) => boolean): Rule<Value> {
  return { form, accepts: accepts as Rule<Value>["accepts"] };
}

/** Whether a text can be encoded as UTF-8 without changes. */
const isText = (value: unknown) => typeof value === "string" && value.isWellFormed();
const isTime = (value: unknown) => Number.isFinite(value) && Number(value) >= 0;
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
const isHeader = (value: unknown) => typeof value === "string" && /^[\t\x20-\xff]*$/.test(value);

const RULES = {
  text: rule<string>("a string of valid Unicode", isText),
  time: rule<number>("a number of milliseconds, 0 or more", isTime),
  number: rule<number>("a whole number above 0", (value) => isCount(value) && value !== 0),
  size: rule<number>("a whole number of bytes", isCount),
  status: rule<number>(
    "a whole number from 200 to 599",
    (value) => isCount(value) && Number(value) >= 200 && Number(value) <= 599,
  ),
  date: rule<string>(
    "a date such as 2026-11-29T15:00:00Z",
    (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)),
  ),
  header: rule<string>("a value that HTTP allows", isHeader),
  headerOrNull: rule<string | null>(
    "a value that HTTP allows, or null",
    (value) => value === null || isHeader(value),
  ),
  ending: rule<RecordedEnd["how"]>(
    '"whole", "broken" or "left"',
    (value) => value === "whole" || value === "broken" || value === "left",
  ),
};

/** An object in a recording, with its place. */
class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      fail(`${where} must be an object, not ${show(value)}`);
    }
    this.#object = value as Record<string, unknown>;
    this.#where = where;
  }

  /** Throws an error about this object. */
  fail(problem: string): never {
    return fail(`${this.#where}: ${problem}`);
  }

  /** Whether there is a field of a name. */
  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  /** A value of any type. */
  any(name: string): unknown {
    return this.has(name) ? this.#object[name] : undefined;
  }

  /** A required value. */
  get<Value>(name: string, { form, accepts }: Rule<Value>): Value {
    const value = this.any(name);
    if (accepts(value)) return value;
    const found = value === undefined ? "it is missing" : `it is ${show(value)}`;
    return this.fail(`"${name}" must be ${form}, and ${found}`);
  }

  /** An optional value, as an object to spread. */
  optional<Name extends string, Value>(
    name: Name,
    rule: Rule<Value>,
  ): { [Key in Name]?: Value } {
    if (!this.has(name)) return {};
    return { [name]: this.get(name, rule) } as { [Key in Name]?: Value };
  }

  /** A nested object. */
  inside(name: string): Fields {
    return new Fields(this.any(name), `${this.#where}: "${name}"`);
  }

  /** A nested array of objects. */
  list(name: string): readonly Fields[] {
    const value = this.any(name);
    if (!Array.isArray(value)) return this.fail(`"${name}" must be an array`);
    return value.map((item, index) => new Fields(item, `${this.#where}: "${name}" ${index}`));
  }
}

function readHeader(fields: Fields): Omit<Recording, "exchanges"> {
  if (fields.any("format") !== FORMAT) {
    fields.fail(
      `this is not a recording of a pull, which would begin with {"format":"${FORMAT}","version":${VERSION}`,
    );
  }
  const version = fields.get("version", RULES.number);
  if (version > VERSION) {
    fields.fail(
      `a newer version of this package made it, so update the package: it has version ${version} of the ` +
        `format, and this package reads version ${VERSION}`,
    );
  }
  return {
    version: VERSION,
    recordedAt: fields.get("recordedAt", RULES.date),
    recordedBy: fields.get("recordedBy", RULES.text),
    ...fields.optional("server", RULES.text),
    ...(fields.has("layers") && { layers: fields.list("layers").map(readLayer) }),
  };
}

function readLayer(fields: Fields): RecordedLayer {
  return {
    digest: fields.get("digest", RULES.text),
    size: fields.get("size", RULES.size),
    ...fields.optional("mediaType", RULES.text),
  };
}

/** Reads a line of an exchange. */
function readEntry(fields: Fields, exchanges: ExchangeReader[]): void {
  const number = fields.get("exchange", RULES.number);
  if (fields.has("request")) {
    const next = exchanges.length + 1;
    if (number !== next) fields.fail(`this must be exchange ${next}, not ${number}`);
    exchanges.push(new ExchangeReader(fields));
    return;
  }
  const exchange = exchanges[number - 1] ??
    fields.fail(`the request of exchange ${number} must come before this`);
  exchange.read(fields);
}

/** Reads the lines of one exchange. */
class ExchangeReader {
  readonly #startedAtMs: number;
  readonly #request: RecordedRequest;
  #answer: RecordedAnswer | undefined;
  readonly #chunks: RecordedChunk[] = [];
  #end: RecordedEnd | undefined;
  /** The time of the previous line, in milliseconds since the request. */
  #atMs = 0;

  constructor(fields: Fields) {
    const request = fields.inside("request");
    this.#startedAtMs = fields.get("startedAtMs", RULES.time);
    this.#request = { url: request.get("url", RULES.text), body: request.any("body") };
  }

  /** Reads a line after the request. */
  read(fields: Fields): void {
    if (this.#end) fields.fail("the exchange has already ended");
    const atMs = this.#readTime(fields);
    if (fields.has("answer")) this.#answer = this.#readAnswer(fields, atMs);
    else if (fields.has("end")) this.#end = this.#readEnd(fields, atMs);
    else this.#chunks.push(this.#readChunk(fields, atMs));
  }

  /** The exchange, once all lines are read. */
  finish(): RecordedExchange {
    return {
      startedAtMs: this.#startedAtMs,
      request: this.#request,
      answer: this.#answer,
      chunks: this.#chunks,
      end: this.#end ?? { atMs: this.#atMs, how: "left" },
    };
  }

  #readTime(fields: Fields): number {
    const atMs = fields.get("atMs", RULES.time);
    if (atMs < this.#atMs) {
      fields.fail(
        `"atMs" must not be less than the previous one, ${this.#atMs}, and it is ${atMs}`,
      );
    }
    this.#atMs = atMs;
    return atMs;
  }

  #readAnswer(fields: Fields, atMs: number): RecordedAnswer {
    if (this.#answer) fields.fail("the exchange already has an answer");
    const answer = fields.inside("answer");
    return {
      atMs,
      status: answer.get("status", RULES.status),
      contentType: answer.get("contentType", RULES.headerOrNull),
      ...answer.optional("retryAfter", RULES.header),
    };
  }

  #readChunk(fields: Fields, atMs: number): RecordedChunk {
    if (fields.has("text") === fields.has("base64")) {
      fields.fail('it must have one of "request", "answer", "text", "base64" and "end"');
    }
    if (!this.#answer) fields.fail("the exchange has no answer yet");
    return { atMs, bytes: readBytes(fields) };
  }

  #readEnd(fields: Fields, atMs: number): RecordedEnd {
    const how = fields.get("end", RULES.ending);
    if (how === "whole" && !this.#answer) {
      fields.fail('an exchange without an answer cannot end as "whole"');
    }
    return { atMs, how, ...fields.optional("reason", RULES.text) };
  }
}

function readBytes(fields: Fields): Uint8Array<ArrayBuffer> {
  if (fields.has("text")) return new TextEncoder().encode(fields.get("text", RULES.text));
  const base64 = fields.get("base64", RULES.text);
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return fields.fail(`"base64" must be Base64, and it is ${show(base64)}`);
  }
}
