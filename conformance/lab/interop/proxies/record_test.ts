import { assertEquals, assertStringIncludes } from "@std/assert";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { isBroken } from "../../../report.ts";
import { type InteropRecord, reportsOf } from "../record.ts";
import { PROXIES } from "../shelves.ts";
import { allProxies, oneProxy } from "./mod.ts";
import { PROXY_RULES } from "./record.ts";

const readRecord = async (): Promise<InteropRecord> =>
  JSON.parse(await readFile(PROXIES.record, "utf8"));

describe("the record of proxies", () => {
  it("is of the rules and the configurations that there are", async () => {
    const { rules, entries } = await readRecord();
    assertEquals(rules, PROXY_RULES.map(({ id }) => id));
    assertEquals(entries.map(({ name }) => name), allProxies.map(({ name }) => name));
  });

  it("has the breaks that are known, with their reasons, and no others", async () => {
    const { entries } = await readRecord();
    const told = entries.map(({ breaks }) =>
      Object.fromEntries(breaks.map(({ id, because }) => [id, because]))
    );
    assertEquals(told, allProxies.map(({ breaks }) => ({ ...breaks })));
  });

  it("skips no rule, and breaks none for servers with the configurations that people copy", async () => {
    for (const { subject, results } of reportsOf(await readRecord(), PROXY_RULES)) {
      const skipped = results.filter(({ verdict }) => verdict === "skipped");
      assertEquals(skipped.map(({ id }) => id), [], subject.name);
      if (!subject.name.endsWith("(ours)")) continue;
      const broken = results.filter(isBroken).map(({ id }) => id);
      assertEquals(broken.filter((id) => id.startsWith("S-")), [], subject.name);
    }
  });
});

describe("the proxy that is run together with the implementations", () => {
  it("is one of them, with each of its configurations", () => {
    const names = oneProxy.map(({ name }) => name);
    assertEquals(allProxies.map(({ name }) => name).filter((name) => names.includes(name)), names);
    assertStringIncludes(names.join(), "nginx (ours)");
  });
});
