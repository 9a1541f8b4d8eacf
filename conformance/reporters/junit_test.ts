import { DOMParser, type Element } from "@xmldom/xmldom";
import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { junitReport } from "./junit.ts";
import { HOSTILE_REPORT, ONE_OF_EACH, report, result } from "./test_helpers.ts";

function parse(xml: string): Element {
  const onError = (level: string, message: string) => {
    throw new Error(`${level}: ${message}`);
  };
  return new DOMParser({ onError }).parseFromString(xml, "text/xml").documentElement!;
}

function all(element: Element, tag: string): Element[] {
  return Array.from(element.getElementsByTagName(tag));
}

function countsOf(element: Element): (string | null)[] {
  return ["tests", "failures", "errors", "skipped"].map((name) => element.getAttribute(name));
}

describe("junitReport", () => {
  it("is a test suite for each report and a test case for each rule", () => {
    const root = parse(junitReport([
      report(ONE_OF_EACH),
      report(ONE_OF_EACH.slice(0, 1), { subject: { name: "other" } }),
    ]));
    assertEquals(root.tagName, "testsuites");
    assertEquals(countsOf(root), ["5", "2", "0", "1"]);
    assertEquals(all(root, "testsuite").map((suite) => suite.getAttribute("name")), [
      "server mock 0.1.0 (kit on Deno 2.9.6)",
      "server other (kit on Deno 2.9.6)",
    ]);
    assertEquals(countsOf(all(root, "testsuite")[0]!), ["4", "2", "0", "1"]);
    const [first] = all(root, "testcase");
    assertEquals(first!.getAttribute("classname"), "conformance.server.SEQ");
    assertEquals(first!.getAttribute("name"), "S-SEQ-1 The rule S-SEQ-1 holds (must)");
  });

  it("reports failures and what was skipped", () => {
    const root = parse(junitReport([report(ONE_OF_EACH)]));
    const [broken, hung] = all(root, "failure");
    assertEquals(
      broken!.getAttribute("message"),
      "broken: expected a last line with `success`, saw a stream that breaks off",
    );
    assertEquals(broken!.getAttribute("type"), "must");
    assertStringIncludes(broken!.textContent!, '2 │ {"status":"ver\n');
    assertEquals(hung!.getAttribute("type"), "observed");
    const [skipped] = all(root, "skipped");
    assertEquals(skipped!.getAttribute("message"), "The kit cannot see it");
  });

  it("fails by what counts alone, and keeps what else was found", () => {
    const unseen = result("S-SEQ-9", { verdict: "not seen" });
    const gate = { known: ["S-SEQ-2"], mayBeUnseen: [] };
    const root = parse(junitReport([report([...ONE_OF_EACH, unseen])], { gate }));
    assertEquals(countsOf(root), ["5", "2", "0", "2"]);
    const [, second] = all(root, "failure").map((failure) => failure.getAttribute("message"));
    assertEquals(second, "not seen: No input showed it");
    const [known] = all(root, "skipped");
    assertStringIncludes(known!.getAttribute("message")!, "(it is known)");
    assertStringIncludes(all(root, "system-out")[0]!.textContent!, '2 │ {"status":"ver\n');
  });

  it("is XML, whatever bytes the texts have", () => {
    const xml = junitReport([HOSTILE_REPORT]);
    assertEquals(/[^\n\x20-\ud7ff\ue000-\ufffd]/.test(xml), false);
    const root = parse(xml);
    assertEquals(all(root, "testcase").length, 4);
    assertEquals(all(root, "b").length, 0);
    assertStringIncludes(all(root, "failure")[0]!.textContent!, "</script><b onload='x'>\\x1b[2J");
  });
});
