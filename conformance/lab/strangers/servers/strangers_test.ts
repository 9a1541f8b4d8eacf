import { assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "node:test";
import { experiments } from "./experiments_test_helpers.ts";
import { rightServer, strangers } from "./mod.ts";
import { Visit } from "./test_helpers.ts";

/** What nobody finds anything wrong with: pulls one after the other, each of them to its end. */
async function seeOrdinaryDay(visit: Visit): Promise<unknown> {
  const { model, otherModel } = visit.server;
  const names = async () => JSON.parse((await visit.ask("GET", "/api/tags")).body).models;
  const pulls = [];
  for (const name of [model, model, otherModel, "nobody"]) pulls.push(await visit.finish(name));
  const single = await visit.pull({ model: "", name: model, stream: false, insecure: true });
  await visit.until(() => single.hasEnded);
  return {
    pulls: [...pulls, single].map(({ answer, objects }) => [
      answer!.status,
      answer!.headers.get("content-type"),
      objects,
    ]),
    models: await names(),
    refusals: [
      await visit.ask("POST", "/api/pull", '{"model":"a b"}'),
      await visit.ask("POST", "/api/pull", "{}"),
      await visit.ask("POST", "/api/pull", '{"model":1}'),
      await visit.ask("POST", "/api/pull", "no JSON"),
      await visit.ask("POST", "/api/pull", '{"model":"http://stranger"}'),
      await visit.ask("GET", "/api/pull"),
    ].map(({ status, body }) => [status, body]),
    deletion: (await visit.ask("DELETE", "/api/delete", JSON.stringify({ model }))).status,
    modelsLeft: await names(),
  };
}

describe("A stranger", () => {
  const expected = Visit.of(rightServer, seeOrdinaryDay);

  it("has a name of its own, and an experiment of that name", () => {
    const names = strangers.map(({ name }) => name);
    assertEquals(names.length, 30);
    assertEquals(names, Object.keys(experiments));
  });

  for (const stranger of strangers) {
    const { see, right, wrong } = experiments[stranger.name]!;

    it(`${stranger.name}, and the right server does not`, async () => {
      assertNotEquals(right, wrong);
      assertEquals(await Visit.of(rightServer, see), right);
      assertEquals(await Visit.of(stranger, see), wrong);
    });

    it(`${stranger.name}, and shows the values of the right server on an ordinary day`, async () => {
      assertEquals(await Visit.of(stranger, seeOrdinaryDay), await expected);
    });
  }
});
