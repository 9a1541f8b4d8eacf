import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeProgress, PullError, type PullLayer } from "../../mod.ts";
import { digestOf, downloading, Recorder, step } from "../test_helpers.ts";
import { JsonView, writeJsonFailure } from "./json_view.ts";

const parse = (stdout: Recorder) => stdout.lines.map((line) => JSON.parse(line));

describe("JsonView", () => {
  it("writes each snapshot as a line of JSON that names the model", () => {
    const stdout = new Recorder();
    const view = new JsonView(stdout, "a");
    const { layers, ...manifest } = step("manifest", "pulling manifest");
    view.show({ layers, ...manifest });
    view.show(downloading([[1, 2]]));
    view.end();
    assertEquals(layers, []);
    assertEquals(parse(stdout), [
      { model: "a", ...manifest },
      { model: "a", ...downloading([[1, 2]]) },
    ]);
  });

  it("writes the layers that changed, from which all of them follow", async () => {
    const reports = fc.array(fc.record({ layer: fc.nat(4), completed: fc.nat(100) }));
    await fc.assert(fc.asyncProperty(reports, async (reports) => {
      const stdout = new Recorder();
      const view = new JsonView(stdout, "a");
      const lines = [
        ...reports.map(({ layer, completed }) => ({
          status: "pulling",
          digest: digestOf(layer),
          total: 100,
          completed,
        })),
        { status: "success" },
      ];
      const source = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const line of lines) {
            controller.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
          }
          controller.close();
        },
      });
      const layers = new Map<string, PullLayer>();
      let read = 0;
      for await (const progress of decodeProgress(source)) {
        view.show(progress);
        const { layers: changed = [] } = parse(stdout)[read++];
        for (const layer of changed) layers.set(layer.digest, layer);
        assertEquals([...layers.values()], progress.layers.map((layer) => ({ ...layer })));
      }
    }));
  });

  it("leaves out the layers that did not change", () => {
    const stdout = new Recorder();
    const view = new JsonView(stdout, "a");
    const [first, second] = downloading([[1, 2], [1, 2]]).layers as [PullLayer, PullLayer];
    const progress = downloading([]);
    view.show({ ...progress, layers: [first] });
    view.show({ ...progress, layers: [first, second] });
    view.show({ ...progress, layers: [first, second] });
    assertEquals(parse(stdout).map(({ layers }) => layers), [[first], [second], undefined]);
  });

  it("writes a retry", () => {
    const stdout = new Recorder();
    const error = new PullError("stalled", "nothing");
    new JsonView(stdout, "a").retry({ error, delayMs: 1_000, attempt: 2 });
    assertEquals(parse(stdout), [
      { model: "a", retry: { attempt: 2, delayMs: 1_000, error: error.toJSON() } },
    ]);
  });

  it("escapes what a terminal would obey, and means the same", () => {
    const stdout = new Recorder();
    const { layers: _, ...progress } = step("manifest", "\x1b[2J\x9b2J\x7f\n");
    new JsonView(stdout, "a").show({ layers: [], ...progress });
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(stdout.text), false);
    assertEquals(parse(stdout), [{ model: "a", ...progress }]);
  });
});

describe("writeJsonFailure", () => {
  it("writes any error, and what to do", () => {
    const stdout = new Recorder();
    const known = new PullError("http", "no", { status: 500 });
    for (const error of [known, new TypeError("odd"), "text"]) {
      writeJsonFailure(stdout, { model: "a", error, advice: "wait" });
    }
    assertEquals(parse(stdout), [
      { model: "a", error: known.toJSON(), advice: "wait" },
      { model: "a", error: { name: "TypeError", message: "odd" }, advice: "wait" },
      { model: "a", error: { name: "Error", message: "text" }, advice: "wait" },
    ]);
  });
});
