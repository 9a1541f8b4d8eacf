import { createMockServer, type MockServer } from "@ollama-pull/kit/mock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDownloads } from "./service.ts";

const MODEL = { name: "m", layers: [{ size: 500_000_000 }] };

/** A broadcast, and its time. */
interface News {
  readonly at: number;
  readonly downloads: readonly Record<string, unknown>[];
}

/** A service that downloads from a mock, in the time of the mock. */
function serviceOf(server: MockServer) {
  const news: News[] = [];
  const broadcast = (downloads: readonly object[]) => {
    news.push({ at: server.clock.now(), downloads: downloads.map((each) => ({ ...each })) });
  };
  return { news, ...createDownloads(broadcast, server.client) };
}

const pullsOf = ({ requests }: MockServer) => requests.filter(({ path }) => path === "/api/pull");

test("any number of callers share one download", async () => {
  const server = createMockServer({ models: [MODEL] });
  const { download } = serviceOf(server);
  const results = await Promise.all(["m", "m:latest", "library/m"].map(download));
  assert.deepEqual(results.map(({ ok }) => ok), [true, true, true]);
  assert.equal(pullsOf(server).length, 1);
});

test("what is installed is not downloaded again", async () => {
  const server = createMockServer({ installed: [MODEL] });
  const result = await serviceOf(server).download("m:latest");
  assert.deepEqual(result, { ok: true, message: "m:latest is already installed", mayRetry: false });
  assert.equal(pullsOf(server).length, 0);
});

test("all who are connected hear every 500 ms how far a download is, and how it ends", async () => {
  const server = createMockServer({ models: [MODEL], dialect: "v0.33", tickMs: 10 });
  const { download, news } = serviceOf(server);
  await download("m");
  await server.clock.sleep(500);

  const pauses = news.slice(1).map(({ at }, index) => at - news[index]!.at);
  assert.ok(news.length >= 10, `${news.length} in 5 s`);
  assert.ok(pauses.slice(1).every((pause) => pause >= 500 && pause < 600), `${pauses}`);
  const [halfWay] = news[Math.floor(news.length / 2)]!.downloads;
  assert.equal(halfWay!.state, "running");
  assert.match(String(halfWay!.bytes), /^\d+ MB/);
  assert.match(String(halfWay!.speed), /^\d+ MB\/s$/);
  assert.match(String(halfWay!.timeLeft), /^\d s\+? left$/);
  const [last] = news.at(-1)!.downloads;
  assert.deepEqual([last!.model, last!.state, last!.percent], ["m", "succeeded", "100%"]);
});

test("a failure says whether to try again", async () => {
  const faults = [
    { kind: "cut", at: { completed: "50%" }, times: 1 },
    { kind: "disk-full", times: 1 },
  ] as const;
  const server = createMockServer({ models: [MODEL], faults });
  const { download } = serviceOf(server);
  const cut = await download("m");
  assert.deepEqual([cut.ok, cut.mayRetry], [false, true]);
  const full = await download("m");
  assert.match(full.message, /no space left on device/);
  assert.deepEqual([full.ok, full.mayRetry], [false, false]);
  const unknown = await download("unknown");
  assert.deepEqual([unknown.ok, unknown.mayRetry], [false, false]);
  const wrong = await download("no name!");
  assert.deepEqual([wrong.ok, wrong.mayRetry], [false, false]);
  assert.equal((await download("m")).ok, true);
});

test("a download that is cancelled fails for all who wait for it", async () => {
  const server = createMockServer({ models: [MODEL] });
  const hold = server.hold({ at: { completed: "50%" } });
  const { download, cancel } = serviceOf(server);
  const results = Promise.all([download("m"), download("m")]);
  await hold.reached;
  cancel("m");
  assert.deepEqual((await results).map(({ ok, mayRetry }) => ok || mayRetry), [false, false]);
  assert.equal((await server.requestEnded(1, { path: "/api/pull" })).outcome, "cancelled");
});
