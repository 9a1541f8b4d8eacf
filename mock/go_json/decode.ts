/**
 * Reads JSON as the real server, which is written in Go, does: only the first value of a text, with the same
 * limits and the same error messages.
 *
 * @module
 */

import { escapeUnits } from "../../src/text.ts";

/** The types of a struct's fields, by lower-case field name. */
export type FieldTypes = Readonly<Record<string, "string" | "bool">>;

/** Go would reject the text. The message is Go's. */
export class GoJsonError extends Error {
  /** Always `"GoJsonError"`. */
  override readonly name = "GoJsonError";
}

/**
 * The first value of a text, or `undefined` if it contains none.
 *
 * @throws {GoJsonError} If it is not JSON.
 */
export function parseGoJson(text: string): unknown {
  const start = text.search(/[^ \t\r\n]/);
  if (start === -1) return undefined;
  return JSON.parse(text.slice(start, new Scanner(text, start).endOfValue()));
}

/**
 * The fields of a struct that a value contains. Unknown fields are left out, and so are fields that are
 * `null`.
 *
 * @throws {GoJsonError} If the value is not an object, or a field has the wrong type.
 */
export function readFields(
  value: unknown,
  struct: string,
  types: FieldTypes,
): Record<string, unknown> {
  if (value === null) return {};
  if (goType(value) !== "object") {
    const target = `Go value of type api.${struct}`;
    throw new GoJsonError(`json: cannot unmarshal ${goType(value)} into ${target}`);
  }
  const fields: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value as object)) {
    const name = key.toLowerCase(); // Go ignores case in field names
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type === undefined || field === null) continue;
    if (goType(field) !== type) {
      const target = `Go struct field ${struct}.${name} of type ${type}`;
      throw new GoJsonError(`json: cannot unmarshal ${goType(field)} into ${target}`);
    }
    fields[name] = typeof field === "string" ? field.toWellFormed() : field;
  }
  return fields;
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

const MAX_DEPTH = 10_000;

/** Finds the end of the first value of a text, without recursion, because the text may be deeply nested. */
class Scanner {
  readonly #text: string;
  #at: number;
  /** The open brackets. */
  readonly #open: ("{" | "[")[] = [];

  constructor(text: string, start: number) {
    this.#text = text;
    this.#at = start;
  }

  endOfValue(): number {
    let isValueNext = true;
    do {
      isValueNext = isValueNext ? this.#beginValue() : this.#continueAfterValue();
    } while (isValueNext || this.#open.length > 0);
    return this.#at;
  }

  /** Reads a value, or the start of an array or object. Returns whether a value inside it is next. */
  #beginValue(): boolean {
    const character = this.#peek();
    switch (character) {
      case "{":
        this.#openBracket(character);
        if (this.#peek() === "}") return this.#closeBracket();
        return this.#readKey();
      case "[":
        this.#openBracket(character);
        return this.#peek() === "]" ? this.#closeBracket() : true;
      case '"':
        return this.#readString();
      case "t":
        return this.#readLiteral("true");
      case "f":
        return this.#readLiteral("false");
      case "n":
        return this.#readLiteral("null");
      default:
        if (character === "-" || isDigit(character)) return this.#readNumber();
        throw this.#unexpected("looking for beginning of value");
    }
  }

  /** Reads what follows a value in an array or object. Returns whether another value follows. */
  #continueAfterValue(): boolean {
    const character = this.#peek();
    if (this.#open.at(-1) === "{") {
      if (character === "}") return this.#closeBracket();
      if (character !== ",") throw this.#unexpected("after object key:value pair");
      this.#at++;
      return this.#readKey();
    }
    if (character === "]") return this.#closeBracket();
    if (character !== ",") throw this.#unexpected("after array element");
    this.#at++;
    return true;
  }

  #openBracket(bracket: "{" | "["): void {
    this.#open.push(bracket);
    if (this.#open.length > MAX_DEPTH) throw this.#unexpected("exceeded max depth");
    this.#at++;
  }

  #closeBracket(): false {
    this.#open.pop();
    this.#at++;
    return false;
  }

  #readKey(): true {
    if (this.#peek() !== '"') throw this.#unexpected("looking for beginning of object key string");
    this.#readString();
    if (this.#peek() !== ":") throw this.#unexpected("after object key");
    this.#at++;
    return true;
  }

  #readString(): false {
    this.#at++;
    for (;;) {
      this.#skip(/[ !#-[\]-\uffff]*/y);
      const character = this.#current();
      if (character !== '"' && character !== "\\") throw this.#unexpected("in string literal");
      this.#at++;
      if (character === '"') return false;
      this.#readEscape();
    }
  }

  #readEscape(): void {
    if (this.#current() !== "u") return this.#expect(/["\\/bfnrt]/, "in string escape code");
    this.#at++;
    for (let digits = 0; digits < 4; digits++) {
      this.#expect(/[0-9A-Fa-f]/, "in \\u hexadecimal character escape");
    }
  }

  #readNumber(): false {
    if (this.#text[this.#at] === "-") this.#at++;
    if (this.#current() === "0") this.#at++;
    else this.#readDigits("in numeric literal");
    if (this.#text[this.#at] === ".") {
      this.#at++;
      this.#readDigits("after decimal point in numeric literal");
    }
    if (/[eE]/.test(this.#text[this.#at] ?? "")) {
      this.#at++;
      this.#skip(/[+-]?/y);
      this.#readDigits("in exponent of numeric literal");
    }
    return false;
  }

  #readDigits(where: string): void {
    this.#expect(/\d/, where);
    this.#skip(/\d*/y);
  }

  #readLiteral(literal: string): false {
    for (const expected of literal) {
      if (this.#current() !== expected) {
        throw this.#unexpected(`in literal ${literal} (expecting '${expected}')`);
      }
      this.#at++;
    }
    return false;
  }

  #expect(allowed: RegExp, where: string): void {
    if (!allowed.test(this.#current())) throw this.#unexpected(where);
    this.#at++;
  }

  /** Skips the match of a sticky expression. */
  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex;
  }

  /** Moves to the next character that is not white space. */
  #peek(): string {
    this.#skip(/[ \t\r\n]*/y);
    return this.#current();
  }

  /** The current character. */
  #current(): string {
    const character = this.#text[this.#at];
    if (character === undefined) throw new GoJsonError("unexpected EOF");
    return character;
  }

  #unexpected(where: string): GoJsonError {
    const quoted = quoteByte(this.#text.slice(this.#at, this.#at + 2));
    return new GoJsonError(`invalid character ${quoted} ${where}`);
  }
}

function isDigit(character: string): boolean {
  return /^\d$/.test(character);
}

/** The first byte of a text, quoted as Go shows it: Go reads the byte as a Latin-1 character. */
function quoteByte(text: string): string {
  const byte = new TextEncoder().encode(text)[0] ?? 0;
  const character = String.fromCharCode(byte);
  const hex = byte.toString(16);
  if (character === "'") return "'\\''";
  if (character === "\\") return "'\\\\'";
  if (byte < 0x20) return `'${CONTROL_NAMES[character] ?? `\\x${hex.padStart(2, "0")}`}'`;
  if (byte === 0x7f) return "'\\x7f'";
  return byte > 0x7f && byte < 0xa1 ? `'${escapeUnits(character)}'` : `'${character}'`;
}

/** Go's names of control characters. */
export const CONTROL_NAMES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};
