import { assertEquals, assertStringIncludes } from "@std/assert";
import { readdir, readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { join } from "node:path";
import type { Exchange } from "../../exchange.ts";
import { tally } from "../../report.ts";
import { report, result } from "../../reporters/test_helpers.ts";
import { driverPath } from "./driver.ts";
import { everySubject } from "./mod.ts";
import { type InteropRecord, recordOf, reportOf, reportsOf, RULES, updated } from "./record.ts";
import { IMPLEMENTATIONS } from "./shelves.ts";
import type { Subject } from "./subject.ts";
import { CUT, outcomeOf } from "./test_helpers.ts";

const readRecord = async (): Promise<InteropRecord> =>
  JSON.parse(await readFile(IMPLEMENTATIONS.record, "utf8"));

/** The only break of an outcome with some exchanges. */
function breakOf(...exchanges: Exchange[]) {
  return recordOf([outcomeOf(...exchanges)]).entries[0]!.breaks[0]!;
}

/** An answer of some chunks. */
function answered(...chunks: string[]): Exchange {
  return { request: "", answer: { status: 502, contentType: null, chunks, ending: "end" } };
}

describe("the record", () => {
  it("keeps the verdict of every rule", () => {
    const verdicts = ["kept", "broken", "hung", "not seen", "skipped"] as const;
    const found = RULES.filter(({ side }) => side === "client").map(({ id, level }, index) =>
      result(id, { level, verdict: verdicts[index % verdicts.length]! })
    );
    const { subject } = outcomeOf(CUT);
    const [entry] = recordOf([{ subject, report: report(found) }]).entries;
    const { results } = reportOf(entry!);
    assertEquals(
      results.map(({ id, level, verdict }) => ({ id, level, verdict })),
      found.map(({ id, level, verdict }) => ({ id, level, verdict })),
    );
    assertEquals(tally(results), tally(found));
  });

  it("names no rule that is kept", () => {
    const { subject } = outcomeOf(CUT);
    const found = report([result("C-REQ-1"), result("C-REQ-2")]);
    const text = JSON.stringify(recordOf([{ subject, report: found }]).entries);
    assertEquals(text.includes("C-REQ"), false);
  });

  it("has the reason of a break, what breaks with it, and the last exchange", () => {
    const { because, cause, exchange } = breakOf({ request: "none" }, CUT);
    assertEquals({ because, cause, exchange }, {
      because: "it does | not `look`",
      cause: "C-REQ-1",
      exchange: CUT,
    });
  });

  it("shortens bytes that are many, chunks that are many, and what is repeated", () => {
    const shown = (...chunks: string[]) => breakOf(answered(...chunks)).exchange?.answer?.chunks;
    const digest = "0123456789ab".padEnd(64, "c");
    assertEquals(shown(`"sha256:${digest}"`, " ".repeat(99)), [
      '"sha256:0123456789ab…"',
      `${" ".repeat(12)}…`,
    ]);
    const [long = ""] = shown("start, " + "ab".repeat(1_000) + ", end") ?? [];
    assertEquals([long.length < 500, long.slice(0, 7), long.slice(-5)], [true, "start, ", ", end"]);
    const many = shown(...Array.from({ length: 40 }, (_, index) => String(index))) ?? [];
    assertEquals([many.length, many[0], many.includes("…"), many.at(-1)], [12, "0", true, "39"]);
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

  it("does not count a rule as kept by subjects that ran before it existed", () => {
    const { subject, report } = outcomeOf(CUT);
    const [rule] = RULES.filter(({ side }) => side === "client");
    const before = recordOf([{ subject, report }], RULES.filter((each) => each !== rule));
    const again = updated(before, recordOf([]), [{ name: "a|b", version: "1.2" } as Subject]);
    assertEquals(reportsOf(again)[0]!.results.some(({ id }) => id === rule!.id), false);
    assertEquals(reportsOf(before)[0]!.results.some(({ id }) => id === rule!.id), true);
  });

  it("is of the rules and the implementations that there are, at their versions", async () => {
    const { rules, entries } = await readRecord();
    assertEquals(rules, RULES.map(({ id }) => id));
    assertEquals(
      entries.map(({ side, name }) => [side, name]),
      everySubject.map(({ side, name }) => [side, name]),
    );
    for (const [index, { version, isOurs }] of everySubject.entries()) {
      assertEquals(entries[index]?.isOurs, isOurs);
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
