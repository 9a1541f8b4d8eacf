/**
 * The models that a mock can serve: their description, their layers with digests, and presets with the
 * shape of well-known models.
 *
 * @module
 */

import { ConfigurationError } from "./configuration_error.ts";
import { modelKey, type ModelName, parseModelName } from "./model_name.ts";
import { seededBytes, seededDigest } from "./random.ts";

/** A layer of a model. */
export interface MockLayer {
  /** The size in bytes. */
  size: number;
  /**
   * The digest, as `sha256:` and 64 hexadecimal digits.
   *
   * @default derived from the seed, the model's name, the layer's position and its size
   */
  digest?: string;
  /**
   * What the layer holds.
   *
   * @default {"application/vnd.ollama.image.model"}
   */
  mediaType?: string;
}

/** A model that the mock's library offers. */
export interface MockModel {
  /** The name: `[host[:port]/][namespace/]name[:tag]`. */
  name: string;
  /** The layers, in the order in which they are pulled. */
  layers: readonly MockLayer[];
  /**
   * The config, which is pulled last.
   *
   * @default one of 561 bytes
   */
  config?: MockLayer;
}

/** A blob: what a layer is made of. Layers with the same digest share one. */
export interface Blob {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** The size in bytes. */
  readonly size: number;
  /** What it holds. */
  readonly mediaType: string;
  /** What its bytes follow from. */
  readonly key: string;
}

/** A model with everything filled in. */
export interface Model {
  /** The name, read. */
  readonly name: ModelName;
  /** The layers, in the order in which they are pulled. */
  readonly layers: readonly Blob[];
  /** The config, which is pulled last. */
  readonly config: Blob;
}

/** Everything that is pulled for a model, in order. */
export function blobsOf(model: Model): readonly Blob[] {
  return [...model.layers, model.config];
}

const MEDIA_TYPE = "application/vnd.ollama.image.";
const CONFIG_MEDIA_TYPE = "application/vnd.docker.container.image.v1+json";
const CONFIG_BYTES = 561;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The digest of a blob whose real one has not been worked out yet. */
export const UNKNOWN_DIGEST = "";

/** The largest layer with real bytes: they are hashed in memory. */
const MAX_REAL_BYTES = 2 ** 30;

/** How to fill in what a description leaves open. */
export interface ModelOptions {
  /** What derived digests and bytes follow from. */
  readonly seed: number;
  /** Whether digests are those of real bytes. */
  readonly realBytes: boolean;
}

/** Checks the description of a model and fills in what it leaves open. */
export function resolveModel(description: MockModel, options: ModelOptions): Model {
  const name = parseModelName(String(description.name));
  if (!name) {
    throw new ConfigurationError(`The model name ${JSON.stringify(description.name)} is invalid`);
  }
  if (!Array.isArray(description.layers)) {
    throw new ConfigurationError(
      `The model ${JSON.stringify(description.name)} must have a list of layers`,
    );
  }
  const resolve = (layer: MockLayer, index: number, mediaType: string): Blob => {
    const where = `layer ${index} of the model ${JSON.stringify(description.name)}`;
    return resolveLayer(layer, { where, mediaType, key: `${modelKey(name)}#${index}` }, options);
  };
  const { layers, config = { size: CONFIG_BYTES } } = description;
  return {
    name,
    layers: layers.map((layer, index) => resolve(layer, index, `${MEDIA_TYPE}model`)),
    config: resolve(config, layers.length, CONFIG_MEDIA_TYPE),
  };
}

function resolveLayer(
  { size, digest, mediaType }: MockLayer,
  defaults: { where: string; mediaType: string; key: string },
  { seed, realBytes }: ModelOptions,
): Blob {
  const { where } = defaults;
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new ConfigurationError(`The size of ${where} must be a number of bytes, got ${size}`);
  }
  if (digest !== undefined && !DIGEST.test(digest)) {
    const form = '"sha256:" and 64 hexadecimal digits';
    throw new ConfigurationError(
      `The digest of ${where} must be ${form}, got ${JSON.stringify(digest)}`,
    );
  }
  if (digest !== undefined && realBytes) {
    throw new ConfigurationError(`The digest of ${where} follows from its bytes: leave it out`);
  }
  if (realBytes && size > MAX_REAL_BYTES) {
    throw new ConfigurationError(
      `With realBytes a layer has at most ${MAX_REAL_BYTES} bytes, and ${where} has ${size}`,
    );
  }
  const key = `${seed}/${defaults.key}/${size}`;
  const derived = realBytes ? UNKNOWN_DIGEST : seededDigest(key);
  return { digest: digest ?? derived, size, mediaType: mediaType ?? defaults.mediaType, key };
}

/** Gives every layer of a model the digest of its real bytes. */
export async function withRealDigests(model: Model): Promise<Model> {
  const digested = async (blob: Blob): Promise<Blob> => {
    const hash = await crypto.subtle.digest("SHA-256", seededBytes(blob.key, 0, blob.size));
    const hex = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0"));
    return { ...blob, digest: `sha256:${hex.join("")}` };
  };
  const layers: Blob[] = [];
  for (const layer of model.layers) layers.push(await digested(layer));
  return { ...model, layers, config: await digested(model.config) };
}

/** A layer of a preset. */
function layer(kind: string, size: number): MockLayer {
  return { mediaType: `${MEDIA_TYPE}${kind}`, size };
}

const TENSORS = 453;

/**
 * Models with the shape of well-known ones: a few layers, one of them almost all of the bytes. `tiny`
 * is for quick tests; `tensors` has hundreds of small blobs, as models do that are stored by tensor.
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
