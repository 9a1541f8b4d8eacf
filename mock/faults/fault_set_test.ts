import { pull, type PullError, pullModel, type PullProgress } from "@ollama-pull/kit";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { ConfigurationError } from "../configuration_error.ts";
import type { MockServer } from "../options.ts";
import { createMockServer } from "../server.ts";
import { beginPull, mockOfSmall, pullText } from "../test_helpers.ts";
import type { Fault } from "./faults.ts";

/** How a pull ends: with `success`, or the code of its error. */
async function endingOf({ client }: MockServer, model = "small"): Promise<string> {
  return await pullModel(model, client).then(() => "success", (error: PullError) => error.code);
}

describe("The faults of a mock that runs", () => {
  it("can be set, added and taken away, for the pulls that begin then", async () => {
    const server = mockOfSmall();
    const running = await beginPull(server, 1);
    server.setFaults([{ kind: "disk-full" }]);
    assertStrictEquals(await endingOf(server), "server");
    server.addFault({ kind: "http-error", status: 503 });
    assertStrictEquals(await endingOf(server), "http");
    server.clearFaults();
    assertStrictEquals(await endingOf(server), "success");
    for (let done = false; !done;) ({ done } = await running.read());
    assertEquals(server.requests.map(({ outcome }) => outcome), [
      "finished",
      "faulted",
      "faulted",
      "finished",
    ]);
  });

  it("are those that it was made with after a reset", async () => {
    const server = mockOfSmall({ faults: [{ kind: "disk-full", times: 1 }] });
    assertEquals([await endingOf(server), await endingOf(server)], ["server", "success"]);
    server.addFault({ kind: "reset" });
    server.reset();
    assertEquals([await endingOf(server), await endingOf(server)], ["server", "success"]);
  });

  it("are checked as those that it is made with", () => {
    const server = mockOfSmall();
    const wrong = { kind: "disk-full", model: "other" } as const;
    assertThrows(() => server.setFaults([wrong]), ConfigurationError, "has only small");
    assertThrows(() => server.addFault(wrong), ConfigurationError, "has only small");
    assertThrows(() => server.setFaults({ chance: 2 }), ConfigurationError, "chance 2");
    server.registry.publish({ name: "other", layers: [{ size: 1 }] });
    server.addFault(wrong);
  });

  it("say which of them have never struck", async () => {
    const faults: Fault[] = [{ kind: "stall", ms: 1 }, { kind: "cut", at: { line: 1_000 } }];
    const server = mockOfSmall({ faults });
    assertEquals(server.unstruckFaults, faults);
    await pullText(server);
    assertEquals(server.unstruckFaults, faults.slice(1));
  });

  it("let by as many pulls as they are told to, and then strike as many", async () => {
    const server = mockOfSmall({ faults: [{ kind: "disk-full", after: 2, times: 1 }] });
    const endings = [];
    for (let count = 0; count < 4; count++) endings.push(await endingOf(server));
    assertEquals(endings, ["success", "success", "server", "success"]);
  });
});

describe("A fault at another endpoint", () => {
  const get = ({ fetch }: MockServer, path: string, init?: RequestInit) =>
    fetch(`http://localhost${path}`, init);

  it("strikes the requests to its path, on the call that it is told, and no pull", async () => {
    const faults: Fault[] = [
      { kind: "http-error", path: "/api/tags", status: 503, message: "busy", after: 1, times: 1 },
      { kind: "http-error", path: "/api/show", status: 401, body: "none" },
      { kind: "slow-first-byte", path: "/api/version", ms: 700 },
    ];
    const server = mockOfSmall({ faults });
    const statuses = [];
    for (let count = 0; count < 3; count++) statuses.push((await get(server, "/api/tags")).status);
    assertEquals(statuses, [200, 503, 200]);
    assertEquals(server.requests[1]!.faults, ["http-error"]);
    const shown = await get(server, "/api/show", { method: "POST", body: '{"model":"small"}' });
    assertEquals([shown.status, await shown.text()], [401, ""]);
    await get(server, "/api/version");
    assertStrictEquals(server.clock.now(), 700);
    assertStrictEquals(await endingOf(server), "success");
  });

  it("is one that strikes before the answer, at a path", () => {
    assertThrows(
      () => mockOfSmall({ faults: [{ kind: "cut", path: "/api/tags" }] }),
      ConfigurationError,
      "only http-error and slow-first-byte can strike endpoints other than /api/pull",
    );
    assertThrows(
      () => mockOfSmall({ faults: [{ kind: "http-error", path: "tags" }] }),
      ConfigurationError,
      'it must be like "/api/tags"',
    );
    assertThrows(
      () => mockOfSmall({ faults: [{ kind: "cut", after: -1 }] }),
      ConfigurationError,
      "Cannot use the after -1",
    );
  });
});

