/**
 * The models that a mock can serve: their descriptions, and their layers with digests.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import { seededBytes, seededDigest } from "../runtime/random.ts";
import { type MockModelInfo, type ModelInfo, resolveInfo } from "./model_info.ts";
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
   * A name for the bytes, which replaces the model's name and the layer's position in their seed. Layers with
   * the same `content` and size are the same blob, in any model, and also with `realBytes`.
   *
   * @default none
   */
  content?: string | undefined;
  /**
   * The media type, which says what the layer contains.
   *
   * @default {"application/vnd.ollama.image.model"}
   */
  mediaType?: string | undefined;
}

/** A model without its name. */
export interface MockModelTemplate extends MockModelInfo {
  /**
   * The size in bytes of the layer with the weights. Two small layers are added to it. Leave it out if you
   * give `layers`.
   *
   * @default {2_000_000}
   */
  size?: number | undefined;
  /**
   * The layers, in the order in which they are pulled.
   *
   * @default one of `size` bytes for the weights, one for the template and one for the parameters
   */
  layers?: readonly MockLayer[] | undefined;
  /**
   * The config, which is pulled last.
   *
   * @default one of 561 bytes
   */
  config?: MockLayer | undefined;
  /**
   * Whether a pull installs the model. If not, the pull reports `success`, but the server does not have the
   * model afterwards, though it keeps the layers. Clients that trust `success` alone get this wrong.
   *
   * @default {true}
   */
  installs?: boolean | undefined;
}

/**
 * A model: its name, its layers, and what `/api/tags` and `/api/show` return for it. The name alone gives a
 * small model.
 */
export interface MockModel extends MockModelTemplate {
  /** The name: `[host[:port]/][namespace/]name[:tag]`. */
  name: string;
}

/** A blob: the content of a layer. Layers with the same digest share one blob. */
export interface Blob {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** The size in bytes. */
  readonly size: number;
  /** The media type, which says what it contains. */
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
  /** What the API returns for it. */
  readonly info: ModelInfo;
  /** Whether a pull installs it. */
  readonly installs: boolean;
  /** Whether its pulls are recorded ones, so that the mock does not simulate downloads of it. */
  readonly isRecorded?: true;
}

/** All blobs of a model, in the order in which they are pulled. */
export function blobsOf(model: Model): readonly Blob[] {
  return [...model.layers, model.config];
}

/** The distinct blobs of a model, in order. */
export function distinctBlobsOf(model: Model): readonly Blob[] {
  return [...new Map(blobsOf(model).map((blob) => [blob.digest, blob])).values()];
}

/** Finds the model of a name. */
export function findModel(models: readonly Model[], name: ModelName): Model | undefined {
  const key = modelKey(name);
  return models.find((model) => modelKey(model.name) === key);
}

/** The prefix of the media types of layers. */
export const MEDIA_TYPE = "application/vnd.ollama.image.";
const CONFIG_MEDIA_TYPE = "application/vnd.docker.container.image.v1+json";
const CONFIG_BYTES = 561;
const DEFAULT_MODEL_BYTES = 2_000_000;
const TEMPLATE_BYTES = 1_429;
const PARAMS_BYTES = 96;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether a text is a digest: `sha256:` and 64 hexadecimal digits. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** The digest of a blob whose real digest is not computed yet. */
export const UNKNOWN_DIGEST = "";

/** The size in bytes of the largest layer with real bytes, which are hashed in memory. */
const MAX_REAL_BYTES = 2 ** 30;

/** How to fill in the parts that a description leaves out. */
export interface ModelOptions {
  /** The seed of derived digests and bytes. */
  readonly seed: number;
  /** Whether to compute digests from real bytes. */
  readonly realBytes: boolean;
}

/** Checks the description of a model and fills in what it leaves out. */
export function resolveModel(description: MockModel, options: ModelOptions): Model {
  const name = requireModelName(description.name);
  const resolve = (layer: MockLayer, index: number, mediaType: string): Blob => {
    const where = `layer ${index} of the model ${show(description.name)}`;
    return resolveLayer(layer, { where, mediaType, key: `${modelKey(name)}#${index}` }, options);
  };
  const { config = { size: CONFIG_BYTES }, installs = true } = description;
  const layers = describeLayers(description).map((layer, index) =>
    resolve(layer, index, `${MEDIA_TYPE}model`)
  );
  const size = layers.reduce((total, layer) => total + layer.size, 0);
  return {
    name,
    layers,
    config: resolve(config, layers.length, CONFIG_MEDIA_TYPE),
    info: resolveInfo(description, { name, size }),
    installs,
  };
}

/**
 * Makes a model on demand for a name. Its digests do not depend on the host: the mock stands in for every
 * registry, and is reached at an address of its own.
 */
export function resolveAny(
  name: ModelName,
  template: MockModelTemplate,
  options: ModelOptions,
): Model {
  const { namespace, model, tag } = name;
  return { ...resolveModel({ ...template, name: `${namespace}/${model}:${tag}` }, options), name };
}

/** The layers of a description, or the default ones for its size. */
function describeLayers({ name, size, layers }: MockModel): readonly MockLayer[] {
  if (layers === undefined) return layersOfSize(size ?? DEFAULT_MODEL_BYTES);
  if (!Array.isArray(layers)) {
    throw new ConfigurationError(
      `Cannot use the layers ${show(layers)} of the model ${show(name)}: they must be an array, ` +
        "such as [{ size: 1000 }]",
    );
  }
  if (size !== undefined) {
    throw new ConfigurationError(
      `Cannot use the size ${show(size)} of the model ${
        show(name)
      } besides its layers: leave out ` +
        "one of the two",
    );
  }
  return layers;
}

function layersOfSize(size: number): readonly MockLayer[] {
  return [
    { size },
    { size: TEMPLATE_BYTES, mediaType: `${MEDIA_TYPE}template` },
    { size: PARAMS_BYTES, mediaType: `${MEDIA_TYPE}params` },
  ];
}

function resolveLayer(
  { size, digest, content, mediaType }: MockLayer,
  defaults: { where: string; mediaType: string; key: string },
  { seed, realBytes }: ModelOptions,
): Blob {
  const { where } = defaults;
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new ConfigurationError(
      `Cannot use the size ${show(size)} of ${where}: it must be a whole number of bytes`,
    );
  }
  if (digest !== undefined && !isDigest(digest)) {
    throw new ConfigurationError(
      `Cannot use the digest ${show(digest)} of ${where}: it must be "sha256:" and 64 digits ` +
        "from 0-9 and a-f",
    );
  }
  if (content !== undefined && (typeof content !== "string" || digest !== undefined)) {
    const problem = digest === undefined ? "it must be a text" : "it has a digest, so leave it out";
    throw new ConfigurationError(`Cannot use the content ${show(content)} of ${where}: ${problem}`);
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
  const source = content === undefined ? defaults.key : `content ${content}`;
  const key = `${seed}/${source}/${size}`;
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
