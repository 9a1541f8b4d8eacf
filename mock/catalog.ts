/**
 * Which models the library offers, and which of them were pulled.
 *
 * @module
 */

import { ConfigurationError } from "./configuration_error.ts";
import type { BlobStore } from "./downloads.ts";
import { modelKey, type ModelName, parseModelName, shortName } from "./model_name.ts";
import {
  type Blob,
  blobsOf,
  type MockModel,
  type Model,
  type ModelOptions,
  presets,
  resolveModel,
  withRealDigests,
} from "./models.ts";

/** A model that was pulled. */
export interface PulledModel {
  /** The model as it was pulled. */
  readonly model: Model;
  /** When, in milliseconds since 1970. */
  readonly pulledAt: number;
}

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
  /** What it holds. */
  readonly mediaType: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** The size in bytes. */
  readonly size: number;
}

/** The media type of a manifest. */
export const MANIFEST_MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json";

/** The manifest of a model. */
export function manifestOf({ config, layers }: Model): Manifest {
  const entry = ({ mediaType, digest, size }: Blob): ManifestEntry => ({ mediaType, digest, size });
  return {
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    config: entry(config),
    layers: layers.map(entry),
  };
}

/** The models of a mock. */
export class Catalog {
  readonly #options: ModelOptions;
  readonly #store: BlobStore;
  /** What the library offers; a promise, for real digests take time to work out. */
  #offered = new Map<string, Promise<Model>>();
  #pulled = new Map<string, PulledModel>();

  constructor(options: ModelOptions, store: BlobStore) {
    this.#options = options;
    this.#store = store;
  }

  /** Offers a model, in place of one of the same name if there is one. */
  offer(description: MockModel | string): Model {
    const model = resolveModel(describe(description), this.#options);
    const complete = this.#options.realBytes ? withRealDigests(model) : Promise.resolve(model);
    complete.catch(() => {}); // whoever asks for the model is told
    this.#offered.set(modelKey(model.name), complete);
    return model;
  }

  /** Whether a model of that name is offered. */
  offers(name: ModelName): boolean {
    return this.#offered.has(modelKey(name));
  }

  /** Offers a model no longer. */
  withdraw(name: ModelName): boolean {
    return this.#offered.delete(modelKey(name));
  }

  /** The model of a name that the library offers. */
  async find(name: ModelName): Promise<Model | undefined> {
    return await this.#offered.get(modelKey(name));
  }

  /** The blob of a digest that the library offers. */
  async findBlob(digest: string): Promise<Blob | undefined> {
    for (const model of await Promise.all(this.#offered.values())) {
      const blob = blobsOf(model).find((each) => each.digest === digest);
      if (blob) return blob;
    }
    return undefined;
  }

  /** The models that were pulled, the latest first. */
  get pulled(): readonly PulledModel[] {
    return [...this.#pulled.values()].reverse();
  }

  /** The model of a name that was pulled. */
  findPulled(name: ModelName): PulledModel | undefined {
    return this.#pulled.get(modelKey(name));
  }

  /** Records that a model was pulled, and returns how many blobs that leaves unused. */
  install(model: Model): number {
    const key = modelKey(model.name);
    const before = this.#pulled.get(key)?.model;
    this.#pulled.delete(key);
    this.#pulled.set(key, { model, pulledAt: Date.now() });
    return before ? this.#removeUnused(before) : 0;
  }

  /** Deletes a model that was pulled, with the blobs that no other one uses. */
  delete(name: ModelName): boolean {
    const pulled = this.#pulled.get(modelKey(name));
    if (!pulled) return false;
    this.#pulled.delete(modelKey(name));
    this.#removeUnused(pulled.model);
    return true;
  }

  /** Copies a model that was pulled under another name. */
  copy(model: Model, name: ModelName): void {
    this.install({ ...model, name });
  }

  #removeUnused(model: Model): number {
    const used = new Set(
      this.pulled.flatMap((pulled) => blobsOf(pulled.model).map(({ digest }) => digest)),
    );
    const unused = new Set(blobsOf(model).map(({ digest }) => digest).filter((d) => !used.has(d)));
    for (const digest of unused) this.#store.remove(digest);
    return unused.size;
  }
}

function describe(description: MockModel | string): MockModel {
  if (typeof description !== "string") return description;
  const preset = Object.hasOwn(presets, description) ? presets[description] : undefined;
  if (preset) return preset;
  const names = Object.keys(presets).join(", ");
  throw new ConfigurationError(
    `There is no preset ${JSON.stringify(description)}; there are ${names}`,
  );
}

/** Reads the name of a model in a configuration. */
export function requireModelName(text: string): ModelName {
  const name = parseModelName(text);
  if (!name) throw new ConfigurationError(`The model name ${JSON.stringify(text)} is invalid`);
  return name;
}

/** A name as the real server lists it. */
export function listedName({ model }: PulledModel): string {
  return shortName(model.name);
}
