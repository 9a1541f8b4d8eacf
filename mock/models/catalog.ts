/**
 * Which models the registry offers, and which of them were pulled.
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

/** A model that was pulled. */
export interface PulledModel {
  /** The model as it was pulled. */
  readonly model: Model;
  /** When, in milliseconds since 1970. */
  readonly pulledAt: number;
}

/** A blob and a model that it is part of. */
export interface FoundBlob {
  readonly model: Model;
  readonly blob: Blob;
}

/** Options of {@link Catalog}. */
export interface CatalogOptions extends ModelOptions {
  /** What is made into a model of any name that is asked for, if any is offered. */
  readonly template: MockModelTemplate | undefined;
  /** Called with the digest of each blob that no model uses any more. */
  readonly onUnused: (digest: string) => void;
  /** The date, in milliseconds since 1970. */
  readonly today: () => number;
}

/** The models of a mock. */
export class Catalog {
  readonly #options: CatalogOptions;
  /** What the registry offers. Promises, since real digests take time to compute. */
  readonly #offered = new Map<string, Promise<Model>>();
  /** The names that the registry stopped offering, which is why no model is made for them. */
  readonly #withdrawn = new Set<string>();
  readonly #pulled = new Map<string, PulledModel>();
  /** The sizes of all blobs that were ever offered. All blobs of a digest have the same size. */
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
      `Cannot use the preset ${show(description)}: it must be one of ${names}. Any other model ` +
        `is described, as in { name: ${show(description)} }`,
    );
  }

  /** Makes a model for a name, if the registry has any. */
  make(name: ModelName): Model | undefined {
    const { template } = this.#options;
    return template && resolveAny(name, template, this.#options);
  }

  /** Offers a model, in place of one of the same name if there is one. Returns it with all digests. */
  offer(model: Model): Promise<Model> {
    const complete = this.complete(model);
    this.#offered.set(modelKey(model.name), complete);
    return complete;
  }

  /** Checks that a model can be on the same disk as all others: a digest has one size. */
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

  /** The model with all digests. */
  complete(model: Model): Promise<Model> {
    this.claim(model);
    const complete = this.#options.realBytes ? withRealDigests(model) : Promise.resolve(model);
    complete.catch(() => {}); // those who wait for it reject with it
    return complete;
  }

  /** Stops offering a model. */
  withdraw(name: ModelName): boolean {
    const key = modelKey(name);
    const wasOffered = this.#offered.delete(key) ||
      (this.#options.template !== undefined && !this.#withdrawn.has(key));
    this.#withdrawn.add(key);
    return wasOffered;
  }

  /** The model of a name, if the registry offers it: it may be made for the name. */
  async find(name: ModelName): Promise<Model | undefined> {
    const key = modelKey(name);
    if (this.#offered.has(key) || this.#withdrawn.has(key)) return await this.findOffered(name);
    const made = this.make(name);
    return made && await this.offer(made);
  }

  /** The model of a name, if the registry offers it already. */
  async findOffered(name: ModelName): Promise<Model | undefined> {
    return await this.#offered.get(modelKey(name));
  }

  /** All models that the registry offers. */
  async offered(): Promise<readonly Model[]> {
    return await Promise.all(this.#offered.values());
  }

  /** The blob of a digest, if the registry offers it. */
  async findBlob(digest: string): Promise<FoundBlob | undefined> {
    for (const model of await this.offered()) {
      const blob = blobsOf(model).find((each) => each.digest === digest);
      if (blob) return { model, blob };
    }
    return undefined;
  }

  /** The models that were pulled, the latest first. */
  get pulled(): readonly PulledModel[] {
    return [...this.#pulled.values()].reverse();
  }

  /** The model of a name, if it was pulled. */
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

  /** Deletes a pulled model, with the blobs that no other one uses. */
  delete(name: ModelName): boolean {
    const pulled = this.#pulled.get(modelKey(name));
    if (!pulled) return false;
    this.#pulled.delete(modelKey(name));
    this.#removeUnused(pulled.model);
    return true;
  }

  /** Copies a pulled model to another name. */
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

/** A name as the real server lists it. */
export function listedName({ model }: PulledModel): string {
  return shortName(model.name);
}
