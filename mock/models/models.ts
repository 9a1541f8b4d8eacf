/**
 * The models that a mock can serve: their description, and their layers with digests.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import { seededBytes, seededDigest } from "../runtime/random.ts";
import { modelKey, type ModelName, requireModelName } from "./model_name.ts";

/** A layer of a model. */
export interface MockLayer {
  /** The size in bytes. */
  size: number;
  /**
   * The digest, as `sha256:` and 64 hexadecimal digits.
   *
   * @default derived from the seed, the model's name, the layer's position and its size
   */
  digest?: string | undefined;
  /**
   * What the layer holds.
   *
   * @default {"application/vnd.ollama.image.model"}
   */
  mediaType?: string | undefined;
}

/** A model that the mock's registry offers. */
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
  config?: MockLayer | undefined;
}

/** A blob: what a layer is made of. Layers with the same digest share one. */
export interface Blob {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** The size in bytes. */
  readonly size: number;
  /** What it holds. */
  readonly mediaType: string;
  /** The seed of its bytes. */
  readonly key: string;
}

/** A model with all defaults filled in. */
export interface Model {
  /** The name, parsed. */
  readonly name: ModelName;
  /** The layers, in the order in which they are pulled. */
  readonly layers: readonly Blob[];
  /** The config, which is pulled last. */
  readonly config: Blob;
}

/** All blobs of a model, in the order in which they are pulled. */
export function blobsOf(model: Model): readonly Blob[] {
  return [...model.layers, model.config];
}

/** The blobs of a model, each once, in order. */
export function distinctBlobsOf(model: Model): readonly Blob[] {
  return [...new Map(blobsOf(model).map((blob) => [blob.digest, blob])).values()];
}

/** What the media types of layers begin with. */
export const MEDIA_TYPE = "application/vnd.ollama.image.";
const CONFIG_MEDIA_TYPE = "application/vnd.docker.container.image.v1+json";
const CONFIG_BYTES = 561;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The digest of a blob whose real one is not computed yet. */
export const UNKNOWN_DIGEST = "";

/** The largest layer with real bytes: they are hashed in memory. */
const MAX_REAL_BYTES = 2 ** 30;

/** How to fill in what a description leaves out. */
export interface ModelOptions {
  /** The seed of derived digests and bytes. */
  readonly seed: number;
  /** Whether digests are computed from real bytes. */
  readonly realBytes: boolean;
}

/** Checks the description of a model and fills in what it leaves out. */
export function resolveModel(description: MockModel, options: ModelOptions): Model {
  const name = requireModelName(description.name);
  if (!Array.isArray(description.layers)) {
    throw new ConfigurationError(
      `Cannot use the layers ${show(description.layers)} of the model ${show(description.name)}: ` +
        "they must be an array, such as [{ size: 1000 }]",
    );
  }
  const resolve = (layer: MockLayer, index: number, mediaType: string): Blob => {
    const where = `layer ${index} of the model ${show(description.name)}`;
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
    throw new ConfigurationError(
      `Cannot use the size ${show(size)} of ${where}: it must be a whole number of bytes`,
    );
  }
  if (digest !== undefined && !DIGEST.test(digest)) {
    throw new ConfigurationError(
      `Cannot use the digest ${show(digest)} of ${where}: it must be "sha256:" and 64 digits ` +
        "from 0-9 and a-f",
    );
  }
  if (digest !== undefined && realBytes) {
    throw new ConfigurationError(
      `Cannot use the digest ${show(digest)} of ${where} with realBytes: it is computed from the ` +
        "bytes, so leave it out",
    );
  }
  if (realBytes && size > MAX_REAL_BYTES) {
    throw new ConfigurationError(
      `Cannot use the size ${size} of ${where} with realBytes: it must be at most ` +
        `${MAX_REAL_BYTES} bytes`,
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
