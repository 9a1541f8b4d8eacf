import { DOMParser, type Element } from "@xmldom/xmldom";
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { htmlReport } from "./html.ts";
import { failure, HOSTILE_REPORT, ONE_OF_EACH, report, result } from "./test_helpers.ts";

/** The page as a browser sees it. The parser knows attributes without a value from HTML only. */
function parse(page: string): Element {
  return new DOMParser({
    onError(level, message) {
      if (level !== "warning") throw new Error(`${level}: ${message}`);
    },
  }).parseFromString(page, "text/html").documentElement!;
}

function all(element: Element, tag: string, className = ""): Element[] {
  return Array.from(element.getElementsByTagName(tag)).filter((found) =>
    className === "" || found.getAttribute("class")?.split(" ").includes(className)
  );
}

const PAGE = htmlReport([
  report(ONE_OF_EACH),
  report(ONE_OF_EACH.slice(0, 2), { runtime: "Bun 1.4.5" }),
  report([result("C-REQ-1")]),
]);

describe("htmlReport", () => {
  it("is a table of rules by implementations for each side", () => {
    const [servers, clients] = all(parse(PAGE), "table");
    assertEquals(all(all(servers!, "thead")[0]!, "th").length, 3);
    const rows = all(servers!, "tr").filter((row) => all(row, "td").length > 0);
    assertEquals(
      rows.map((row) => all(row, "span", "word").map((word) => word.textContent)),
      [["kept", "kept"], ["broken", "broken"], ["hung"], ["skipped"]],
    );
    assertEquals(all(rows[2]!, "span", "missing").length, 1);
    assertEquals(all(clients!, "td").length, 1);
  });

  it("opens what was found from each cell that is not kept", () => {
    const page = parse(PAGE);
    const panels = all(page, "article");
    const ids = panels.map((panel) => panel.getAttribute("id"));
    assertEquals(new Set(ids).size, ids.length);
    const targets = all(page, "button", "mark").map((mark) => mark.getAttribute("popovertarget"));
    assertEquals(targets, ids);
    const [broken, , hung, skipped] = panels.map((panel) => panel.textContent!);
    for (
      const part of [
        "a last line with success",
        "a stream that breaks off",
        '{"status":"ver',
        "the connection breaks here",
        "Found after 4 inputs, shrunk 2 times",
        "conformance server --rule S-SEQ-2 --seed -42 --path 3:0:1",
      ]
    ) assertStringIncludes(broken!, part);
    assertStringIncludes(hung!, "the answer to end within 10 s");
    assertStringIncludes(skipped!, "The kit cannot see it");
  });

  it("tells what was not seen, and what breaks only because of something else", () => {
    const page = parse(htmlReport([
      report([
        result("S-SEQ-3", { verdict: "broken" }),
        result("S-REQ-1", { verdict: "broken", because: "S-SEQ-3" }),
        result("S-DOWN-2", { verdict: "not seen" }),
        result("S-DOWN-3", { conclusive: 40 }),
      ]),
    ]));
    const [, dependent, unseen] = all(page, "article").map((panel) => panel.textContent!);
    assertStringIncludes(dependent!, "Broken only because S-SEQ-3 is broken.");
    assertStringIncludes(unseen!, "No input showed it");
    assertEquals(all(page, "button", "dependent").length, 1);
    assertEquals(all(page, "button", "not-seen").length, 1);
    const [kept] = all(page, "span", "kept").map((mark) => mark.getAttribute("title"));
    assertEquals(kept, "40 of 100 inputs showed what it is about");
  });

  it("has no ✓ for an implementation of which something was not seen", () => {
    const page = parse(
      htmlReport([report([result("S-SEQ-1"), result("S-SEQ-2", { verdict: "not seen" })])]),
    );
    const [conclusion] = all(page, "p", "conclusion").map((line) => line.textContent);
    assertEquals(conclusion, "? breaks no rule that was seen, but 1 rule was not seen");
  });

  it("counts the verdicts of each implementation by level", () => {
    const cards = all(parse(PAGE), "li", "card").map((card) =>
      card.textContent!.replace(/\s+/g, " ").trim()
    );
    assertEquals(cards.length, 3);
    assertStringIncludes(
      cards[0]!,
      "1 mock 0.1.0 kit on Deno 2.9.6 ✗ breaks 2 rules, 1 required by the spec",
    );
    assertStringIncludes(cards[0]!, "should0/01 skipped");
    assertStringIncludes(cards[0]!, "1 kept, 1 broken");
    assertStringIncludes(cards[2]!, "✓ breaks no rule that was tried");
  });

  it("counts what was not seen apart", () => {
    const results = [result("S-SEQ-1"), result("S-SEQ-2", { verdict: "not seen" })];
    const [bars] = all(parse(htmlReport([report(results)])), "dl", "bars");
    const [bar] = all(bars!, "dd");
    assertEquals(bar!.textContent, "1/11 not seen1 kept, 1 not seen");
  });

  it("says at the head what goes for all reports, and once", () => {
    const lines = (page: string) =>
      all(parse(page), "header", "page-head").map((head) => head.textContent)[0]!;
    const page = htmlReport([report(ONE_OF_EACH)], { about: "Of `this` & that" });
    assertStringIncludes(lines(page), "Of this & that");
    assertStringIncludes(lines(page), "Tested by the kit on Deno 2.9.6.");
    assertEquals(parse(page).getElementsByTagName("body")[0]!.getAttribute("class"), "one-runtime");
    assertEquals(lines(PAGE).includes("Tested by"), false);
  });

  it("has the reason of a break, and no count that is not known", () => {
    const unknown = failure({ foundAfter: 0 });
    const page = parse(htmlReport([
      report([
        result("S-SEQ-1", { runs: 0, conclusive: undefined }),
        result("S-SEQ-2", { verdict: "broken", reason: "It `forgets`", failure: unknown }),
      ]),
    ]));
    const [panel] = all(page, "article").map((found) => found.textContent!);
    assertStringIncludes(panel!, "It forgets");
    assertStringIncludes(panel!, "a stream that breaks off");
    assertEquals(panel!.includes("Found after"), false);
    assertEquals(all(page, "span", "kept").map((mark) => mark.getAttribute("title")), ["kept"]);
  });

  it("stands alone: no script, and nothing from elsewhere", () => {
    const page = parse(PAGE);
    for (const tag of ["script", "link", "img", "iframe", "object"]) {
      assertEquals(all(page, tag).length, 0, tag);
    }
    assertEquals(/(?:https?:)?\/\/\w|@import|url\(/.test(PAGE), false);
    assertStringIncludes(PAGE, "default-src &#39;none&#39;");
  });

  it("takes no markup from texts", () => {
    const page = htmlReport([HOSTILE_REPORT]);
    assertEquals(all(parse(page), "b").every((element) => !element.hasAttribute("onload")), true);
    assertEquals(/<\/script|<b onload/.test(page), false);
    assertEquals(/[^\P{C}\n]/u.test(page), false);
  });

  it("is a page without reports, too", () => {
    assert(htmlReport([]).startsWith("<!DOCTYPE html>\n<html"));
  });
});
