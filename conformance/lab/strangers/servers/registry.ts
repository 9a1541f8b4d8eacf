/**
 * The registry that a server pulls from: models, their layers, and what fails.
 *
 * @module
 */

import { seededDigest } from "../../../../mock/runtime/random.ts";

/** A layer of a model. */
export interface Layer {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** Its size in bytes. */
  readonly size: number;
}

/** A layer whose digest follows from a label and its size. */
export function layerOf(label: string, size: number): Layer {
  return { digest: seededDigest(label, size), size };
}

/** What the registry does wrong with a layer: it sends other bytes, or fails when half of them are sent. */
export type LayerFault = "corrupt" | "unreachable";

/** The host whose models a name without a host means. */
export const DEFAULT_HOST = "registry.ollama.ai";

/** A registry. */
export class Registry {
  /** The faults of layers, by digest. */
  readonly faults = new Map<string, LayerFault>();
  readonly #models = new Map<string, readonly Layer[]>();

  /** Publishes a model, for the first time or anew. Its layers are in the order of the pull, config last. */
  publish(name: string, layers: readonly Layer[]): void {
    this.#models.set(parseName(name)!.key, layers);
  }

  /** The layers of a model, or `undefined` if there is no such model. */
  manifestOf(key: string): readonly Layer[] | undefined {
    return this.#models.get(key);
  }

  /** How many bytes of a layer the registry sends. */
  bytesSent({ digest, size }: Layer): number {
    return this.faults.get(digest) === "unreachable" ? Math.floor(size / 2) : size;
  }
}

/** A model by its name. */
export interface ModelName {
  /** The same for all names of the model. */
  readonly key: string;
  /** As `/api/tags` lists it: what is the default is left out, except for the tag. */
  readonly display: string;
  readonly isPlainHttp: boolean;
}

const NAME =
  /^(https?:\/\/)?(?:([\w.-]+(?::\d+)?)\/(?=[^/]+\/))?(?:(\w[\w-]*)\/)?(\w[\w.-]*)(?::(\w[\w.-]*))?$/;

/** Reads a name: `[scheme://][host[:port]/][namespace/]model[:tag]`. Returns `undefined` if it is invalid. */
export function parseName(text: string): ModelName | undefined {
  if (text.length > 250) return undefined;
  const [, scheme, host = DEFAULT_HOST, namespace = "library", model, tag = "latest"] =
    NAME.exec(text) ?? [];
  if (model === undefined) return undefined;
  const shownHost = host === DEFAULT_HOST ? "" : `${host}/`;
  const shownNamespace = shownHost || namespace !== "library" ? `${namespace}/` : "";
  return {
    key: `${host}/${namespace}/${model}:${tag}`.toLowerCase(),
    display: `${shownHost}${shownNamespace}${model}:${tag}`,
    isPlainHttp: scheme === "http://",
  };
}
