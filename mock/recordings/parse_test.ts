/**
 * Shows that what is wrong with a recording is told, and where.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ConfigurationError } from "../configuration_error.ts";
import { formatRecording } from "./format.ts";
import { parseRecording } from "./parse.ts";
import { exchangeOf, linesEvery, recordingOf } from "./test_helpers.ts";

const HEADER = '{"format":"ollama-pull-recording","version":1,' +
  '"recordedAt":"2026-11-29T15:00:00Z","recordedBy":"me"}';
const REQUEST = '{"exchange":1,"startedAtMs":0,"request":{"url":"/api/pull","body":{"model":"m"}}}';
const ANSWER = '{"exchange":1,"atMs":5,"answer":{"status":200,"contentType":null}}';
const END = '{"exchange":1,"atMs":9,"end":"whole"}';

/** Recordings with a mistake, and what is said of it. */
const MISTAKES: Readonly<Record<string, readonly [lines: readonly string[], problem: string]>> = {
  "nothing": [[], "it is empty"],
  "a stream": [
    ['{"status":"success"}'],
    'line 1: this is not a recording of a pull, which would begin with {"format":"ollama-pull-recording"',
  ],
  "text": [["Hello"], 'line 1 is not JSON: "Hello"'],
  "a number": [["5"], "line 1 must be an object, not 5"],
  "a newer version": [
    [HEADER.replace(":1,", ":2,")],
    "line 1: a newer version of this package made it, so update the package",
  ],
  "no version": [
    [HEADER.replace('"version":1,', "")],
    'line 1: "version" must be a whole number above 0, and it is missing',
  ],
  "no date": [
    [HEADER.replace("2026-", "")],
    'line 1: "recordedAt" must be a date such as 2026-11-29T15:00:00Z, and it is "11-29T15:00:00Z"',
  ],
  "layers that are none": [
    [HEADER.replace("}", ',"layers":[{"digest":"sha256:a"}]}')],
    'line 1: "layers" 0: "size" must be a whole number of bytes, and it is missing',
  ],
  "an exchange that begins in its middle": [
    [HEADER, ANSWER],
    "line 2: the request of exchange 1 must come before this",
  ],
  "exchanges out of order": [
    [HEADER, REQUEST.replace(":1,", ":2,")],
    "line 2: this must be exchange 1, not 2",
  ],
  "no number of an exchange": [[HEADER, "{}"], 'line 2: "exchange" must be a whole number above 0'],
  "two answers": [
    [HEADER, REQUEST, ANSWER, ANSWER],
    "line 4: the exchange already has an answer",
  ],
  "a body before the answer": [
    [HEADER, REQUEST, '{"exchange":1,"atMs":5,"text":""}'],
    "line 3: the exchange has no answer yet",
  ],
  "a whole end without an answer": [
    [HEADER, REQUEST, END],
    'line 3: an exchange without an answer cannot end as "whole"',
  ],
  "something after the end": [
    [HEADER, REQUEST, ANSWER, END, END],
    "line 5: the exchange has already ended",
  ],
  "an unknown end": [
    [HEADER, REQUEST, ANSWER, END.replace("whole", "lost")],
    'line 4: "end" must be "whole", "broken" or "left", and it is "lost"',
  ],
  "a time that goes back": [
    [HEADER, REQUEST, ANSWER, END.replace("9", "4")],
    'line 4: "atMs" must not be less than the previous one, 5, and it is 4',
  ],
  "no time": [
    [HEADER, REQUEST, ANSWER.replace('"atMs":5,', "")],
    'line 3: "atMs" must be a number of milliseconds, 0 or more, and it is missing',
  ],
  "a status that no answer has": [
    [HEADER, REQUEST, ANSWER.replace("200", "101")],
    'line 3: "answer": "status" must be a whole number from 200 to 599, and it is 101',
  ],
  "a header that cannot be sent": [
    [HEADER, REQUEST, ANSWER.replace("null", '"a\\nb"')],
    'line 3: "answer": "contentType" must be a value that HTTP allows, or null, and it is "a\\nb"',
  ],
  "a line that is nothing": [
    [HEADER, REQUEST, ANSWER, '{"exchange":1,"atMs":5}'],
    'line 4: it must have one of "request", "answer", "text", "base64" and "end"',
  ],
  "text that has no bytes": [
    [HEADER, REQUEST, ANSWER, '{"exchange":1,"atMs":5,"text":"\\ud800"}'],
    'line 4: "text" must be a string of valid Unicode',
  ],
  "Base64 that is none": [
    [HEADER, REQUEST, ANSWER, '{"exchange":1,"atMs":5,"base64":"é"}'],
    'line 4: "base64" must be Base64, and it is "é"',
  ],
};

describe("parseRecording", () => {
  for (const [name, [lines, problem]] of Object.entries(MISTAKES)) {
    it(`says what is wrong, and where: ${name}`, () => {
      assertThrows(
        () => parseRecording(lines.map((line) => `${line}\n`).join("")),
        ConfigurationError,
        `Cannot read the recording: ${problem}`,
      );
    });
  }

  it("reads fields that it does not know over", () => {
    const lines = [HEADER, REQUEST, ANSWER, END].map((line) =>
      line.replace("{", '{"new":{"a":1},')
    );
    const { exchanges } = parseRecording(lines.join("\n"));
    assertEquals(exchanges.map(({ end }) => end), [{ atMs: 9, how: "whole" }]);
  });

  it("takes an exchange without an end for one whose client has left", () => {
    const { exchanges } = parseRecording([HEADER, REQUEST, ANSWER].join("\n"));
    assertEquals(exchanges.map(({ end }) => end), [{ atMs: 5, how: "left" }]);
  });

  it("reads, or refuses in words of its own, what is left of a recording that was cut anywhere", () => {
    const whole = formatRecording(recordingOf(exchangeOf(linesEvery(5, { status: "success" }))));
    fc.assert(fc.property(fc.nat({ max: whole.length }), (length) => {
      try {
        parseRecording(whole.slice(0, length));
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
      }
    }));
    assertThrows(
      () => parseRecording(whole.slice(0, -5)),
      ConfigurationError,
      "line 5 is incomplete, probably because the recorder was killed; delete it",
    );
  });
});
