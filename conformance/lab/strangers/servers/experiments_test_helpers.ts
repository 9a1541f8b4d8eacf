/**
 * What shows that a stranger is wrong: a visit, what the right server shows, and what the stranger does.
 *
 * @module
 */

import { layerOf } from "./mod.ts";
import { requestOf, type Visit, type Wire } from "./test_helpers.ts";

/** A visit that tells one stranger from the right server. */
export interface Experiment {
  readonly see: (visit: Visit) => Promise<unknown>;
  readonly right: unknown;
  readonly wrong: unknown;
}

/** More than anyone is told of a layer in 100 ms. */
const MARGIN_BYTES = 6_000_000;

/** The status of an answer, of which there may be more to come. */
async function statusOf(visit: Visit, wire: Wire): Promise<number> {
  await visit.until(() => wire.answer !== undefined);
  return wire.answer!.status;
}

/** The experiments, by the name of the stranger. */
export const experiments: Readonly<Record<string, Experiment>> = {
  "loses a layer that is left in part for the third time": {
    right: true,
    wrong: false,
    async see(visit) {
      const [weights] = visit.server.layers;
      for (let time = 0; time < 3; time++) await visit.visitFor(200, weights!);
      return await visit.resumed(weights!) > 0;
    },
  },
  "shares a download only with pulls of the same model": {
    right: true,
    wrong: false,
    async see(visit) {
      const { model, otherModel, layers: [, shared] } = visit.server;
      await visit.pull({ model });
      await visit.pass(1_200);
      const wire = await visit.pull({ model: otherModel });
      await visit.until(() => wire.of(shared!).length > 0);
      return (wire.of(shared!)[0]!.completed ?? 0) > 0;
    },
  },
  "hands a shared download over only once": {
    right: "success",
    wrong: "pulling",
    async see(visit) {
      const { model } = visit.server;
      const wires = [];
      for (let caller = 0; caller < 3; caller++) wires.push(await visit.pull({ model }));
      const [first, second, third] = wires;
      await visit.pass(100);
      await visit.leave(first!);
      await visit.pass(100);
      await visit.leave(second!);
      await visit.passUntil(() => third!.hasEnded);
      return third!.last.status?.split(" ")[0];
    },
  },
  "drops kept bytes when a model that is not there is deleted": {
    right: [404, true],
    wrong: [404, false],
    async see(visit) {
      const { model, layers: [weights] } = visit.server;
      await visit.visitFor(200, weights!);
      const { status } = await visit.ask("DELETE", "/api/delete", JSON.stringify({ model }));
      return [status, await visit.resumed(weights!) > 0];
    },
  },
  "goes on with the manifest of the pull that was cancelled": {
    right: ["success", true],
    wrong: ["success", false],
    async see(visit) {
      const { model, layers: [weights, ...others], registry } = visit.server;
      await visit.visitFor(200, weights!);
      const better = layerOf("better weights", 6_000_000);
      registry.publish(model, [better, ...others]);
      const wire = await visit.finish(model);
      return [wire.last.status, wire.of(better).length > 0];
    },
  },
  "lets a pull without a stream fail when the streamed one that it joined is cancelled": {
    right: 200,
    wrong: 500,
    async see(visit) {
      const { model } = visit.server;
      const streamed = await visit.pull({ model });
      await visit.pass(100);
      const single = await visit.pull({ model, stream: false });
      await visit.leave(streamed);
      await visit.passUntil(() => single.hasEnded);
      return single.answer?.status;
    },
  },
  "forgets what was kept of a layer after ten seconds": {
    right: true,
    wrong: false,
    async see(visit) {
      const [weights] = visit.server.layers;
      await visit.visitFor(200, weights!);
      await visit.pass(15_000);
      return await visit.resumed(weights!) > 0;
    },
  },
  "lets the pull of another model wait until the first one has ended": {
    right: "success",
    wrong: "pulling manifest",
    async see(visit) {
      const { model, otherModel } = visit.server;
      await visit.finish(otherModel);
      await visit.pull({ model });
      await visit.pass(100);
      const wire = await visit.pull({ model: otherModel });
      await visit.pass(200);
      return wire.last.status;
    },
  },
  "goes on with a download that was shared when nobody is left": {
    right: true,
    wrong: false,
    async see(visit) {
      const { model, layers: [weights] } = visit.server;
      const wires = [await visit.pull({ model }), await visit.pull({ model })];
      await visit.pass(100);
      for (const wire of wires) await visit.leave(wire);
      const before = wires[0]!.of(weights!).at(-1)!.completed!;
      await visit.pass(400);
      return await visit.resumed(weights!) < before + MARGIN_BYTES;
    },
  },
  "resumes a layer at the end of the part in which it was left": {
    right: true,
    wrong: false,
    async see(visit) {
      const [weights] = visit.server.layers;
      const before = await visit.visitFor(300, weights!);
      return await visit.resumed(weights!) < before + MARGIN_BYTES;
    },
  },
  "counts the bytes of a shared download once for each caller": {
    right: 12_000_000,
    wrong: 24_000_000,
    async see(visit) {
      const { model, layers: [weights] } = visit.server;
      await visit.pull({ model });
      await visit.pass(20);
      const second = await visit.pull({ model });
      await visit.pass(180);
      return second.of(weights!).at(-1)!.completed;
    },
  },
  "lists a model while it is still downloaded": {
    right: [],
    wrong: ["stranger:latest"],
    async see(visit) {
      await visit.pull({ model: visit.server.model });
      await visit.pass(200);
      const { body } = await visit.ask("GET", "/api/tags", "", ["Accept-Encoding: gzip"]);
      return JSON.parse(body).models.map(({ name }: { name: string }) => name);
    },
  },
  "keeps the ticker of each pull that left a layer in part": {
    right: true,
    wrong: false,
    async see(visit) {
      const { model, layers: [weights] } = visit.server;
      await visit.visitFor(200, weights!);
      const wire = await visit.finish(model);
      const lines = wire.objects.map((object) => JSON.stringify(object));
      return new Set(lines).size === lines.length;
    },
  },
  "writes the bytes of a whole layer as a float": {
    right: false,
    wrong: true,
    async see(visit) {
      const wire = await visit.finish(visit.server.model);
      return /\d\.\d/.test(wire.answer!.body);
    },
  },
  "compresses single objects whether the client asked for it or not": {
    right: undefined,
    wrong: "gzip",
    async see(visit) {
      const { model } = visit.server;
      const wire = await visit.pull({ model, stream: false }, ["Accept-Encoding: identity"]);
      await visit.passUntil(() => wire.hasEnded);
      return wire.answer!.headers.get("content-encoding");
    },
  },
  "holds back the objects of every layer but the first until it is whole": {
    right: true,
    wrong: false,
    async see(visit) {
      const { model, layers: [, shared] } = visit.server;
      const wire = await visit.pull({ model });
      await visit.pass(1_250);
      return wire.of(shared!).length > 1;
    },
  },
  "closes the connection without the last chunk when nothing was downloaded": {
    right: ["success", true],
    wrong: ["success", false],
    async see(visit) {
      const { model } = visit.server;
      await visit.finish(model);
      const wire = await visit.finish(model);
      return [wire.last.status, wire.answer!.isWhole];
    },
  },
  "takes the number of characters for the Content-Length": {
    right: true,
    wrong: false,
    async see(visit) {
      const { body } = await visit.ask("POST", "/api/pull", '{"model":é}');
      return body.endsWith('"}');
    },
  },
  "leaves the body of a refused request for the next request on the connection": {
    right: [405, 200],
    wrong: [405, 400],
    async see(visit) {
      const wire = await visit.open();
      wire.send(requestOf("PUT", "/api/pull", '{"model":"x"}'));
      await visit.until(() => wire.hasEnded);
      const { status } = wire.answer!;
      wire.next();
      wire.send(requestOf("GET", "/api/version"));
      await visit.until(() => wire.hasEnded);
      return [status, wire.answer!.status];
    },
  },
  "refuses `Expect: 100-continue`": {
    right: [100, 200],
    wrong: [417],
    async see(visit) {
      const body = JSON.stringify({ model: visit.server.model });
      const wire = await visit.open();
      wire.send(
        requestOf("POST", "/api/pull", body, ["Expect: 100-continue"]).slice(0, -body.length),
      );
      const status = await statusOf(visit, wire);
      if (status !== 100) return [status];
      wire.next();
      wire.send(body);
      return [status, await statusOf(visit, wire)];
    },
  },
  "takes what arrives first for all of the body": {
    right: 200,
    wrong: 400,
    async see(visit) {
      const wire = await visit.open();
      const request = requestOf("POST", "/api/pull", JSON.stringify({ model: visit.server.model }));
      wire.send(request.slice(0, -8));
      await visit.settle();
      wire.send(request.slice(-8));
      return await statusOf(visit, wire);
    },
  },
  "refuses bodies of more than 100 KiB": {
    right: 200,
    wrong: 413,
    async see(visit) {
      const picture = "x".repeat(1_000_000);
      return await statusOf(visit, await visit.pull({ model: visit.server.model, picture }));
    },
  },
  "takes `stream` null for false": {
    right: ["application/x-ndjson", "success"],
    wrong: ["application/json; charset=utf-8", "success"],
    async see(visit) {
      const wire = await visit.pull({ model: visit.server.model, stream: null });
      await visit.passUntil(() => wire.hasEnded);
      return [wire.answer!.headers.get("content-type"), wire.last.status];
    },
  },
  "prefers `name` where both names are given": {
    right: "success",
    wrong: undefined,
    async see(visit) {
      const wire = await visit.pull({ model: visit.server.model, name: "nobody" });
      await visit.passUntil(() => wire.hasEnded);
      return wire.last.status;
    },
  },
  "takes a request in chunks for one without a body": {
    right: 200,
    wrong: 400,
    async see(visit) {
      const wire = await visit.open();
      const body = JSON.stringify({ model: visit.server.model });
      const parts = [body.slice(0, 5), body.slice(5)];
      const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
      const head =
        "POST /api/pull HTTP/1.1\r\nHost: stranger\r\nTransfer-Encoding: chunked\r\n\r\n";
      wire.send(`${head}${chunks.join("")}0\r\n\r\n`);
      return await statusOf(visit, wire);
    },
  },
  "loses the message of an error while another pull goes on": {
    right: "pull model manifest: file does not exist",
    wrong: "",
    async see(visit) {
      await visit.pull({ model: visit.server.model });
      await visit.pass(100);
      return (await visit.finish("nobody")).last.error;
    },
  },
  "reports success to those who joined a download that fails its checksum": {
    right: ["digest mismatch", "digest mismatch"],
    wrong: ["digest mismatch", "success"],
    async see(visit) {
      const { model, layers: [weights], registry } = visit.server;
      registry.faults.set(weights!.digest, "corrupt");
      const wires = [await visit.pull({ model }), await visit.pull({ model })];
      await visit.passUntil(() => wires.every(({ hasEnded }) => hasEnded));
      return wires.map(({ last }) => last.status ?? last.error?.split(",")[0]);
    },
  },
  "leaks a connection to the registry at each manifest that is not there": {
    right: "success",
    wrong: "pulling manifest",
    async see(visit) {
      for (let time = 0; time < 5; time++) await visit.finish("nobody");
      return (await visit.finish(visit.server.model)).last.status;
    },
  },
  "remembers that a model is not there": {
    right: "success",
    wrong: undefined,
    async see(visit) {
      await visit.finish("latecomer");
      visit.server.registry.publish("latecomer", visit.server.otherLayers);
      return (await visit.finish("latecomer")).last.status;
    },
  },
  "verifies the first layer only": {
    right: [undefined, "success"],
    wrong: ["success", "success"],
    async see(visit) {
      const { model, layers: [, shared], registry } = visit.server;
      registry.faults.set(shared!.digest, "corrupt");
      const first = await visit.finish(model);
      registry.faults.clear();
      const second = await visit.finish(model);
      return [first.last.status, second.last.status];
    },
  },
};
