import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { GoJsonError, parseGoJson, readFields } from "./decode.ts";

const TYPES = {
  model: "string",
  name: "string",
  insecure: "bool",
  stream: "bool",
  username: "string",
  password: "string",
} as const;

/** Reads a text as the body of a pull. */
function read(text: string): Record<string, unknown> {
  return readFields(parseGoJson(text), "PullRequest", TYPES);
}

/** What the real server says of bodies: asked of its own code, in Go 1.26. */
const REFUSED: readonly [body: string, message: string][] = [
  ["5", "json: cannot unmarshal number into Go value of type api.PullRequest"],
  ["\u0000", "invalid character '\\x00' looking for beginning of value"],
  ['"\\', "unexpected EOF"],
  ['"abc', "unexpected EOF"],
  ['"x"', "json: cannot unmarshal string into Go value of type api.PullRequest"],
  ["+1", "invalid character '+' looking for beginning of value"],
  [",", "invalid character ',' looking for beginning of value"],
  ["-", "unexpected EOF"],
  ["-x", "invalid character 'x' in numeric literal"],
  [".5", "invalid character '.' looking for beginning of value"],
  ["01", "json: cannot unmarshal number into Go value of type api.PullRequest"],
  ["1.", "unexpected EOF"],
  ["1.e", "invalid character 'e' after decimal point in numeric literal"],
  ["1e", "unexpected EOF"],
  ["1e+", "unexpected EOF"],
  [":", "invalid character ':' looking for beginning of value"],
  ["<html>", "invalid character '<' looking for beginning of value"],
  ['["a"}', "invalid character '}' after array element"],
  ["[1 2]", "invalid character '2' after array element"],
  ["[1,]", "invalid character ']' looking for beginning of value"],
  ["[]", "json: cannot unmarshal array into Go value of type api.PullRequest"],
  ["]", "invalid character ']' looking for beginning of value"],
  ["not json", "invalid character 'o' in literal null (expecting 'u')"],
  ["nul", "unexpected EOF"],
  ["nulx", "invalid character 'x' in literal null (expecting 'l')"],
  ["tru", "unexpected EOF"],
  ["truX", "invalid character 'X' in literal true (expecting 'e')"],
  ["true", "json: cannot unmarshal bool into Go value of type api.PullRequest"],
  ["{", "unexpected EOF"],
  ['{"a":"b"]', "invalid character ']' after object key:value pair"],
  ['{"a":\'}', "invalid character '\\'' looking for beginning of value"],
  ['{"a":-}', "invalid character '}' in numeric literal"],
  ['{"a":1 b}', "invalid character 'b' after object key:value pair"],
  ['{"a":1,2}', "invalid character '2' looking for beginning of object key string"],
  ['{"a":1.x}', "invalid character 'x' after decimal point in numeric literal"],
  ['{"a":1ex}', "invalid character 'x' in exponent of numeric literal"],
  ['{"a":[1,2,{"b":nul}]}', "invalid character '}' in literal null (expecting 'l')"],
  ['{"a":falsy}', "invalid character 'y' in literal false (expecting 'e')"],
  ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
  ['{"a":\u00a0}', "invalid character 'Â' looking for beginning of value"],
  [
    '{"insecure":"yes"}',
    "json: cannot unmarshal string into Go struct field PullRequest.insecure of type bool",
  ],
  [
    '{"insecure":0}',
    "json: cannot unmarshal number into Go struct field PullRequest.insecure of type bool",
  ],
  ['{"mod', "unexpected EOF"],
  ['{"model"', "unexpected EOF"],
  ['{"model" "x"}', "invalid character '\"' after object key"],
  ['{"model":', "unexpected EOF"],
  ['{"model":"\\u12G4"}', "invalid character 'G' in \\u hexadecimal character escape"],
  ['{"model":"\\x"}', "invalid character 'x' in string escape code"],
  ['{"model":"a\u0001"}', "invalid character '\\x01' in string literal"],
  ['{"model":"a\nb"}', "invalid character '\\n' in string literal"],
  ['{"model":"x', "unexpected EOF"],
  ['{"model":"x"', "unexpected EOF"],
  ['{"model":"x" "y"}', "invalid character '\"' after object key:value pair"],
  ['{"model":"x","stream":false]', "invalid character ']' after object key:value pair"],
  ['{"model":"x",}', "invalid character '}' looking for beginning of object key string"],
  ['{"model":01}', "invalid character '1' after object key:value pair"],
  [
    '{"model":1,"stream":2}',
    "json: cannot unmarshal number into Go struct field PullRequest.model of type string",
  ],
  [
    '{"model":1.5}',
    "json: cannot unmarshal number into Go struct field PullRequest.model of type string",
  ],
  [
    '{"model":5}',
    "json: cannot unmarshal number into Go struct field PullRequest.model of type string",
  ],
  [
    '{"model":[]}',
    "json: cannot unmarshal array into Go struct field PullRequest.model of type string",
  ],
  [
    '{"model":true}',
    "json: cannot unmarshal bool into Go struct field PullRequest.model of type string",
  ],
  [
    '{"model":{}}',
    "json: cannot unmarshal object into Go struct field PullRequest.model of type string",
  ],
  [
    '{"name":5}',
    "json: cannot unmarshal number into Go struct field PullRequest.name of type string",
  ],
  [
    '{"password":false,"model":"x"}',
    "json: cannot unmarshal bool into Go struct field PullRequest.password of type string",
  ],
  [
    '{"stream":"no","model":"x"}',
    "json: cannot unmarshal string into Go struct field PullRequest.stream of type bool",
  ],
  [
    '{"stream":1}',
    "json: cannot unmarshal number into Go struct field PullRequest.stream of type bool",
  ],
  [
    '{"username":5,"model":"x"}',
    "json: cannot unmarshal number into Go struct field PullRequest.username of type string",
  ],
  ["{'model':'x'}", "invalid character '\\'' looking for beginning of object key string"],
  ["{1:2}", "invalid character '1' looking for beginning of object key string"],
  ['{model:"x"}', "invalid character 'm' looking for beginning of object key string"],
  ["}", "invalid character '}' looking for beginning of value"],
  ["\u007f", "invalid character '\\x7f' looking for beginning of value"],
  ["é", "invalid character 'Ã' looking for beginning of value"],
  ['\ufeff{"model":"x"}', "invalid character 'ï' looking for beginning of value"],
];

