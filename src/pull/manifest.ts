/**
 * Reads the manifest of a model from its registry: what a pull will download, before it begins.
 *
 *     name ──▶ address ── RegistryClient ──▶ bytes ── check the digest, parse ──▶ Manifest
 *                              ▲                                │
 *                              └── chosen manifest, by digest ◀── index
 *
 * @module
 */

import { sha256Digest } from "../digest.ts";
import { PullError } from "../errors.ts";
import { parseHost, showHost } from "../host.ts";
import { type ModelName, parseModelName } from "../model_name.ts";
import { isByteCount } from "../status.ts";
import { excerptOf, quote } from "../text.ts";
import type { FetchManifestOptions } from "./manifest_options.ts";
import { type RegistryAnswer, RegistryClient } from "./registry.ts";

/** What a model consists of, as its registry lists it. */
export interface Manifest {
  /**
   * The digest of the manifest itself: `sha256:` and 64 hexadecimal digits. `GET /api/tags` lists a
   * model that was pulled from this manifest with the same digest, without the prefix (observed since
   * v0.19).
   */
  readonly digest: string;
  /** The size of all layers, in bytes. */
  readonly size: number;
  /**
   * The layers in the order in which the server pulls them, the config last (observed). Each digest is
   * listed once, since it is downloaded once. The option `layers` of {@link pull} takes them.
   */
  readonly layers: readonly ManifestLayer[];
}

/** A layer of a model, or its config. */
export interface ManifestLayer {
  /** The digest: `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** The size in bytes. */
  readonly size: number;
  /** What it holds, such as `application/vnd.ollama.image.model`. */
  readonly mediaType: string;
}

/** Media types of manifests. The reference asks only for the first one (observed). */
const MANIFEST_TYPES = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
];

/** Media types of an index of several manifests. */
const INDEX_TYPES = [
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.index.v1+json",
];

/** Observed: `BlobsPath` accepts no other digests. */
const DIGEST = /^sha256:[0-9a-f]{64}$/i;

/**
 * Reads the manifest of a model from its registry: the digest, which differs from version to version, the
 * layers, and their total size.
 *
 * - The name determines the registry: `registry.ollama.ai` for `llama3.2`, `hf.co` for
 *   `hf.co/user/repo:Q4_K_M` (observed: `BaseURL`). The option `registry` overrides it.
 * - If a registry requires a token, it is fetched from the token server. Models that need the key of an
 *   Ollama account cannot be read: the registry answers 401.
 * - From an index of several manifests, it takes the first one that is not an index itself and whose
 *   platform is not `unknown` (which marks attestations). Models do not depend on the platform.
 * - The digest is computed from the bytes. If there is a `Docker-Content-Digest` header, it must agree.
 *
 * It makes each request once, and retries nothing. Browsers do not let pages read the registries of Ollama
 * and Hugging Face, which send no CORS headers: there it fails with `network`. For a page, set `registry` to
 * a server of yours that forwards the requests.
 *
 * ```ts
 * import { fetchManifest, pullModel } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const { fetch } = createMockServer(); // leave it out to ask the real registry and server
 * const { layers, size } = await fetchManifest("llama3.2", { fetch });
 * console.log(`${layers.length} layers, ${size} bytes`);
 * await pullModel("llama3.2", { fetch, layers }); // its total is right from the first update
 * ```
 *
 * @param model The model's name: `[host[:port]/][namespace/]name[:tag]`.
 * @param options Where to ask, and how.
 * @return The manifest.
 * @throws {PullError} `http`, if the registry or its token server answers with an error; `malformed`, if
 * the answer is not a manifest, has another digest, or is too long; `network`; `stalled`, after `timeoutMs`.
 * The reason of `signal`, when that aborts.
 * @throws {TypeError} If the model is not a name, its registry has no TLS and `insecure` does not allow
 * that, or the registry or a header cannot be used.
 * @throws {RangeError} If `timeoutMs` or `maxBytes` is not above 0.
 */
