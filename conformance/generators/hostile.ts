/**
 * Generates lines that break a careless decoder.
 *
 * @module
 */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";

/**
 * Lines, without their newline, that break a careless decoder. About half are JSON; of those, about half are
 * objects. They include:
 *
 * - objects whose fields have the wrong type, or numbers that are negative, fractional or beyond what
 *   a double holds (`1e400`, 2^53);
 * - `__proto__` and `constructor` as keys, the same key twice, brackets nested up to 500 deep;
 * - JSON that is not an object: arrays, strings, numbers, `null`;
 * - text that is not JSON: pages of a proxy, plain text, objects cut short, two objects on a line, control
 *   characters, a byte order mark that is not at the start of the stream.
 */
export function hostileLines(): Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(
      '{"error":"max retries exceeded"',
      "<html><head><title>502 Bad Gateway</title></head></html>",
      "upstream connect error or disconnect/reset before headers",
      'data: {"status":"success"}',
      '{"status":"success"}{"status":"success"}',
      '{"status":"success"},',
      "{'status':'success'}",
      '{"status":NaN}',
      '{"status":"\t"}',
      '{"status":"\u0000"}',
      '\ufeff{"status":"success"}',
      " \u00a0",
      "\f",
      "nul",
      "-",
    ),
    fc.constantFrom(
      "null",
      "true",
      "0",
      "-0",
      "1e400",
      '"success"',
      "[]",
      '[{"status":"success"}]',
    ),
    hostileObjects(),
    fc.record({ depth: fc.integer({ min: 1, max: 500 }), open: fc.constantFrom("[", '{"a":') })
      .map(({ depth, open }) =>
        `{"status":${open.repeat(depth)}0${(open === "[" ? "]" : "}").repeat(depth)}}`
      ),
    fc.string({ unit: anyCharacter() }).map((text) => text.replaceAll("\n", " ")),
    fc.tuple(hostileObjects(), fc.nat()).map(([line, at]) => line.slice(0, at % line.length)),
  );
}

/** Any code point except lone surrogates. (fast-check's own `binary` takes a second to create.) */
function anyCharacter(): Arbitrary<string> {
  return fc.oneof(
    fc.integer({ min: 0, max: 0xff }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  ).map((codePoint) => String.fromCodePoint(codePoint));
}

/** Lines that are JSON objects whose fields have any value, of the right type or not. */
function hostileObjects(): Arbitrary<string> {
  const key = fc.constantFrom(
    ...[
      "status",
      "digest",
      "total",
      "completed",
      "error",
      "__proto__",
      "constructor",
      "kind",
      "extra",
    ],
  );
  const value = fc.constantFrom(
    ...["5", "0", "-1", "-0", "1.5", "1e400", "-1e400", "9007199254740992", "9007199254740991"],
    ...["null", "true", '""', '"5"', '"success"', '"sha256:aaaa"', "[]", "{}", '{"polluted":true}'],
    ...['"\\u0000"', '"\\ud83d"', '"\\u001b[2J"', '"\\u2028"'],
  );
  return fc.array(fc.tuple(key, value), { maxLength: 5 })
    .map((fields) => `{${fields.map(([key, value]) => `"${key}":${value}`).join(",")}}`);
}
