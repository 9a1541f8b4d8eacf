/**
 * Names of models: `[scheme://][host[:port]/][namespace/]model[:tag]`, optionally followed by a source,
 * which says where the model runs.
 *
 *     "gpt-oss:20b:cloud" ── source ──▶ "gpt-oss:20b-cloud" ── parts ──▶ check each part ──▶ ModelName
 *
 * The published page defines the form, the default tag and the default namespace (spec). The rest follows
 * the reference server (observed: `ParseName` and `IsValid` in its `types/model`, and `NormalizePullName` in
 * its `internal/modelref`).
 *
 * @module
 */

import { quote } from "./text.ts";
import { hideSecrets } from "./host.ts";

/** The registry of names without a host. */
export const DEFAULT_REGISTRY = "registry.ollama.ai";
const DEFAULT_SCHEME = "https";
const DEFAULT_NAMESPACE = "library";
const DEFAULT_TAG = "latest";

/** The characters and the length that each part may have. */
const PARTS = {
  host: { longest: 350, forbidden: /[^\w.:-]/u, allowed: '"_", "-", "." and ":"' },
  namespace: { longest: 80, forbidden: /[^\w-]/u, allowed: '"_" and "-"' },
  model: { longest: 80, forbidden: /[^\w.-]/u, allowed: '"_", "-" and "."' },
  tag: { longest: 80, forbidden: /[^\w.-]/u, allowed: '"_", "-" and "."' },
} as const;

const FORM = "the form is [host[:port]/][namespace/]model[:tag]";

/** The name of a model in parts, with the defaults filled in. */
export class ModelName {
  /** The scheme of the registry: `https` by default. */
  declare readonly scheme: string;
  /** The registry's host and port: `registry.ollama.ai` by default. */
  declare readonly host: string;
  /** The publisher of the model: `library` by default. */
  declare readonly namespace: string;
  /** The name by itself, such as `llama3.2`. */
  declare readonly model: string;
  /** The variant: `latest` by default. The tag of a cloud model is `cloud`, or ends in `-cloud`. */
  declare readonly tag: string;
  /** Where the model runs, if the name says so. */
  declare readonly source: "cloud" | "local" | undefined;

  /**
   * Makes a name from parts that have been checked.
   *
   * @param parts All parts.
   */
  constructor(parts: Omit<ModelName, "toString">) {
    Object.assign(this, parts);
  }

  /**
   * The short form, as servers list the model: without the scheme, without the default host and namespace,
   * and always with the tag, such as `llama3.2:latest` (observed: `DisplayShortest`).
   */
  toString(): string {
    const { host, namespace, model, tag } = this;
    if (host.toLowerCase() !== DEFAULT_REGISTRY) return `${host}/${namespace}/${model}:${tag}`;
    if (namespace.toLowerCase() !== DEFAULT_NAMESPACE) return `${namespace}/${model}:${tag}`;
    return `${model}:${tag}`;
  }
}

/**
 * Parses the name of a model, as it may be passed to `pull`.
 *
 * - The tag defaults to `latest`, the namespace to `library` (spec), the host to `registry.ollama.ai`
 *   and the scheme to `https` (observed).
 * - Each part consists of ASCII letters, digits, `_` and `-`; model, tag and host may also contain `.`, and
 *   the host `:`. It begins with a letter, a digit or `_`. A host has at most 350 characters, any other part
 *   80 (observed).
 * - White space around the name is ignored (observed).
 * - `:cloud`, `-cloud` or `:local` at the end, in any case, is the `source`. The tag is the one that the
 *   server pulls: `20b-cloud` for `gpt-oss:20b:cloud`, `cloud` for `gpt-oss:cloud`, and `latest` for
 *   `gpt-oss:local` (observed since v0.30).
 *
 * ```ts
 * import { parseModelName } from "@ollama-pull/kit";
 *
 * const { namespace, model, tag } = parseModelName("llama3.2");
 * console.log(namespace, model, tag); // "library" "llama3.2" "latest"
 *
 * const name = parseModelName("gpt-oss:20b:cloud");
 * console.log(name.source, String(name)); // "cloud" "gpt-oss:20b-cloud"
 * ```
 *
 * @param name The name: `[host[:port]/][namespace/]model[:tag]`.
 * @return Its parts.
 * @throws {TypeError} If the name is invalid. The message quotes it, without a user name and password,
 * and says which part is wrong and what is allowed.
 */
export function parseModelName(name: string): ModelName {
  if (typeof name !== "string") {
    throw new TypeError(`The model name must be a string such as "llama3.2", not ${typeof name}`);
  }
  const text = name.trim();
  if (hasTwoSources(text)) {
    throw unusable(
      name,
      'it says twice where the model runs; write either ":cloud" or ":local", once',
    );
  }
  const { base, source } = splitSource(text);
  const suffix = hasTag(base) ? "-cloud" : ":cloud";
  return parseParts(source === "cloud" ? base + suffix : base, name, source);
}

