/**
 * The models in recordings, and which recorded pull each of them plays next.
 *
 * @module
 */

import { type ModelName, parseModelName } from "../../src/model_name.ts";
import { ConfigurationError, show } from "../configuration_error.ts";
import { resolveInfo } from "../models/model_info.ts";
import { modelKey } from "../models/model_name.ts";
import { type Blob, isDigest, MEDIA_TYPE, type Model } from "../models/models.ts";
import { seededDigest } from "../runtime/random.ts";
import { linesOf, sizesOf } from "./lines.ts";
import type { RecordedExchange, RecordedLayer, Recording } from "./recording.ts";

/** Whether a pull asked for a stream or for a single object. */
type Form = "stream" | "single";

/** A recorded pull to play. */
export interface RecordedPull {
  readonly exchange: RecordedExchange;
  /** The model, with the layers known from its recordings. */
  readonly model: Model;
}

/** A model, and its recorded pulls that are still to be played, in order. */
interface RecordedModel {
  readonly model: Model;
  readonly left: Record<Form, RecordedExchange[]>;
}

/** The models in recordings. */
export class RecordedModels {
  readonly #models: ReadonlyMap<string, RecordedModel>;

  /**
   * Sorts the pulls of recordings by model.
   *
   * @throws {ConfigurationError} If one of them is not a recording, or contains no pull.
   */
  constructor(recordings: readonly Recording[]) {
    const byModel = new Map<string, NamedPull[]>();
    for (const pull of recordings.flatMap(pullsOf)) {
      const key = modelKey(pull.name);
      byModel.set(key, [...byModel.get(key) ?? [], pull]);
    }
    this.#models = new Map([...byModel].map(([key, pulls]) => [key, toModel(pulls)]));
  }

  /** The models. Only faults of kinds that support recordings can strike them. */
  get models(): readonly Model[] {
    return [...this.#models.values()].map(({ model }) => model);
  }

  /**
   * The next recorded pull of a model in the requested form; after the last one, that one again. `undefined`
   * if there is none, so that the pull is simulated like any other.
   */
  next(name: ModelName, form: Form): RecordedPull | undefined {
    const recorded = this.#models.get(modelKey(name));
    const left = recorded?.left[form] ?? [];
    const exchange = left.length > 1 ? left.shift() : left[0];
    return recorded && exchange && { exchange, model: recorded.model };
  }
}

/** An exchange that pulls a model. */
interface NamedPull {
  readonly name: ModelName;
  readonly exchange: RecordedExchange;
  readonly layers: readonly RecordedLayer[];
}

/** The pulls in a recording. Exchanges that name no model, and redirects, cannot be played. */
function pullsOf(recording: Recording): readonly NamedPull[] {
  if (!Array.isArray(recording?.exchanges)) {
    throw new ConfigurationError(
      `Cannot use the recording ${show(recording)}: read it with parseRecording`,
    );
  }
  const pulls = recording.exchanges.flatMap((exchange) => {
    const name = nameOf(exchange);
    return name && !isRedirect(exchange) ? [{ name, exchange, layers: layersOf(recording) }] : [];
  });
  if (pulls.length > 0) return pulls;
  throw new ConfigurationError(
    `Cannot use the recording of ${recording.recordedAt}: it has no pull of a model`,
  );
}

/** The name of the requested model, if it is valid. */
function nameOf(exchange: RecordedExchange): ModelName | undefined {
  const { model, name } = fieldsOf(exchange);
  try {
    return parseModelName(String(model || name || ""));
  } catch {
    return undefined;
  }
}

function fieldsOf({ request: { body } }: RecordedExchange): Record<string, unknown> {
  return Object(body);
}

/** Whether the answer redirects the client, which then sends another request. */
function isRedirect({ answer }: RecordedExchange): boolean {
  return answer !== undefined && answer.status >= 300 && answer.status < 400;
}

/** The known layers of the model in a recording. */
function layersOf({ layers, exchanges }: Recording): readonly RecordedLayer[] {
  if (layers) return layers;
  const sizes = exchanges.flatMap(({ chunks }) => [...sizesOf(linesOf(chunks))]);
  return [...new Map(sizes)].map(([digest, size]) => ({ digest, size }));
}

function toModel(pulls: readonly NamedPull[]): RecordedModel {
  const { name } = pulls[0]!;
  const layers = new Map(
    pulls.flatMap(({ layers }) => layers).filter(({ digest }) => isDigest(digest))
      .map((layer) => [layer.digest, layer]),
  );
  const isSingle = ({ exchange }: NamedPull) => fieldsOf(exchange).stream === false;
  const exchangesOf = (some: readonly NamedPull[]) => some.map(({ exchange }) => exchange);
  return {
    model: modelOf(name, [...layers.values()]),
    left: {
      stream: exchangesOf(pulls.filter((pull) => !isSingle(pull))),
      single: exchangesOf(pulls.filter(isSingle)),
    },
  };
}

/** A model of recorded layers, the last of which becomes the config. */
function modelOf(name: ModelName, recorded: readonly RecordedLayer[]): Model {
  const blobs = recorded.map(({ digest, size, mediaType = `${MEDIA_TYPE}model` }): Blob => ({
    digest,
    size,
    mediaType,
    key: digest,
  }));
  const unknown = seededDigest("recording", modelKey(name));
  const config = blobs.pop() ?? { digest: unknown, size: 0, mediaType: MEDIA_TYPE, key: unknown };
  const size = blobs.reduce((total, blob) => total + blob.size, 0);
  const info = resolveInfo({}, { name, size });
  return { name, layers: blobs, config, info, installs: true, isRecorded: true };
}
