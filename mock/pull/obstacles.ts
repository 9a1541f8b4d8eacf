/**
 * Why a model cannot be pulled although the registry has it.
 *
 * @module
 */

import type { Dialect } from "../../src/dialects.ts";
import type { ModelName } from "../models/model_name.ts";
import { MEDIA_TYPE, type Model } from "../models/models.ts";
import type { Obstacle } from "./job.ts";

/** What to pull, and how. */
export interface PullAttempt {
  readonly name: ModelName;
  /** The model, if the registry has it. */
  readonly model: Model | undefined;
  /** Whether the registry may be insecure (without TLS). */
  readonly connection: "secure" | "insecure";
  readonly dialect: Dialect;
}

/** Why a model cannot be pulled, if there is a reason: the first that the server notices. */
export function obstacleTo(attempt: PullAttempt): Obstacle | undefined {
  return tlsObstacle(attempt) ?? runtimeObstacle(attempt);
}

/** A registry without TLS, as the scheme of the name shows. */
function tlsObstacle({ name, connection, dialect }: PullAttempt): Obstacle | undefined {
  const { scheme, host, namespace, model, tag } = name;
  if (scheme !== "http" || connection === "insecure") return undefined;
  if (dialect.withoutTls === "refused") {
    return { message: "insecure protocol http", isSeenBefore: true };
  }
  const url = `https://${host}/v2/${namespace}/${model}/manifests/${tag}`;
  const message = `Get "${url}": http: server gave HTTP response to HTTPS client`;
  return { message: `pull model manifest: ${message}`, isSeenBefore: false };
}

/** The error for a model of tensors when its runtime is missing (observed: `PullModel`). */
const NO_RUNTIME = "this model requires MLX support, but the MLX runtime is not available";

/** A model of tensors, where the runtime for it is missing. */
function runtimeObstacle({ model, dialect }: PullAttempt): Obstacle | undefined {
  if (dialect.tensors === "pulled" || !model) return undefined;
  const hasTensors = model.layers.some(({ mediaType }) => mediaType === `${MEDIA_TYPE}tensor`);
  return hasTensors ? { message: NO_RUNTIME, isSeenBefore: false } : undefined;
}
