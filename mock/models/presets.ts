/**
 * Models with the shape of well-known ones.
 *
 * @module
 */

import { MEDIA_TYPE, type MockLayer, type MockModel } from "./models.ts";

/** A layer of a preset. */
function layer(kind: string, size: number): MockLayer {
  return { mediaType: `${MEDIA_TYPE}${kind}`, size };
}

const TENSORS = 453;

/**
 * Models with the shape of well-known ones: a few layers, one of them almost all of the bytes. `tiny`
 * is for quick tests; `tensors` has hundreds of small blobs, as models do that are stored by tensor (the
 * dialect `v0.33` refuses to pull those: its server lacks the runtime that they need).
 */
export const presets: Readonly<Record<string, MockModel>> = {
  "tiny": {
    name: "tiny",
    layers: [layer("model", 2_000_000), layer("template", 1_429), layer("params", 96)],
  },
  "llama3.2": {
    name: "llama3.2",
    layers: [
      layer("model", 2_019_377_376),
      layer("template", 1_429),
      layer("license", 7_711),
      layer("license", 6_016),
      layer("params", 96),
    ],
  },
  "mistral": {
    name: "mistral",
    layers: [
      layer("model", 4_113_289_152),
      layer("template", 801),
      layer("license", 11_356),
      layer("params", 30),
    ],
  },
  "llava": {
    name: "llava",
    layers: [
      layer("model", 4_108_916_384),
      layer("projector", 624_434_368),
      layer("license", 11_356),
      layer("template", 67),
      layer("params", 64),
    ],
  },
  "nomic-embed-text": {
    name: "nomic-embed-text",
    layers: [layer("model", 274_290_656), layer("license", 11_357), layer("params", 17)],
  },
  "deepseek-r1:671b": {
    name: "deepseek-r1:671b",
    layers: [
      layer("model", 404_430_186_368),
      layer("params", 148),
      layer("template", 387),
      layer("license", 1_065),
    ],
  },
  "tensors": {
    name: "tensors",
    layers: Array.from(
      { length: TENSORS },
      // Sizes that vary as those of tensors do: some thousands of bytes to some dozens of millions.
      (_, index) => layer("tensor", 4_096 * (1 + (index * 7_919) % 8_191)),
    ),
  },
};