export async function fetchManifest(
  model: string,
  options: FetchManifestOptions = {},
): Promise<Manifest> {
  return readManifest(await fetchManifestDocument(model, options));
}

/**
 * Gets the manifest of a model, as the registry sent it. An index is resolved to one of its manifests.
 *
 * @throws As {@link fetchManifest}, except that the layers are not checked.
 */
export async function fetchManifestDocument(
  model: string,
  options: FetchManifestOptions,
): Promise<RegistryDocument> {
  const name = parseModelName(model);
  const client = new RegistryClient(registryOf(name, options), options);
  return await client.run(() => getManifestDocument(client, name));
}

/** The address of the registry that has a model. */
function registryOf(name: ModelName, { registry, insecure = false }: FetchManifestOptions): URL {
  const given = String(registry ?? "").trim();
  if (given !== "") {
    const scheme = insecure ? "http" : "https";
    return parseHost(given.includes("://") ? given : `${scheme}://${given}`);
  }
  const { host } = name;
  const scheme = name.scheme.toLowerCase();
  if (scheme === "http" && !insecure) {
    throw new TypeError(
      `Cannot ask the registry ${
        quote(`http://${host}`)
      }: it has no TLS; insecure: true allows that`,
    );
  }
  return parseHost(`${insecure && scheme === "https" ? "http" : scheme}://${host}`);
}

async function getManifestDocument(
  client: RegistryClient,
  name: ModelName,
): Promise<RegistryDocument> {
  const path = `/v2/${name.namespace}/${name.model}/manifests`;
  const first = await getDocument(client, `${path}/${name.tag}`, `the manifest of ${name}`);
  if (!isIndex(first)) return first;
  const digest = chooseManifest(first);
  const what = `the manifest ${digest} of ${name}`;
  const chosen = await getDocument(client, `${path}/${digest}`, what, digest);
  if (isIndex(chosen)) throw unusable(chosen, "is an index, and an index led to it");
  return chosen;
}

/** A manifest or an index, as the registry sent it. */
export interface RegistryDocument {
  readonly digest: string;
  /** The fields of the JSON object, whose types have not been checked. */
  readonly fields: {
    readonly schemaVersion?: unknown;
    readonly mediaType?: unknown;
    readonly manifests?: unknown;
    readonly layers?: unknown;
    readonly config?: unknown;
  };
  /** Where it came from, for messages. */
  readonly where: string;
  /** Its start, for messages. */
  readonly excerpt: string;
}

/**
 * Gets a manifest or an index, and checks its digest.
 *
 * @param wanted The digest that it must have, if it is known.
 */
async function getDocument(
  client: RegistryClient,
  path: string,
  what: string,
  wanted?: string,
): Promise<RegistryDocument> {
  const accept = [...MANIFEST_TYPES, ...INDEX_TYPES].join(", ");
  const answer = await client.get(path, accept, what);
  const digest = checkDigest(answer, what, wanted);
  const text = new TextDecoder().decode(answer.bytes);
  const excerpt = excerptOf(text);
  const where = showHost(answer.url);
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    const kind = /^\s*</.test(text) ? "a page, such as one to log in, not JSON" : "not JSON";
    throw new PullError("malformed", `${where} has no manifest: it sends ${kind}: ${quote(text)}`, {
      excerpt,
    });
  }
  if (typeof fields === "object" && fields !== null) return { digest, fields, where, excerpt };
  throw unusable({ where, excerpt }, "is not a JSON object");
}

/** Computes the digest of an answer, which must be the announced one. */
function checkDigest(
  { url, headers, bytes }: RegistryAnswer,
  what: string,
  wanted: string | undefined,
): string {
  const header = headers.get("docker-content-digest") ?? "";
  const announced = wanted ?? (DIGEST.test(header) ? header : undefined);
  const digest = sha256Digest(bytes);
  if (announced !== undefined && digest !== announced.toLowerCase()) {
    throw new PullError(
      "malformed",
      `${
        showHost(url)
      } sends other bytes than ${what}: their digest is ${digest}, not ${announced}`,
    );
  }
  return digest;
}

