/**
 * The documents that a registry serves for a model: its manifest, and an index that leads to it.
 *
 * @module
 */

import { sha256Digest } from "../../src/digest.ts";
import type { Blob, Model } from "./models.ts";

/** A manifest, as an OCI registry serves it. */
export interface Manifest {
  /** Always 2. */
  readonly schemaVersion: 2;
  /** `application/vnd.docker.distribution.manifest.v2+json`. */
  readonly mediaType: string;
  /** The config. */
  readonly config: ManifestEntry;
  /** The layers, in the order in which they are pulled. */
  readonly layers: readonly ManifestEntry[];
}

/** A blob that a manifest lists. */
export interface ManifestEntry {
  /** The media type, which says what it contains. */
  readonly mediaType: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** The size in bytes. */
  readonly size: number;
}

/** A document of a registry, in the exact bytes that are sent. */
export interface RegistryDocument {
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: string;
}

/** The content of a document. */
interface RegistryContent {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly [field: string]: unknown;
}

/** The media type of a manifest. */
export const MANIFEST_MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json";

/** The media type of an index. */
export const INDEX_MEDIA_TYPE = "application/vnd.oci.image.index.v1+json";

/** The manifest of a model. */
export function manifestOf({ config, layers }: Model): Manifest {
  return {
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    config: entryOf(config),
    layers: layers.map(entryOf),
  };
}

function entryOf({ mediaType, digest, size }: Blob): ManifestEntry {
  return { mediaType, digest, size };
}

/** The manifest of a model, as sent. */
export function manifestDocument(model: Model): RegistryDocument {
  return toDocument({ ...manifestOf(model) });
}

/**
 * An index that lists two manifests: first an attestation, which says how the model was built and whose
 * platform is unknown, then the model's manifest. A client that takes the first manifest takes the wrong one.
 */
export function indexDocument(model: Model): RegistryDocument {
  return toDocument({
    schemaVersion: 2,
    mediaType: INDEX_MEDIA_TYPE,
    manifests: [
      indexEntryOf(attestationDocument(model), "unknown", "unknown"),
      indexEntryOf(manifestDocument(model), "linux", "amd64"),
    ],
  });
}

/** The attestation manifest of a model. */
export function attestationDocument({ config }: Model): RegistryDocument {
  const statement = { ...entryOf(config), mediaType: "application/vnd.in-toto+json" };
  return toDocument({
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    config: entryOf(config),
    layers: [statement],
  });
}

function indexEntryOf(
  { mediaType, digest, bytes }: RegistryDocument,
  os: string,
  architecture: string,
) {
  return { mediaType, digest, size: bytes.length, platform: { architecture, os } };
}

function toDocument(content: RegistryContent): RegistryDocument {
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  return { mediaType: content.mediaType, bytes, digest: sha256Digest(bytes) };
}
