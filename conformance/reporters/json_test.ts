import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { jsonReport, parseReports } from "./json.ts";
import { HOSTILE_REPORT, ONE_OF_EACH, report } from "./test_helpers.ts";

describe("jsonReport", () => {
  it("is read back as it was", () => {
    const reports = [report(ONE_OF_EACH), HOSTILE_REPORT];
    assertEquals(parseReports(jsonReport(reports)), reports);
    assertEquals(parseReports(jsonReport([])), []);
  });

  it("is the report itself if there is one", () => {
    assertEquals(JSON.parse(jsonReport([HOSTILE_REPORT])), HOSTILE_REPORT);
  });
});

describe("parseReports", () => {
  it("says why a text is not a report", () => {
    assertThrows(() => parseReports('{"format":3,"results":[]}'), TypeError, "1 or 2, not 3");
    assertThrows(() => parseReports('[{"format":1}]'), TypeError, '"results" must be an array');
    assertThrows(() => parseReports("null"), TypeError, '"format" must be 1 or 2, not undefined');
    assertThrows(() => parseReports("{"), SyntaxError);
  });
});
