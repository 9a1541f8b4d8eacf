/**
 * Model names in the registry and in the configuration. Here, surrounding white space and a final source
 * (`:cloud`, `:local`) have no special meaning.
 *
 * @module
 */

import { DEFAULT_REGISTRY, type ModelName, parsePlainName } from "../../src/model_name.ts";
import { ConfigurationError, show } from "../configuration_error.ts";

export type { ModelName };

/** Reads a name. Returns `undefined` if the real server would call it invalid. */
export function parseModelName(text: string): ModelName | undefined {
  try {
    return parsePlainName(text);
  } catch {
    return undefined;
  }
}

/** Reads a name from the configuration. */
export function requireModelName(name: unknown): ModelName {
  if (typeof name !== "string") {
    throw new ConfigurationError(
      `Cannot use the model name ${show(name)}: it must be a string such as "llama3.2"`,
    );
  }
  try {
    return parsePlainName(name);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ConfigurationError(error.message);
  }
}

/**
 * The key of a model in maps: equal for all spellings of the same name. Like the real server, it ignores
 * case.
 */
export function modelKey({ host, namespace, model, tag }: ModelName): string {
  const key = `${host}/${namespace}/${model}:${tag}`.toLowerCase();
  // Made-up digests depend on the key, which has never contained the default registry.
  return key.startsWith(`${DEFAULT_REGISTRY}/`) ? key.slice(DEFAULT_REGISTRY.length) : key;
}

/** A name as the real server shows it. */
export function shortName(name: ModelName): string {
  return name.toString();
}
