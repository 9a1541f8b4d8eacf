/**
 * The other endpoints that clients use around a pull.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import type { Dialect } from "../../src/dialects.ts";
import { DIGEST_PREFIX, shortDigest } from "../../src/digest.ts";
import { NDJSON_TYPE } from "../../src/ndjson.ts";
import { isWait, type SentAction, type WaitAction } from "../exchange/actions.ts";
import type { MockEnvironment } from "../exchange/exchange.ts";
import { answerJson, answerText, JSON_TYPE } from "../exchange/json_answer.ts";
import { Refusal } from "../exchange/refusal.ts";
import { stringifyGoJson } from "../go_json/encode.ts";
import { quoteGo } from "../go_json/quote.ts";
import { formatGoTime } from "../go_json/time.ts";
import { type Catalog, listedName, type PulledModel } from "../models/catalog.ts";
import { manifestDocument } from "../models/manifests.ts";
import { modelfileOf } from "../models/modelfile.ts";
import { type ModelName, parseModelName, shortName } from "../models/model_name.ts";
import { type Blob, blobsOf, type Model } from "../models/models.ts";
import type { BlobStore } from "../pull/downloads.ts";
import { beginTime, PullFailure, PullJob, type StatusObject } from "../pull/job.ts";
import { obstacleTo } from "../pull/obstacles.ts";
import { modelOf, readBody } from "./request_body.ts";
import { INVALID_NAME, readName, requireName } from "./requested_name.ts";

/** The version that the mock reports: that of the real server it was compared with. */
export const SERVER_VERSION = "0.34.1";

/** The answer at the server's root path. */
export const GREETING = "Ollama is running";

/** Options of the endpoints. */
export interface NeighbourOptions {
  readonly catalog: Catalog;
  /** How far the server's time zone is ahead of UTC at a date, in minutes. */
  readonly zoneOf: ZoneOf;
  readonly store: BlobStore;
  readonly dialect: Dialect;
  readonly now: () => number;
  /** Whether the clock is exact, as a virtual one is. */
  readonly isNeverLate: boolean;
  readonly tickMs: number;
  readonly bytesPerSecond: number;
}

type ZoneOf = (milliseconds: number) => number;

type MockContext = Context<MockEnvironment>;

/** The message for a request without a name. */
const MODEL_REQUIRED = "model is required";

/** Where the Linux service keeps its manifests. */
const MANIFESTS = "/usr/share/ollama/.ollama/models/manifests";

const TEXT = { "Content-Type": "text/plain; charset=utf-8" };

const NAME_FIELDS = { model: "string", name: "string" } as const;

/** The types of the request fields, except unused ones that hold objects. */
const FIELDS = {
  ShowRequest: { ...NAME_FIELDS, system: "string", template: "string", verbose: "bool" },
  DeleteRequest: NAME_FIELDS,
  PushRequest: {
    ...NAME_FIELDS,
    insecure: "bool",
    stream: "bool",
    username: "string",
    password: "string",
  },
  CreateRequest: { ...NAME_FIELDS, stream: "bool", from: "string" },
} as const;

/** Adds the endpoints to an app. */
export function registerNeighbours(app: Hono<MockEnvironment>, options: NeighbourOptions): void {
  const { catalog, zoneOf } = options;
  app.get("/", () => answerText(GREETING, 200, TEXT));
  app.get("/api/version", () => answerJson({ version: SERVER_VERSION }));
  app.get(
    "/api/tags",
    () => answerJson({ models: catalog.pulled.map((each) => listModel(each, zoneOf)) }),
  );
  app.post("/api/show", (context) => show(context, options));
  app.delete("/api/delete", (context) => remove(context, options));
  app.post("/api/push", async (context) => {
    const fields = await readFieldsOf(context, "PushRequest");
    const text = modelOf(fields);
    if (text === "") throw new Refusal(400, MODEL_REQUIRED);
    return await respond(context, fields, push(text, options));
  });
  app.post("/api/create", async (context) => {
    const fields = await readFieldsOf(context, "CreateRequest");
    const name = parseModelName(modelOf(fields));
    if (!name) throw new Refusal(400, INVALID_NAME);
    const base = requireBase(fields, options.dialect);
    const offered = await catalog.find(base);
    return await respond(context, fields, create({ name, base, offered }, options));
  });
}

function readFieldsOf(
  context: MockContext,
  struct: keyof typeof FIELDS,
): Promise<Record<string, unknown>> {
  return readBody(context, struct, FIELDS[struct]);
}

async function show(
  context: MockContext,
  { catalog, dialect, zoneOf }: NeighbourOptions,
): Promise<Response> {
  const text = modelOf(await readFieldsOf(context, "ShowRequest"));
  const name = requireName(text, dialect, { missing: MODEL_REQUIRED, invalid: INVALID_NAME });
  const { model, pulledAt } = requirePulled(catalog, name, shortName(name));
  const { details, capabilities, model_info, projector_info, ...texts } = model.info;
  const { context_length: _, embedding_length: __, ...shown } = details;
  return answerJson({
    ...texts,
    modelfile: texts.modelfile ?? modelfileOf(model),
    details: shown,
    model_info,
    projector_info,
    capabilities,
    modified_at: formatGoTime(pulledAt, zoneOf(pulledAt)),
  });
}

async function remove(
  context: MockContext,
  { catalog, dialect }: NeighbourOptions,
): Promise<Response> {
  const text = modelOf(await readFieldsOf(context, "DeleteRequest"));
  const invalid = `name ${quoteGo(text)} is invalid`;
  const name = requireName(text, dialect, { missing: MODEL_REQUIRED, invalid });
  catalog.delete(requirePulled(catalog, name, text).model.name);
  return answerText("", 200, {});
}