/** What the real server takes bodies for, less what is empty. */
const READ: readonly [body: string, fields: Record<string, unknown>][] = [
  ["null", {}],
  ['{"MODEL":"tiny"}', { "model": "tiny" }],
  ['{"Model":"a","model":"b"}', { "model": "b" }],
  ['{"STREAM":false,"model":"x"}', { "model": "x", "stream": false }],
  ['{"__proto__":"x","constructor":5,"toString":true,"model":"x"}', { "model": "x" }],
  ['{"__proto__":{"model":"x"}}', {}],
  ['{"a" :\n\t1 }x', {}],
  ['{"a":1,"a":2}', {}],
  ['{"model":""}', {}],
  ['{"model":"\\ud800"}', { "model": "�" }],
  ['{"model":"b","Model":"a"}', { "model": "a" }],
  ['{"model":"x"}\u0000', { "model": "x" }],
  ['{"model":"x"} trailing', { "model": "x" }],
  ['{"model":"x"}]', { "model": "x" }],
  ['{"model":"x"}{"model":"y"}', { "model": "x" }],
  ['{"model":null}', {}],
  ['{"name":"x","model":""}', { "name": "x" }],
  ['{"stream":null,"model":"x"}', { "model": "x" }],
  ["{}", {}],
];

describe("JSON as Go reads it", () => {
  it("is refused with Go's words", () => {
    for (const [body, message] of REFUSED) {
      assertThrows(() => read(body), GoJsonError, message, body);
      assertStrictEquals(messageOf(body), message, body);
    }
  });

  it("is read where Go reads it", () => {
    for (const [body, fields] of READ) {
      const given = Object.entries(read(body)).filter(([, value]) => value !== "");
      assertEquals(Object.fromEntries(given), fields, body);
    }
  });

  it("is nothing where there is only white space", () => {
    assertStrictEquals(parseGoJson(""), undefined);
    assertStrictEquals(parseGoJson(" \r\n\t"), undefined);
  });

  it("is not nested deeper than Go allows", () => {
    const nested = (depth: number) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    assertEquals(read(nested(9_999)), {});
    assertStrictEquals(messageOf(nested(10_000)), "invalid character '[' exceeded max depth");
    assertStrictEquals(
      messageOf("[".repeat(1_000_000)),
      "invalid character '[' exceeded max depth",
    );
  });

  it("is what JSON.parse takes it for", () => {
    fc.assert(fc.property(fc.json(), fc.string(), (json, rest) => {
      assertEquals(parseGoJson(json), JSON.parse(json));
      // What comes after the first value does not count.
      assertEquals(parseGoJson(`${json} ${rest}`), JSON.parse(json));
    }));
  });

  it("is not refused where JSON.parse reads it", () => {
    const almost = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 })).map(
      ([json, at, put]) => {
        const cut = at % (json.length + 1);
        return json.slice(0, cut) + put + json.slice(cut + 1);
      },
    );
    fc.assert(fc.property(almost, (text) => {
      const read = attempt(() => parseGoJson(text));
      if (read.ok) return; // Go may stop before what is wrong
      assertInstanceOf(read.error, GoJsonError);
      assertThrows(() => JSON.parse(text), SyntaxError);
    }));
  });
});

function messageOf(body: string): string {
  const result = attempt(() => read(body));
  return result.ok ? "no error" : (result.error as Error).message;
}

type Attempt = { ok: true; value: unknown } | { ok: false; error: unknown };

function attempt(work: () => unknown): Attempt {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, error };
  }
}
