/**
 * Whether a server has a model, and whether it is the version that the registry has now.
 *
 *     list of the server ──▶ missing, present
 *                   │
 *                   └── manifest of the registry ──▶ the same digest? ──▶ current
 *                                  │
 *                                  └── a layer that the server lacks? ──▶ outdated
 *
 * @module
 */

import { sha256Digest } from "../digest.ts";
import { parseModelName } from "../model_name.ts";
import { isJsonObject } from "../ndjson.ts";
import { escapeUnits } from "../text.ts";
import { fetchManifestDocument, readManifest, type RegistryDocument } from "./manifest.ts";
import type { FetchManifestOptions } from "./manifest_options.ts";
import type { ModelStateOptions } from "./model_state_options.ts";
import { type ListedModel, ServerClient } from "./server.ts";

/**
 * What is known of a model on a server:
 *
 * - `missing`: the server does not have it.
 * - `present`: the server has it. Whether the registry has another version was not asked, or cannot be
 *   determined from the server's answers.
 * - `current`: the server has the version that the registry has now.
 * - `outdated`: the registry has another version.
 */
export type ModelState = "missing" | "present" | "current" | "outdated";

/**
 * Finds out whether a server has a model and, with `checkRegistry`, whether it is the version that the
 * registry has now. Names are compared as {@link isSameModel} does: `x` and `x:latest` are the same.
 *
 * - A model is `current` if the server lists it with the digest of the registry's manifest, or with the
 *   digest that the manifest has after servers up to v0.13 have rewritten it (observed).
 * - It is `outdated` if its Modelfile (from `/api/show`) names a file that the manifest does not list, or if
 *   the server lacks a blob that the manifest lists.
 * - Otherwise it is `present`, as behind a gateway that supports neither check.
 *
 * It makes each request once, and retries nothing. Browsers do not let pages read most registries: see
 * {@link fetchManifest}.
 *
 * ```ts
 * import { modelState } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const { client } = createMockServer({ installed: ["llama3.2"] }); // leave it out to ask Ollama
 * console.log(await modelState("llama3.2:latest", client)); // "present"
 * console.log(await modelState("llama3.2", { ...client, checkRegistry: true })); // "current"
 * console.log(await modelState("mistral", client)); // "missing"
 * ```
 *
 * @param model The model's name: `[host[:port]/][namespace/]name[:tag]`.
 * @param options Where to ask, and how.
 * @return The state of the model.
 * @throws {PullError} As {@link pull}, if the server cannot be asked: `http`, `network`, `stalled`, or
 * `malformed` if it does not answer with a list. As {@link fetchManifest}, if the registry cannot be asked:
 * with the reason `model-not-found`, if it has no such model. The reason of `signal`, when that aborts.
 * @throws {TypeError} If the model is not a name, or the host, the registry or a header cannot be used.
 * @throws {RangeError} If `timeoutMs` or `maxBytes` is not above 0.
 */
export async function modelState(
  model: string,
  options: ModelStateOptions = {},
): Promise<ModelState> {
  parseModelName(model); // throws for a name that no server accepts
  const server = new ServerClient(options);
  const listed = await server.run(() => server.find(model));
  if (!listed) return "missing";
  if (!options.checkRegistry) return "present";
  const document = await fetchManifestDocument(model, registryOptions(options));
  return await server.run(() => compareModel(server, listed, document));
}

/** The options for asking the registry. Headers for the server are left out. */
export function registryOptions(options: ModelStateOptions): FetchManifestOptions {
  const { registry, registryHeaders, insecure, fetch, signal, timeoutMs, maxBytes, sleep } =
    options;
  return {
    registry,
    headers: registryHeaders,
    insecure,
    fetch,
    signal,
    timeoutMs,
    maxBytes,
    sleep,
  };
}

/**
 * Compares a model on a server with the manifest of the registry.
 *
 * @throws {PullError} As {@link modelState}.
 */
export async function compareModel(
  server: ServerClient,
  { name, digest }: ListedModel,
  document: RegistryDocument,
): Promise<Exclude<ModelState, "missing">> {
  const { layers } = readManifest(document);
  if (digest === document.digest || digest === rewrittenDigest(document)) return "current";
  const digests = layers.map((layer) => layer.digest.toLowerCase());
  const shown = await server.shownBlobs(name);
  if (shown.some((each) => !digests.includes(each))) return "outdated";
  // Check the config first: it names the layers, so versions seldom share it.
  for (const each of digests.reverse()) {
    const isThere = await server.hasBlob(each);
    if (isThere === false) return "outdated";
    if (isThere === undefined) break;
  }
  return "present";
}

/**
 * The digest of a manifest as servers up to v0.13 rewrite it: only the fields they know, in their order
 * (observed: `json.Marshal` of `Manifest` in their `server/manifest.go`).
 */
function rewrittenDigest({ fields }: RegistryDocument): string {
  const { schemaVersion = 0, mediaType = "", config, layers } = fields;
  const manifest = {
    schemaVersion,
    mediaType,
    config: rewrittenLayer(config),
    layers: Array.isArray(layers) ? layers.map(rewrittenLayer) : null,
  };
  const json = JSON.stringify(manifest).replace(/[<>&\u2028\u2029]/g, escapeUnits);
  return sha256Digest(new TextEncoder().encode(json));
}

function rewrittenLayer(layer: unknown): object {
  const { mediaType = "", digest = "", size = 0, from } = isJsonObject(layer) ? layer : {};
  return { mediaType, digest, size, ...(from !== "" && { from }) };
}
