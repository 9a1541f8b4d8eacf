import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { digests, layerSizesOf, manifests } from "./manifests.ts";
import { smallest } from "./test_helpers.ts";

describe("manifests", () => {
  it("have layers and a config, all different, each with a digest and a size in bytes", () => {
    fc.assert(fc.property(manifests(), (manifest) => {
      const layers = layerSizesOf(manifest);
      assertEquals(layers.length, manifest.layers.length + 1);
      assertEquals(layers.at(-1)?.digest, manifest.config.digest);
      assertEquals(new Set(layers.map(({ digest }) => digest)).size, layers.length);
      for (const { digest, size } of layers) {
        assert(/^sha256:[0-9a-f]{64}$/.test(digest));
        assert(Number.isSafeInteger(size) && size >= 1 && size <= 2 ** 40);
      }
      assertEquals(JSON.parse(JSON.stringify(manifest)), manifest);
    }));
  });

  it("are no larger than they may be", () => {
    fc.assert(fc.property(manifests({ maxLayers: 2, maxLayerBytes: 10 }), (manifest) => {
      assert(manifest.layers.length <= 2);
      assert(layerSizesOf(manifest).every(({ size }) => size <= 10));
    }));
  });

  it("shrink to a config of one byte", () => {
    const { layers, config } = smallest(manifests(), () => true);
    assertEquals([layers.length, config.size], [0, 1]);
  });
});

describe("digests", () => {
  it("differ in their first twelve hex digits", () => {
    fc.assert(fc.property(digests(), digests(), (a, b) => {
      assertEquals(a === b, a.slice(7, 19) === b.slice(7, 19));
    }));
  });
});
