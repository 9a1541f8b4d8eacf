/**
 * Which models the library offers, and which of them were pulled.
 *
 * @module
 */

import { ConfigurationError } from "../configuration_error.ts";
import { modelKey, type ModelName, parseModelName, shortName } from "./model_name.ts";
import {
  type Blob,
  blobsOf,
  type MockModel,
  type Model,
  type ModelOptions,
  resolveModel,
  UNKNOWN_DIGEST,
  withRealDigests,
} from "./models.ts";
import { presets } from "./presets.ts";

/** A model that was pulled. */
export interface PulledModel {
  /** The model as it was pulled. */
  readonly model: Model;
  /** When, in milliseconds of the mock's clock. */
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

/** A blob and a model that it is part of. */
export interface FoundBlob {
  readonly model: Model;
  readonly blob: Blob;
}

/** What a catalog works with. */
export interface CatalogOptions extends ModelOptions {
  /** Called with the digest of a blob that no model uses any more. */
  readonly onUnused: (digest: string) => void;
  readonly now: () => number;
}

/** The models of a mock. */
export class Catalog {
  readonly #options: CatalogOptions;
  /** What the library offers; a promise, for real digests take time to work out. */
  readonly #offered = new Map<string, Promise<Model>>();
  readonly #pulled = new Map<string, PulledModel>();
  /** The sizes of the blobs that were ever offered. A digest stands for one size. */
  readonly #sizes = new Map<string, number>();

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /** Checks the description of a model and fills in what it leaves open. */
  resolve(description: MockModel | string): Model {
    return resolveModel(describe(description), this.#options);
  }

  /** Offers a model, in place of one of the same name if there is one. */
  offer(model: Model): void {
    for (const { digest, size } of blobsOf(model)) {
      if (digest === UNKNOWN_DIGEST) continue;
      if ((this.#sizes.get(digest) ?? size) !== size) {
        const name = JSON.stringify(shortName(model.name));
        throw new ConfigurationError(
          `The digest ${digest} in the model ${name} is that of a blob of another size`,
        );
      }
      this.#sizes.set(digest, size);
    }
    const complete = this.#options.realBytes ? withRealDigests(model) : Promise.resolve(model);
    complete.catch(() => {}); // whoever asks for the model is told
    this.#offered.set(modelKey(model.name), complete);
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
  async findBlob(digest: string): Promise<FoundBlob | undefined> {
    for (const model of await Promise.all(this.#offered.values())) {
      const blob = blobsOf(model).find((each) => each.digest === digest);
      if (blob) return { model, blob };
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

  /**
   * Records that a model was pulled, and removes what is not used any more. Returns whether the one
   * before had layers that this one has not: observed, the server tells of removing them even if it
   * then finds that other models use them.
   */
  install(model: Model): boolean {
    const key = modelKey(model.name);
    const before = this.#pulled.get(key)?.model;
    this.#pulled.delete(key);
    this.#pulled.set(key, { model, pulledAt: this.#options.now() });
    if (!before) return false;
    this.#removeUnused(before);
    const kept = new Set(blobsOf(model).map(({ digest }) => digest));
    return blobsOf(before).some(({ digest }) => !kept.has(digest));
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

  #removeUnused(model: Model): void {
    const used = new Set(
      this.pulled.flatMap((pulled) => blobsOf(pulled.model).map(({ digest }) => digest)),
    );
    for (const { digest } of blobsOf(model)) {
      if (!used.has(digest)) this.#options.onUnused(digest);
    }
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
