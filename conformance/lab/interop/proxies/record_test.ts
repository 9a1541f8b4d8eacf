import { assertEquals, assertStringIncludes } from "@std/assert";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { type InteropRecord, withMade } from "../record.ts";
import { allProxies, oneProxy } from "./mod.ts";
import { PROXY_RULES, renderProxyTables } from "./record.ts";

const readRecord = async (): Promise<InteropRecord> =>
  JSON.parse(await readFile(new URL("record.json", import.meta.url), "utf8"));

describe("the record of proxies", () => {
  it("is of the rules and the configurations that there are", async () => {
    const { rules, entries } = await readRecord();
    assertEquals(rules, PROXY_RULES);
    assertEquals(entries.map(({ name }) => name), allProxies.map(({ name }) => name));
  });

  it("has the breaks that are known, with their reasons, and no others", async () => {
    const { entries } = await readRecord();
    const told = entries.map(({ breaks }) =>
      Object.fromEntries(breaks.map(({ id, because }) => [id, because]))
    );
    assertEquals(told, allProxies.map(({ breaks }) => ({ ...breaks })));
  });

  it("is what the tables beside the configurations are made of", async () => {
    const document = new URL("../../../proxies/README.md", import.meta.url);
    const text = await readFile(document, "utf8");
    assertEquals(text, withMade(text, renderProxyTables(await readRecord())));
  });

  it("skips no rule, and breaks none for servers with the configurations that people copy", async () => {
    for (const { name, scores, breaks } of (await readRecord()).entries) {
      const { must, should, observed } = scores;
      assertEquals(must.tried + should.tried + observed.tried, PROXY_RULES.length, name);
      if (!name.endsWith("(ours)")) continue;
      assertEquals(breaks.filter(({ id }) => id.startsWith("S-")), [], name);
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