function isIndex({ fields }: RegistryDocument): boolean {
  return Array.isArray(fields.manifests);
}

/** Chooses the manifest of the model from an index, and returns its digest. */
function chooseManifest(index: RegistryDocument): string {
  const { manifests, layers, config } = index.fields;
  // The server might read an ambiguous document differently.
  if (layers !== undefined || config !== undefined) {
    throw unusable(index, "is both an index and a manifest");
  }
  for (const entry of manifests as readonly unknown[]) {
    const { digest, mediaType, platform } = (entry ?? {}) as Record<string, unknown>;
    const { os } = (platform ?? {}) as { os?: unknown };
    const isManifest = mediaType === undefined || MANIFEST_TYPES.includes(mediaType as string);
    if (isManifest && isDigest(digest) && os !== "unknown") return digest;
  }
  throw unusable(index, "is an index without the manifest of a model");
}

/**
 * Reads the layers of a manifest.
 *
 * @throws {PullError} `malformed`, if it lists no layers, or a layer is invalid.
 */
export function readManifest(document: RegistryDocument): Manifest {
  const { layers, config } = document.fields;
  // Observed: the server pulls a config only if it has a digest.
  const hasConfig = isBlob(config) && config.digest !== "";
  // Observed: Go writes an empty list as null.
  const listed = layers ?? (hasConfig ? [] : undefined);
  if (!Array.isArray(listed)) throw unusable(document, "has no layers");
  const byDigest = new Map<string, ManifestLayer>();
  let size = 0;
  const add = (value: unknown, path: string) => {
    const layer = toLayer(value, path, document);
    const known = byDigest.get(layer.digest);
    if (known && known.size !== layer.size) {
      throw unusable(document, `gives ${layer.digest} the sizes ${known.size} and ${layer.size}`);
    }
    if (known) return;
    byDigest.set(layer.digest, layer);
    size += layer.size;
    if (!isByteCount(size)) throw unusable(document, "has layers of 2^53 bytes and more in all");
  };
  for (const [index, layer] of listed.entries()) add(layer, `layers[${index}]`);
  if (hasConfig) add(config, "config");
  return { digest: document.digest, size, layers: [...byDigest.values()] };
}

function toLayer(value: unknown, path: string, document: RegistryDocument): ManifestLayer {
  const { digest, size, mediaType } = isBlob(value) ? value : {};
  const fail = (field: string, given: unknown, rule: string) =>
    unusable(document, `has the ${path}.${field} ${show(given)}: it must be ${rule}`);
  if (!isDigest(digest)) throw fail("digest", digest, "sha256: and 64 hexadecimal digits");
  if (!isByteCount(size)) throw fail("size", size, "a whole number of bytes");
  if (typeof mediaType !== "string") throw fail("mediaType", mediaType, "a string");
  return { digest, size, mediaType };
}

function isBlob(
  value: unknown,
): value is { digest?: unknown; size?: unknown; mediaType?: unknown } {
  return typeof value === "object" && value !== null;
}

function isDigest(value: unknown): value is string {
  return typeof value === "string" && DIGEST.test(value);
}

/** A JSON value for messages. Objects are not shown: they may be nested too deeply. */
function show(value: unknown): string {
  if (typeof value === "string") return quote(value);
  return typeof value === "object" && value !== null ? "of another type" : String(value);
}

function unusable(
  { where, excerpt }: Pick<RegistryDocument, "where" | "excerpt">,
  problem: string,
): PullError {
  return new PullError("malformed", `What ${where} sends as a manifest ${problem}`, { excerpt });
}
