import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readdir, readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { lexer, type Tokens } from "marked";
import { join } from "node:path";
import type { Exchange } from "../../exchange.ts";
import { failure, report, result } from "../../reporters/test_helpers.ts";
import { driverPath } from "./driver.ts";
import { everySubject } from "./mod.ts";
import { type InteropRecord, recordOf, renderTables, RULES, updated, withMade } from "./record.ts";
import type { Subject } from "./subject.ts";

const readRecord = async (): Promise<InteropRecord> =>
  JSON.parse(await readFile(new URL("record.json", import.meta.url), "utf8"));
const readReadme = () => readFile(new URL("../../../README.md", import.meta.url), "utf8");

/** A client that keeps one rule, breaks another by some exchanges, and skips a third one. */
function outcomeOf(...exchanges: Exchange[]) {
  const broken = result("C-END-1", {
    verdict: "broken",
    level: "must",
    failure: failure({ exchanges }),
  });
  const results = [result("C-REQ-1"), broken, result("C-SUM-1", { verdict: "skipped" })];
  const subject = { breaks: { "C-END-1": "it does | not `look`" } } as unknown as Subject;
  return { subject, report: report(results, { subject: { name: "a|b", version: "1.2" } }) };
}

const CUT: Exchange = {
  request: "POST /api/pull {}",
  answer: { status: 200, contentType: null, chunks: ['{"a`b":1}\\n', "{"], ending: "reset" },
};

describe("the record", () => {
  it("counts what could be told, and has the last exchange of each break", () => {
    const [entry] = recordOf([outcomeOf({ request: "none" }, CUT)]).entries;
    assertEquals(entry?.scores.must, { kept: 1, tried: 2 });
    assertEquals(entry?.breaks.map(({ id, because, bytes }) => [id, because, bytes]), [
      ["C-END-1", "it does | not `look`", '{"a`b":1}\\n{ (the connection breaks)'],
    ]);
  });

  it("shortens bytes that are many, and tells a status that is not 200", () => {
    const chunks = [`{"status":"${"x".repeat(1_000)}"}\\n`];
    const answer = { status: 502, contentType: null, chunks, ending: "end" as const };
    const [entry] = recordOf([outcomeOf({ request: "", answer })]).entries;
    const [{ bytes = "" } = {}] = entry?.breaks ?? [];
    assertEquals(bytes.length < 200, true);
    assertStringIncludes(bytes, "HTTP 502 {");
    assertStringIncludes(bytes, "xxx … xxx");
  });

  it("becomes tables that hold any text", () => {
    const tables = lexer(renderTables(recordOf([outcomeOf(CUT)])))
      .filter((token) => token.type === "table");
    const cells = tables.flatMap((table) => (table as Tokens.Table).rows)
      .map((row) => row.map(({ text }) => text));
    assertEquals(cells, [
      ["a|b", "1.2", "1/2 of 8", "0/0 of 31", "0/0 of 11", "C-END-1"],
      [
        "a|b 1.2",
        "C-END-1 (must): The rule C-END-1 holds",
        "it does | not `look`",
        '``{"a`b":1}\\n{ (the connection breaks)``',
      ],
    ]);
  });

  it("keeps what it has about those that were not run, in the order of all", () => {
    const outcome = (name: string, version: string) => {
      const { subject, report } = outcomeOf(CUT);
      return { subject, report: { ...report, subject: { name, version } } };
    };
    const before = recordOf([
      outcome("a", "1"),
      outcome("gone", "1"),
      outcome("b", "1"),
      outcome("a", "0"),
      outcome("of this machine", "7"),
    ]);
    const subjects = [
      { name: "new", version: "2" },
      { name: "a", version: "1" },
      { name: "b", version: "2" },
      { name: "of this machine" },
      { name: "a", version: "0" },
    ] as Subject[];
    const { entries } = updated(
      before,
      recordOf([outcome("b", "2"), outcome("new", "2")]),
      subjects,
    );
    assertEquals(
      entries.map(({ name, version }) => `${name} ${version}`),
      ["new 2", "a 1", "b 2", "of this machine 7", "a 0"],
    );
  });

  it("wants a place for its tables", () => {
    assertThrows(
      () => withMade("# Nothing", renderTables(recordOf([]))),
      Error,
      "no place for the tables",
    );
  });

  it("is of the rules and the implementations that there are, at their versions", async () => {
    const { rules, entries } = await readRecord();
    assertEquals(rules, RULES);
    assertEquals(
      entries.map(({ side, name }) => [side, name]),
      everySubject.map(({ side, name }) => [side, name]),
    );
    for (const [index, { version }] of everySubject.entries()) {
      if (version !== undefined) assertEquals(entries[index]?.version, version);
    }
  });

  it("has the breaks that are known, with their reasons, and no others", async () => {
    const { entries } = await readRecord();
    const told = entries.map(({ breaks }) =>
      Object.fromEntries(breaks.map(({ id, because }) => [id, because]))
    );
    assertEquals(told, everySubject.map(({ breaks }) => ({ ...breaks })));
  });

  it("is what the tables in README.md are made of", async () => {
    const readme = await readReadme();
    assertEquals(readme, withMade(readme, renderTables(await readRecord())));
  });
});

describe("the versions of the clients", () => {
  /** The files of `drivers/` that pin versions, as one text. */
  async function pins(): Promise<string> {
    const files = ["go/go.mod", "java/pom.xml", "python/requirements.txt", "rust/Cargo.toml"];
    const more = [
      "java/pom.xml",
      "javascript/package.json",
      "python/requirements.txt",
      "rust/Cargo.toml",
    ];
    const texts = [...files, ...more.map((file) => `more/${file}`)]
      .map((file) => readFile(driverPath(file), "utf8"));
    const config = readFile(new URL("../../../deno.json", import.meta.url), "utf8");
    return (await Promise.all([...texts, config])).join("\n");
  }

  it("are those that are installed", async () => {
    const text = await pins();
    for (const { side, version } of everySubject) {
      if (side === "client" && version !== undefined) assertStringIncludes(text, version);
    }
  });

  it("are pinned without the address of a registry", async () => {
    for (const folder of await readdir(driverPath("."), { withFileTypes: true })) {
      if (!folder.isDirectory()) continue;
      for (const file of await readdir(driverPath(folder.name))) {
        assertEquals(/^(Cargo|package)-?lock/i.test(file), false, join(folder.name, file));
      }
    }
  });
});
