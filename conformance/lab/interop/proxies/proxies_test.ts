import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { KNOWN } from "./known.ts";
import { copiedPath, defaultPath, type Place, proxies, withAddresses } from "./proxies.ts";

const PLACE: Place = {
  port: 20_001,
  upstreamPort: 20_002,
  folder: "/folder",
  configuration: "/folder/file",
};

/** The configurations of every proxy: the one that people copy, and those of its documentation. */
const sources = proxies.map((proxy) => ({
  proxy,
  copied: copiedPath(proxy),
  defaults: KNOWN[proxy.name]!.defaults.map(({ file }) => defaultPath(file)),
}));

/** The lines of a configuration that are no comments. */
function lines(text: string): string[] {
  return text.split("\n").filter((line) => !/^\s*(#|$)/.test(line));
}

describe("the configurations of proxies", () => {
  for (const { proxy, copied, defaults } of sources) {
    it(`have the addresses of ${proxy.name} once each, and nothing else is changed`, async () => {
      for (const path of [copied, ...defaults]) {
        const text = await readFile(path, "utf8");
        const addresses = proxy.addresses(PLACE);
        const before = lines(text);
        const changed = lines(withAddresses(text, addresses))
          .flatMap((line, index) => line === before[index] ? [] : [before[index]!.trim()]);
        assertEquals(/:80\b|listen 80|11434"/.test(changed.join("\n")), true, path);
        for (const line of changed) assertMatch(line, /(:80\b|listen 80;|11434)/, path);
        const left = lines(withAddresses(text, addresses)).filter((line) =>
          /127.*11434/.test(line)
        );
        assertEquals(left, [], path);
      }
    });

    it(`of ${proxy.name} are different ones, of which the copied one says what it is for`, async () => {
      const text = await readFile(copied, "utf8");
      assertMatch(text, /^# \w+ in front of Ollama/);
      for (const path of defaults) {
        assert(lines(await readFile(path, "utf8")).join() !== lines(text).join(), path);
      }
    });
  }

  it("are those that are there", async () => {
    const copied = await readdir(dirname(sources[0]!.copied));
    assertEquals(copied.sort(), [...proxies.map(({ file }) => file), "README.md"].sort());
    const defaults = await readdir(dirname(sources[0]!.defaults[0]!));
    const known = Object.values(KNOWN).flatMap(({ defaults }) => defaults.map(({ file }) => file));
    assertEquals(defaults.sort(), known.sort());
  });

  it("are not used with an address left in", () => {
    assertThrows(
      () => withAddresses("listen 8080;", { "listen 80;": "listen 1;" }),
      Error,
      'no "listen 80;" to be replaced',
    );
  });
});