/** Finds an installed model. `words` names it in the error. */
function requirePulled(catalog: Catalog, name: ModelName, words: string): PulledModel {
  const pulled = catalog.findPulled(name);
  if (!pulled) throw new Refusal(404, `model '${words}' not found`);
  return pulled;
}

/** The model to create from. The real server has already begun to stream when it refuses one (observed). */
function requireBase({ from }: Record<string, unknown>, dialect: Dialect): ModelName {
  if (!from) throw new Refusal(400, "neither 'from' or 'files' was specified", JSON_TYPE);
  const base = readName(String(from), dialect);
  if (typeof base === "string") throw new Refusal(400, INVALID_NAME, JSON_TYPE);
  return base;
}

function listModel(pulled: PulledModel, zoneOf: ZoneOf) {
  const { model, pulledAt } = pulled;
  const { digest } = manifestDocument(model); // observed since v0.19
  const name = listedName(pulled);
  const blobs = blobsOf(model);
  return {
    name,
    model: name,
    modified_at: formatGoTime(pulledAt, zoneOf(pulledAt)),
    size: blobs.reduce((total, { size }) => total + size, 0),
    digest: digest.slice(DIGEST_PREFIX.length),
    details: model.info.details,
    capabilities: model.info.capabilities,
  };
}

/** Status objects, with waits between them. */
type Steps = Generator<StatusObject | WaitAction, void, void>;

/** Uploads every blob, one after another. Observed: white space and a source count as part of the name. */
function* push(text: string, options: NeighbourOptions): Steps {
  yield { status: "retrieving manifest" };
  const name = parseModelName(text);
  const pulled = name && options.catalog.findPulled(name);
  if (!pulled) {
    yield { status: "couldn't retrieve manifest" };
    return yield { error: name ? missingManifest(name) : `unqualified name: ${text}` };
  }
  for (const blob of blobsOf(pulled.model)) yield* upload(blob, options);
  yield { status: "pushing manifest" };
  yield { status: "success" };
}

/** The error for a missing model: the server fails to open its manifest file. */
function missingManifest({ host, namespace, model, tag }: ModelName): string {
  return `open ${MANIFESTS}/${host}/${namespace}/${model}/${tag}: no such file or directory`;
}

function* upload({ digest, size }: Blob, { bytesPerSecond, tickMs }: NeighbourOptions): Steps {
  const status = `pushing ${shortDigest(digest)}`;
  const bytesPerTick = bytesPerSecond * tickMs / 1000;
  for (let completed = bytesPerTick; completed < size; completed += bytesPerTick) {
    yield { do: "wait", ms: tickMs };
    yield { status, digest, total: size, completed: Math.floor(completed) };
  }
  yield { do: "wait", ms: tickMs };
  yield { status, digest, total: size, completed: size };
}

/** A model to create, and its base. */
interface Creation {
  readonly name: ModelName;
  readonly base: ModelName;
  /** The base model, if the registry has it. */
  readonly offered: Model | undefined;
}

/** Creates a model with the layers of another one, which is pulled first if it is not installed. */
function* create(creation: Creation, options: NeighbourOptions): Steps {
  const { name, base } = creation;
  const { catalog } = options;
  if (!catalog.findPulled(base)) yield* pullBase(creation, options);
  const model = catalog.findPulled(base)?.model;
  if (!model) return;
  for (const { digest } of model.layers) yield { status: `using existing layer ${digest}` };
  yield { status: "writing manifest" };
  catalog.copy(model, name);
  yield { status: "success" };
}

/** Pulls the base model, `success` included (observed: `parseFromModel`). */
function* pullBase({ base, offered }: Creation, options: NeighbourOptions): Steps {
  const { catalog, store, dialect, tickMs, now, isNeverLate } = options;
  const obstacle = obstacleTo({ name: base, model: offered, connection: "secure", dialect });
  const model = obstacle ? undefined : offered;
  const install = (pulled: Model) => pulled.installs && catalog.install(pulled);
  const job = new PullJob({
    ...beginTime(now, isNeverLate),
    model,
    obstacle,
    store,
    dialect,
    tickMs,
    milestones: [],
    install,
  });
  try {
    for (const step of job.run()) {
      if (step.phase === "waiting") yield { do: "wait", ms: step.ms };
      else if (step.phase !== "point") yield step.object;
    }
  } catch (error) {
    if (!(error instanceof PullFailure)) throw error;
    yield { error: error.message };
  }
}

/** Streams status objects, or answers with only the last one. */
async function respond(
  context: MockContext,
  { stream }: Record<string, unknown>,
  steps: Steps,
): Promise<Response> {
  const { exchange } = context.env;
  if (stream !== false) {
    return new Response(exchange.stream(sendEach(steps)), {
      headers: { "Content-Type": NDJSON_TYPE },
    });
  }
  let last: StatusObject = {};
  for (let next = await exchange.proceed(steps); !next.done;) {
    last = next.value;
    next = await exchange.proceed(steps);
  }
  return answerJson(last, "error" in last ? 500 : 200, JSON_TYPE);
}

function* sendEach(steps: Steps): Generator<SentAction, void, void> {
  const utf8 = new TextEncoder();
  for (const step of steps) {
    yield isWait(step) ? step : { do: "send", bytes: utf8.encode(`${stringifyGoJson(step)}\n`) };
  }
}
