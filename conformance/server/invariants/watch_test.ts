import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { Findings } from "../../findings.ts";
import { createMockServer } from "../../../mock/server.ts";
import type { RuleResult } from "../../report.ts";
import { mockServer, type OpenServer, remoteServer } from "../subject.ts";
import { runServerConformance } from "../suite.ts";
import { watchServer } from "./watch.ts";

const PULL = { method: "POST", body: '{"model":"subject","stream":true}' };

/** What the invariants find in some requests to a mock. */
async function findingsOf(
  work: (fetch: OpenServer["fetch"]) => Promise<unknown>,
  change: (response: Response) => Response | Promise<Response> = (response) => response,
): Promise<Findings> {
  const findings = new Findings();
  const subject = watchServer(
    mockServer({ wrap: ({ fetch }) => async (request) => await change(await fetch(request)) }),
    { findings, during: () => "S-TEST-1" },
  );
  const server = await subject.open({ layers: [40_000_000, 3] });
  await work(server.fetch);
  await server.close();
  return findings;
}

/** A response with another text. */
async function rewrite(response: Response, change: (text: string) => string): Promise<Response> {
  return new Response(change(await response.text()), response);
}

const read = async (response: Promise<Response>) => await (await response).text();

describe("what watches every exchange", () => {
  it("changes nothing of what is read", async () => {
    let direct = "";
    let watched = "";
    await findingsOf(
      async (fetch) => watched = await read(fetch("/api/pull", PULL)),
      async (response) => {
        const copy = response.clone();
        direct = await copy.text();
        return response;
      },
    );
    assertEquals(watched, direct);
  });

  it("says which rule was being tried when it saw a breach", async () => {
    const findings = await findingsOf(
      (fetch) => read(fetch("/api/pull", PULL)),
      (response) => rewrite(response, (text) => text.replace('"total":3', '"total":"3"')),
    );
    const breach = findings.of("S-DOWN-1")!;
    assertEquals([breach.during, breach.violation.seen], ["S-TEST-1", '"3"']);
    assertEquals(findings.of("S-DOWN-2"), undefined);
  });

  it("sees what is wrong about an exchange whose caller left, and not where it left", async () => {
    const leave = async (fetch: OpenServer["fetch"]) => {
      const reader = (await fetch("/api/pull", PULL)).body!.getReader();
      await reader.read();
      await reader.cancel();
    };
    assertEquals((await findingsOf(leave)).of("S-SEQ-3"), undefined);
    const findings = await findingsOf(
      leave,
      (response) => rewrite(response, () => '{"status":"x"}\n'),
    );
    assertEquals(findings.of("S-SEQ-1")?.violation.seen, '"x"');
  });

  it("looks at what a pull without a stream is answered", async () => {
    const ask = (fetch: OpenServer["fetch"]) =>
      read(fetch("/api/pull", { ...PULL, body: '{"model":"subject","stream":false}' }));
    const findings = await findingsOf(ask, (response) => rewrite(response, (text) => text + text));
    assertEquals(findings.countOf("S-REQ-3"), 1);
    assertEquals(findings.of("S-REQ-3")?.violation.seen.includes("}{"), true);
  });

  it("does not watch a server that is made to fail", async () => {
    const findings = new Findings();
    const subject = watchServer(mockServer(), { findings, during: () => "" });
    const faults = [{ kind: "error", at: { completed: "50%" } }] as const;
    const server = await subject.open({ layers: [9], faults });
    await read(server.fetch("/api/pull", PULL));
    assertEquals(findings.countOf("S-SEQ-1"), 0);
  });
});

describe("a server with one model", () => {
  it("is not asked again for what the exchanges of other rules have shown", async () => {
    const models = [{ name: "tiny", layers: [{ size: 300_000 }] }];
    await using mock = createMockServer({ models, bytesPerSecond: 2_000_000, tickMs: 10 });
    const { url } = await mock.listen();
    const { results } = await runServerConformance(
      remoteServer({ url, model: "tiny", mayDelete: true }),
      { seed: 1, runs: 2, rules: ["S-SEQ", "S-REQ-2"] },
    );
    const tried = (result: RuleResult) => [result.id, result.verdict, result.runs];
    assertEquals(results.map(tried), [
      ["S-REQ-2", "kept", 1],
      ...[1, 2, 3, 4, 5, 6].map((number) => [`S-SEQ-${number}`, "kept", 0]),
    ]);
  });
});
