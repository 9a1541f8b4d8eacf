import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { createMockServer } from "../../mock/server.ts";
import { isBroken, passes } from "../report.ts";
import { CannotRun } from "../rule.ts";
import { mockServer, remoteServer } from "./subject.ts";
import { runServerConformance } from "./suite.ts";

/** Does something with a server of which no more is known than its address. */
async function withRemote<Result>(work: (url: string) => Promise<Result>): Promise<Result> {
  const models = [{ name: "tiny", layers: [{ size: 300_000 }, { size: 100 }] }];
  await using mock = createMockServer({ models, bytesPerSecond: 2_000_000, tickMs: 10 });
  const { url } = await mock.listen();
  return await work(url);
}

describe("runServerConformance", () => {
  it("cannot test a server with a model that its registry does not have", async () => {
    await assertRejects(
      () => withRemote((url) => runServerConformance(remoteServer({ url, model: "absent" }))),
      CannotRun,
      'Cannot test the server with the model "absent": it answered "pull model manifest: file does',
    );
  });

  it("sees nothing where a server refuses everything, and blames the plain pull", async () => {
    const refusing = mockServer({
      wrap: () => () => Promise.resolve(Response.json({ error: "not today" }, { status: 400 })),
    });
    const { results } = await runServerConformance(refusing, { runs: 2, seed: 1 });
    const kept = results.filter(({ verdict }) => verdict === "kept").map(({ id }) => id);
    assertEquals(kept, ["S-HTTP-2", "S-HTTP-3"]);
    const broken = results.filter(isBroken);
    assertEquals(broken.filter(({ because }) => because !== "S-SEQ-3").map(({ id }) => id), [
      "S-SEQ-3",
      "S-ERR-8",
    ]);
    assertEquals(broken.length > 8, true);
  });
});

describe("a server of which no more is known than its address", () => {
  it("breaks nothing, and what cannot be seen is skipped with the reason", async () => {
    const { results, ...report } = await withRemote((url) =>
      runServerConformance(remoteServer({ url, model: "tiny" }), { seed: 1, runs: 2 })
    );
    assert(passes({ ...report, results }));
    const skipped = results.filter(({ verdict }) => verdict !== "kept");
    assertEquals(skipped.map(({ id, verdict }) => `${id} ${verdict}`), [
      "S-FRAME-4 skipped",
      "S-FRAME-5 skipped",
      "S-FRAME-7 skipped",
      "S-DOWN-3 skipped",
      "S-DOWN-4 skipped",
      "S-RESUME-1 skipped",
      "S-SHARE-1 skipped",
      "S-OTHER-2 skipped",
      "S-LEAVE-1 skipped",
      "S-AGAIN-2 skipped",
      "S-AGAIN-4 skipped",
      "S-AGAIN-3 skipped",
      "S-OTHER-1 skipped",
      "S-LIST-1 skipped",
      "S-ERR-9 skipped",
      "S-ERR-10 skipped",
    ]);
    assert(skipped.every(({ reason }) => reason !== undefined));
  });

  it("can be seen to download if its model may be deleted", async () => {
    const options = { seed: 1, runs: 1, rules: ["S-RESUME", "S-SHARE", "S-LEAVE"] };
    const { results } = await withRemote((url) =>
      runServerConformance(remoteServer({ url, model: "tiny", mayDelete: true }), options)
    );
    assertEquals(results.map(({ id, verdict }) => `${id} ${verdict}`), [
      "S-RESUME-1 kept",
      "S-SHARE-1 kept",
      "S-LEAVE-1 kept",
    ]);
  });

  it("cannot be tested if nobody is there", async () => {
    const url = await withRemote((url) => Promise.resolve(url));
    const nobody = remoteServer({ url, model: "tiny" });
    await assertRejects(
      () => runServerConformance(nobody),
      CannotRun,
      "Cannot reach http://127.0.0.1:",
    );
  });

  it("cannot be tested by an invalid address", () => {
    assertThrows(() => remoteServer({ url: "localhost", model: "tiny" }), CannotRun, "localhost");
  });
});
