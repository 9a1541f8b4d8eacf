import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { readFile } from "node:fs/promises";
import { report } from "../../reporters/test_helpers.ts";
import { type InteropRecord, reportsOf } from "./record.ts";
import { describeCommand, renderPage } from "./page.ts";
import { IMPLEMENTATIONS } from "./shelves.ts";

const readRecord = async (): Promise<InteropRecord> =>
  JSON.parse(await readFile(IMPLEMENTATIONS.record, "utf8"));

describe("the page", () => {
  it("has a cell of each verdict for each implementation, and the reason of each break", async () => {
    const record = await readRecord();
    const page = renderPage(record);
    const verdicts = reportsOf(record).flatMap(({ results }) => results)
      .map(({ verdict }) => verdict);
    const cells = Array.from(page.matchAll(/<span class="word">([^<]+)</g), ([, word]) => word!);
    assertEquals(cells.toSorted(), verdicts.toSorted());
    const breaks = record.entries.flatMap(({ breaks }) => breaks);
    const others = record.entries.flatMap(({ unseen, skipped }) =>
      [unseen, skipped].flatMap((ids) => Object.values(ids ?? {}).flat())
    );
    const causes = breaks.filter(({ cause }) => cause !== undefined);
    assertEquals(
      page.match(/<p class="reason">/g)!.length,
      breaks.length + others.length + causes.length,
    );
  });

  it("says how to run an implementation again, wherever it is run", () => {
    const run = (name: string, version: string, side: "server" | "client" = "client") =>
      describeCommand(report([], { side, subject: { name, version } }));
    assertEquals(run("curl", "7.88.1"), 'deno task interop "curl"');
    assertEquals(
      run("ollama serve", "0.1.0", "server"),
      'deno task interop "ollama serve 0.1.0"',
    );
    assertEquals(
      run("ollama-rest (Rust)", "0.7.2"),
      'deno task interop --more "ollama-rest (Rust) 0.7.2"',
    );
    assertEquals(
      run("Caddy (ours)", "2.6.2", "server"),
      'deno task interop --proxies "Caddy (ours)"',
    );
  });
});
