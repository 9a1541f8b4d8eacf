import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { pullModel } from "../../../../mod.ts";
import { ScaledClock } from "../../soak/scaled_clock.ts";
import { rightServer } from "./mod.ts";
import { requestOf, Visit } from "./test_helpers.ts";

/** Where to cut a request, as shares of its length. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });

function cut(text: string, shares: readonly number[]): string[] {
  const places = [0, ...shares.map((share) => Math.round(share * text.length)), text.length]
    .sort((a, b) => a - b);
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}

describe("The right server", () => {
  it("accepts a request in any pieces", async () => {
    await Visit.of(rightServer, (visit) =>
      fc.assert(
        fc.asyncProperty(cuts, fc.boolean(), async (shares, isChunked) => {
          const body = JSON.stringify({ model: "a b" });
          const request = isChunked
            ? requestOf("POST", "/api/pull", "", ["Transfer-Encoding: chunked"])
              .replace("Content-Length: 0\r\n", "") +
              `1\r\n{\r\n${(body.length - 1).toString(16)};x=y\r\n${
                body.slice(1)
              }\r\n0\r\nA: b\r\n\r\n`
            : requestOf("POST", "/api/pull", body);
          const wire = await visit.open();
          for (const piece of cut(request, shares)) {
            wire.send(piece);
            await visit.settle();
          }
          await visit.until(() => wire.hasEnded);
          assertEquals(wire.answer!.body, '{"error":"invalid model name"}');
          wire.next();
          wire.send(requestOf("GET", "/"));
          await visit.until(() => wire.hasEnded);
          assertEquals(wire.answer!.body, "Ollama is running");
          wire.close();
        }),
        { numRuns: 20 },
      ));
  });

  it("answers several requests that come at once, and HEAD without a body", async () => {
    await Visit.of(rightServer, async (visit) => {
      const wire = await visit.open();
      wire.send(["HEAD", "GET", "PUT"].map((method) => requestOf(method, "/")).join(""));
      await visit.settle();
      const { headers, body, rest } = wire.answer!;
      assertEquals(headers.get("content-length"), "17");
      // This client takes what follows the head for the body, even after a HEAD.
      assertMatch(
        `${body}${rest}`,
        /^HTTP\/1\.1 200 OK\r\n.*\r\nOllama is runningHTTP\/1\.1 405 .*\r\n405 method not allowed$/s,
      );
    });
  });

  it("answers HTTP/1.0 without chunks, and up to the end of the connection", async () => {
    await Visit.of(rightServer, async (visit) => {
      const wire = await visit.open();
      const body = '{"model":"nobody"}';
      wire.send(requestOf("POST", "/api/pull", body).replace("HTTP/1.1", "HTTP/1.0"));
      await visit.until(() => wire.hasEnded);
      assertEquals(wire.objects.map(({ status, error }) => status ?? error), [
        "pulling manifest",
        "pull model manifest: file does not exist",
      ]);
    });
  });

  it("refuses what is not HTTP, and closes the connection", async () => {
    await Visit.of(rightServer, async (visit) => {
      const wire = await visit.open();
      wire.send("hello\r\n\r\n");
      await visit.until(() => wire.hasEnded);
      assertEquals(wire.answer!.status, 400);
      assertEquals(wire.answer!.headers.get("connection"), "close");
    });
  });

  it("knows a model by each of its names", async () => {
    await Visit.of(rightServer, async (visit) => {
      await visit.finish("registry.ollama.ai/library/Stranger:latest");
      const { status } = await visit.ask("DELETE", "/api/delete", '{"name":"stranger"}');
      assertEquals(status, 200);
    });
  });

  it("fails when the registry does, keeps what it has, and goes on from there", async () => {
    await Visit.of(rightServer, async (visit) => {
      const { model, layers: [weights], registry } = visit.server;
      registry.faults.set(weights!.digest, "unreachable");
      assertEquals((await visit.finish(model)).last.error, "max retries exceeded: unexpected EOF");
      registry.faults.clear();
      assertEquals(await visit.resumed(weights!), Math.floor(weights!.size / 2));
    });
  });

  it("keeps the layers that another model has, and removes the others", async () => {
    await Visit.of(rightServer, async (visit) => {
      const { model, otherModel, layers: [weights, shared, template], registry } = visit.server;
      await visit.finish(otherModel);
      await visit.finish(model);
      registry.publish(model, [template!]);
      const statuses = (await visit.finish(model)).objects.map(({ status }) => status);
      assertEquals(statuses.slice(-3), ["writing manifest", "removing unused layers", "success"]);
      registry.publish(model, [weights!, shared!]);
      const wire = await visit.finish(model);
      assertEquals(wire.of(weights!)[0]!.completed, undefined);
      assertEquals(wire.of(shared!).map(({ completed }) => completed), [shared!.size]);
    });
  });

  it("is pulled from by the client of this package, over `fetch`", async () => {
    const server = await rightServer.make({ clock: new ScaledClock(10) }).start();
    const fractions: number[] = [];
    try {
      for (const stream of [true, false]) {
        await pullModel(server.model, {
          host: server.url,
          stream,
          onProgress: ({ fraction }) => fractions.push(fraction),
        });
      }
      assertEquals(fractions.at(-1), 1);
      assert(fractions.length > 10);
      assertEquals(server.pulls(), 0);
    } finally {
      await server.close();
    }
  });
});