describe("A hold", () => {
  it("has one pull wait at the very byte, with all sent up to there, until it is let go on", async () => {
    for (const stream of [true, false]) {
      const server = mockOfSmall({ dialect: "v0.33" });
      const hold = server.hold({ at: { completed: 7_654_321 } });
      let latest: PullProgress | undefined;
      const onProgress = (progress: PullProgress) => latest = progress;
      const pulling = pullModel("small", { ...server.client, stream, onProgress });
      await hold.reached;
      assertEquals(latest?.completed, stream ? 7_654_321 : undefined);
      await server.clock.sleep(3_600_000);
      assertEquals([server.activeDownloads, latest?.completed], [
        1,
        stream ? 7_654_321 : undefined,
      ]);
      hold.release();
      await pulling;
      assertStrictEquals(await endingOf(server), "success"); // none waits any more
    }
  });

  it("holds the download itself, so that what is kept is what was there", async () => {
    const server = mockOfSmall({ dialect: "v0.33" });
    const hold = server.hold({ at: { completed: "20%" } });
    const stopping = new AbortController();
    const pulling = pullModel("small", { ...server.client, signal: stopping.signal });
    await hold.reached;
    await server.clock.sleep(60_000);
    stopping.abort(new Error("enough"));
    await assertRejects(() => pulling, Error, "enough");
    for await (const { completed } of pull("small", server.client)) {
      if (completed === 0) continue;
      assertStrictEquals(completed, 4_600_100 + 6_000_000);
      break;
    }
  });

  it("takes no time of the download, wherever it is", async () => {
    for (const at of [{ completed: 10_000_000 }, { line: 3 }, { byte: 200 }]) {
      const server = mockOfSmall({ dialect: "v0.33" });
      const hold = server.hold({ at });
      const completed: number[] = [];
      const onProgress = (progress: PullProgress) => completed.push(progress.completed);
      const pulling = pullModel("small", { ...server.client, onProgress });
      await hold.reached;
      await server.clock.sleep(3_600_000);
      const before = completed.length;
      hold.release();
      await pulling;
      const next = completed[before]! - completed[before - 1]!;
      assert(next >= 0 && next <= 6_000_000, `${next} bytes in a tick of 6 MB`);
      const ticks = new Set(completed).size;
      assert(ticks >= 5 && ticks <= 7, String(completed));
    }
  });

  it("is of one model, if it says so, and can be at a line or a byte", async () => {
    const other = { name: "other", layers: [{ size: 1 }] };
    for (const at of [{ line: 2 }, { byte: 10 }, undefined]) {
      const server = createMockServer({ models: [other, "tiny"] });
      const hold = server.hold({ at, model: "other" });
      assertStrictEquals(await endingOf(server, "tiny"), "success");
      const pulling = endingOf(server, "other");
      await hold.reached;
      hold.release();
      assertStrictEquals(await pulling, "success");
    }
  });

  it("does nothing once it was released, or after a reset", async () => {
    const server = mockOfSmall();
    server.hold().release();
    assertStrictEquals(await endingOf(server), "success");
    server.hold();
    server.reset();
    assertStrictEquals(await endingOf(server), "success");
  });

  it("is refused where no pull will be", () => {
    const server = mockOfSmall();
    assertThrows(() => server.hold({ at: { line: 0 } }), ConfigurationError, "line 0");
    assertThrows(() => server.hold({ model: "other" }), ConfigurationError, "has only small");
    assertThrows(() => server.hold({ at: { layer: 9 } }), ConfigurationError, "has layers 0 to 2");
  });
});
