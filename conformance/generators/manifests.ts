/**
 * Generates manifests, which list the parts of a model.
 *
 * @module
 */

import fc from "fast-check";
import type { LayerSize } from "../../src/snapshot.ts";
import type { Arbitrary } from "./arbitrary.ts";

/** One entry of a manifest (observed: what an OCI registry lists). */
export interface ManifestLayer {
  /** The media type, such as `application/vnd.ollama.image.model`. */
  readonly mediaType: string;
  /** The digest of the blob: `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** The size of the blob, in bytes. */
  readonly size: number;
}

/** The parts of a model (observed: an OCI image manifest). */
export interface Manifest {
  /** Always 2. */
  readonly schemaVersion: 2;
  /** Always `application/vnd.docker.distribution.manifest.v2+json`. */
  readonly mediaType: string;
  /** The blob that is pulled last. */
  readonly config: ManifestLayer;
  /** The other blobs, in the order in which they are pulled. */
  readonly layers: readonly ManifestLayer[];
}

/** Options of {@link manifests}. */
export interface ManifestOptions {
  /**
   * The most layers in a manifest, not counting its config.
   *
   * @default {5}
   */
  maxLayers?: number | undefined;
  /**
   * The largest size of a layer, in bytes.
   *
   * @default {1099511627776}
   */
  maxLayerBytes?: number | undefined;
}

const DEFAULT_MAX_LAYERS = 5;
/** 1 TiB: more than any model, and small enough that the sizes of many layers add up exactly. */
const DEFAULT_MAX_LAYER_BYTES = 2 ** 40;

const LAYER_MEDIA_TYPES = ["model", "template", "license", "params", "system", "tensor"].map(
  (name) => `application/vnd.ollama.image.${name}`,
);

/**
 * Digests: `sha256:` and 64 hex digits, which differ in the first twelve. They are not the hash of any bytes.
 */
export function digests(): Arbitrary<string> {
  return fc.nat({ max: 2 ** 48 - 1 }).map((number) =>
    `sha256:${number.toString(16).padStart(12, "0").padEnd(64, "0")}`
  );
}

/**
 * The sizes of layers in bytes: some tiny, like those of parameters, some like those of weights.
 *
 * @param max The largest.
 */
function layerSizes(max: number): Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min: 1, max: Math.min(max, 1000) }),
    fc.integer({ min: 1, max }),
  );
}

/**
 * Manifests: up to `maxLayers` layers and a config, all with different digests and at least one byte.
 *
 * @param options How large they may be.
 */
export function manifests(options: ManifestOptions = {}): Arbitrary<Manifest> {
  const { maxLayers = DEFAULT_MAX_LAYERS, maxLayerBytes = DEFAULT_MAX_LAYER_BYTES } = options;
  const layer: Arbitrary<ManifestLayer> = fc.record({
    mediaType: fc.constantFrom(...LAYER_MEDIA_TYPES),
    digest: digests(),
    size: layerSizes(maxLayerBytes),
  });
  const blobs = fc.uniqueArray(layer, {
    minLength: 1,
    maxLength: maxLayers + 1,
    selector: ({ digest }) => digest,
  });
  return blobs.map(([config, ...layers]) => ({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: { ...config!, mediaType: "application/vnd.docker.container.image.v1+json" },
    layers,
  }));
}

/**
 * The digests and sizes of a manifest's blobs in the order in which a server pulls them: the layers,
 * then the config (observed).
 *
 * @param manifest The manifest.
 */
export function layerSizesOf(manifest: Manifest): LayerSize[] {
  return [...manifest.layers, manifest.config].map(({ digest, size }) => ({ digest, size }));
}