/**
 * Parses a name literally, as a registry and servers before v0.30 do: white space is not trimmed, and a
 * source at the end is not recognized.
 *
 * @throws {TypeError} If the name is invalid.
 */
export function parsePlainName(name: string): ModelName {
  return parseParts(name, name, undefined);
}

/** Whether a name has two sources, as in `x:cloud:local`. */
export function hasTwoSources(name: string): boolean {
  const { base, source } = splitSource(name);
  return source !== undefined && splitSource(base).source !== undefined;
}

/**
 * Whether two names mean the same model. Case, the scheme, explicit defaults and `:local` make no
 * difference (observed: the reference compares with `EqualFold`). Invalid names, which other servers may
 * list, are the same only if they are written identically.
 *
 * ```ts
 * import { isSameModel } from "@ollama-pull/kit";
 *
 * console.log(isSameModel("llama3.2", "library/Llama3.2:latest")); // true
 * console.log(isSameModel("llama3.2", "llama3.2:1b")); // false
 * ```
 *
 * @param a The name of a model.
 * @param b The name of another one.
 * @return Whether they mean the same.
 */
export function isSameModel(a: string, b: string): boolean {
  return comparable(a) === comparable(b);
}

/** A form in which all names of one model are equal. */
export function comparable(name: string): string {
  try {
    // Valid names are ASCII, so lower case is equivalent to the Unicode case folding of the reference.
    return String(parseModelName(name)).toLowerCase();
  } catch {
    return name;
  }
}

/** Removes the source from the end of a name, with the colon or hyphen before it. */
function splitSource(name: string): { base: string; source: ModelName["source"] } {
  const colon = name.lastIndexOf(":");
  const end = name.slice(colon + 1).trim();
  const word = end.toLowerCase();
  if (colon === -1 || word.includes("/")) return { base: name, source: undefined };
  if (word === "cloud" || word === "local") return { base: name.slice(0, colon), source: word };
  if (!word.endsWith("-cloud")) return { base: name, source: undefined };
  return {
    base: name.slice(0, colon + 1) + end.slice(0, -"-cloud".length),
    source: "cloud",
  };
}

/** Splits a name at its separators, fills in the defaults and checks each part. */
function parseParts(text: string, original: string, source: ModelName["source"]): ModelName {
  const path = hasTag(text) ? text.slice(0, text.lastIndexOf(":")) : text;
  const tag = hasTag(text) ? text.slice(path.length + 1) : DEFAULT_TAG;
  const segments = path.split("/");
  const model = segments.pop()!;
  const namespace = segments.pop() ?? DEFAULT_NAMESPACE;
  const { scheme, host } = segments.length === 0
    ? { scheme: DEFAULT_SCHEME, host: DEFAULT_REGISTRY }
    : splitScheme(segments.join("/"));

  const isShortened = namespace === "" || host.includes("/");
  if (isShortened && path.includes("://")) {
    throw unusable(
      original,
      "a scheme must be followed by host, namespace and model, such as https://host/namespace/model",
    );
  }
  const problem = findProblem("host", host) ?? findProblem("namespace", namespace) ??
    findProblem("model", model) ?? findProblem("tag", tag);
  if (problem !== undefined) throw unusable(original, problem);
  return new ModelName({ scheme, host, namespace, model, tag, source });
}

/** Whether a name has a tag. A colon before the last slash belongs to a scheme or a port. */
function hasTag(name: string): boolean {
  return name.lastIndexOf(":") > name.lastIndexOf("/");
}

/** Splits what precedes the namespace. After a scheme the host may be empty (observed). */
function splitScheme(text: string): { scheme: string; host: string } {
  const end = text.indexOf("://");
  if (end === -1) return { scheme: DEFAULT_SCHEME, host: text };
  return {
    scheme: text.slice(0, end) || DEFAULT_SCHEME,
    host: text.slice(end + "://".length) || DEFAULT_REGISTRY,
  };
}

/** Explains what is wrong with a part and what is allowed, or returns `undefined`. */
function findProblem(part: keyof typeof PARTS, text: string): string | undefined {
  const { longest, forbidden, allowed } = PARTS[part];
  if (text === "") return `the ${part} is missing; ${FORM}`;
  if (text.includes("/")) return `it has too many slashes; ${FORM}`;
  const character = forbidden.exec(text)?.[0];
  if (character !== undefined) {
    return `the ${part} contains ${quote(character)}; it may contain a-z, A-Z, 0-9, ${allowed}`;
  }
  if (/^[.:-]/.test(text)) return `the ${part} must begin with a letter, a digit or "_"`;
  if (text.length > longest) return `the ${part} is longer than ${longest} characters`;
  return undefined;
}

function unusable(name: string, problem: string): TypeError {
  // Before a slash, an `@` ends a user name and password; after the last one, it begins a digest.
  const hasLogin = name.indexOf("@") !== -1 && name.indexOf("@") < name.lastIndexOf("/");
  return new TypeError(
    `Cannot use the model name ${quote(hasLogin ? hideSecrets(name) : name)}: ${problem}`,
  );
}
