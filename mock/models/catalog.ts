/**
 * Which models are in the registry, and which of them are installed.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import { modelKey, type ModelName, requireModelName, shortName } from "./model_name.ts";
import {
  type Blob,
  blobsOf,
  type MockModel,
  type MockModelTemplate,
  type Model,
  type ModelOptions,
  resolveAny,
  resolveModel,
  UNKNOWN_DIGEST,
  withRealDigests,
} from "./models.ts";
import { presetNamed, presets } from "./presets.ts";

/** An installed model. */
export interface PulledModel {
  /** The model as it was pulled. */
  readonly model: Model;
  /** When it was pulled, in milliseconds since 1970. */
  readonly pulledAt: number;
}

/** A blob and a model that it is part of. */
export interface FoundBlob {
  readonly model: Model;
  readonly blob: Blob;
}

/** Options of {@link Catalog}. */
export interface CatalogOptions extends ModelOptions {
  /** The template for models of every name, if the registry makes models on demand. */
  readonly template: MockModelTemplate | undefined;
  /** Called with the digest of each blob that no installed model uses any more. */
  readonly onUnused: (digest: string) => void;
  /** The current date, in milliseconds since 1970. */
  readonly today: () => number;
}

/** The models of a mock. */
export class Catalog {
  readonly #options: CatalogOptions;
  /** The models in the registry. They are promises, since real digests take time to compute. */
  readonly #offered = new Map<string, Promise<Model>>();
  /** The names that were withdrawn from the registry, so that no model is made on demand for them. */
  readonly #withdrawn = new Set<string>();
  readonly #pulled = new Map<string, PulledModel>();
  /**
   * The sizes of all blobs that were ever in the registry. All blobs with the same digest have the same size.
   */
  readonly #sizes = new Map<string, number>();

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /** Checks the description of a model and fills in what it leaves out. */
  resolve(description: MockModel | string): Model {
    if (typeof description !== "string") return resolveModel(description, this.#options);
    const preset = presetNamed(description);
    if (preset) return resolveModel(preset, this.#options);
    const made = this.#options.template && this.make(requireModelName(description));
    if (made) return made;
    const names = Object.keys(presets).join(", ");
    throw new ConfigurationError(
      `Cannot use the preset ${show(description)}: it must be one of ${names}. Describe any ` +
        `other model, as in { name: ${show(description)} }`,
    );
  }

  /** Makes a model on demand for a name, if the registry does that. */
  make(name: ModelName): Model | undefined {
    const { template } = this.#options;
    return template && resolveAny(name, template, this.#options);
  }

  /**
   * Adds a model to the registry, or replaces the one with the same name. Resolves with all digests known.
   */
  offer(model: Model): Promise<Model> {
    const complete = this.complete(model);
    this.#offered.set(modelKey(model.name), complete);
    return complete;
  }

  /** Checks that a model can be on the same disk as all others: a digest has only one size. */
  claim(model: Model): void {
    for (const { digest, size } of blobsOf(model)) {
      if (digest === UNKNOWN_DIGEST) continue;
      if ((this.#sizes.get(digest) ?? size) !== size) {
        throw new ConfigurationError(
          `Cannot use the digest ${show(digest)} in the model ${show(shortName(model.name))} for ` +
            `${size} bytes: another blob of ${this.#sizes.get(digest)} bytes has it`,
        );
      }
      this.#sizes.set(digest, size);
    }
  }

  /** The model, once all its digests are known. */
  complete(model: Model): Promise<Model> {
    this.claim(model);
    const complete = this.#options.realBytes ? withRealDigests(model) : Promise.resolve(model);
    complete.catch(() => {}); // whoever awaits it gets the error
    return complete;
  }

  /** Removes a model from the registry. */
  withdraw(name: ModelName): boolean {
    const key = modelKey(name);
    const wasOffered = this.#offered.delete(key) ||
      (this.#options.template !== undefined && !this.#withdrawn.has(key));
    this.#withdrawn.add(key);
    return wasOffered;
  }

  /** Finds a model in the registry, or makes it on demand. */
  async find(name: ModelName): Promise<Model | undefined> {
    const key = modelKey(name);
    if (this.#offered.has(key) || this.#withdrawn.has(key)) return await this.findOffered(name);
    const made = this.make(name);
    return made && await this.offer(made);
  }

  /** Finds a model that is already in the registry. */
  async findOffered(name: ModelName): Promise<Model | undefined> {
    return await this.#offered.get(modelKey(name));
  }

  /** All models in the registry. */
  async offered(): Promise<readonly Model[]> {
    return await Promise.all(this.#offered.values());
  }

  /** Finds a blob by digest, among the registry's models. */
  async findBlob(digest: string): Promise<FoundBlob | undefined> {
    for (const model of await this.offered()) {
      const blob = blobsOf(model).find((each) => each.digest === digest);
      if (blob) return { model, blob };
    }
    return undefined;
  }

  /** The installed models, the most recent first. */
  get pulled(): readonly PulledModel[] {
    return [...this.#pulled.values()].reverse();
  }

  /** The installed model of a name. */
  findPulled(name: ModelName): PulledModel | undefined {
    return this.#pulled.get(modelKey(name));
  }

  /**
   * Records that a model was pulled, and removes the blobs that no model uses any more. Returns whether
   * the previous version had layers that this one lacks. The real server reports removing those even
   * when it keeps them for another model (observed).
   */
  install(model: Model): boolean {
    const key = modelKey(model.name);
    const before = this.#pulled.get(key)?.model;
    this.#pulled.delete(key);
    this.#pulled.set(key, { model, pulledAt: this.#options.today() });
    if (!before) return false;
    this.#removeUnused(before);
    const kept = new Set(blobsOf(model).map(({ digest }) => digest));
    return blobsOf(before).some(({ digest }) => !kept.has(digest));
  }

  /** Deletes an installed model, and the blobs that no other one uses. */
  delete(name: ModelName): boolean {
    const pulled = this.#pulled.get(modelKey(name));
    if (!pulled) return false;
    this.#pulled.delete(modelKey(name));
    this.#removeUnused(pulled.model);
    return true;
  }

  /** Copies an installed model to another name. */
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

/** A name as the real server's lists show it. */
export function listedName({ model }: PulledModel): string {
  return shortName(model.name);
}
