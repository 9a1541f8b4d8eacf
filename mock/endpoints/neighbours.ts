/**
 * The other endpoints that clients use around a pull.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import { DIGEST_PREFIX, shortDigest } from "../../src/digest.ts";
import { NDJSON_TYPE } from "../../src/ndjson.ts";
import type { SentAction } from "../exchange/actions.ts";
import type { MockEnvironment } from "../exchange/exchange.ts";
import { answerJson, answerText, JSON_TYPE } from "../exchange/json_answer.ts";
import { Refusal } from "../exchange/refusal.ts";
import { stringifyGoJson } from "../go_json/encode.ts";
import { formatGoTime } from "../go_json/time.ts";
import { type Catalog, listedName, type PulledModel } from "../models/catalog.ts";
import { manifestDocument } from "../models/manifests.ts";
import { modelfileOf } from "../models/modelfile.ts";
import { type ModelName, parseModelName, shortName } from "../models/model_name.ts";
import { type Blob, blobsOf } from "../models/models.ts";
import type { StatusObject } from "../pull/job.ts";
import { modelOf, readBody } from "./request_body.ts";

/** The version that the mock reports: that of the real server that it was compared with. */
export const SERVER_VERSION = "0.33.0";

/** The answer at the root of the server. */
export const GREETING = "Ollama is running";

/** Options of the endpoints. */
export interface NeighbourOptions {
  readonly catalog: () => Catalog;
  /** How far the zone of the server is ahead of UTC at a date, in minutes. */
  readonly zoneOf: ZoneOf;
  readonly tickMs: number;
  readonly bytesPerSecond: number;
}

type ZoneOf = (milliseconds: number) => number;

type MockContext = Context<MockEnvironment>;

const TEXT = { "Content-Type": "text/plain; charset=utf-8" };

const FIELDS = {
  model: "string",
  name: "string",
  insecure: "bool",
  stream: "bool",
  from: "string",
} as const;

/** Adds the endpoints to an app. */
export function registerNeighbours(app: Hono<MockEnvironment>, options: NeighbourOptions): void {
  const { catalog, zoneOf } = options;
  app.get("/", () => answerText(GREETING, 200, TEXT));
  app.get("/api/version", () => answerJson({ version: SERVER_VERSION }));
  app.get(
    "/api/tags",
    () => answerJson({ models: catalog().pulled.map((each) => listModel(each, zoneOf)) }),
  );
  app.post("/api/show", (context) => show(context, catalog(), zoneOf));
  app.delete("/api/delete", (context) => remove(context, catalog()));
  app.post("/api/push", async (context) => {
    const fields = await readBody(context, "PushRequest", FIELDS);
    const text = requireModel(fields);
    return await respond(context, fields, push(find(catalog(), text), options));
  });
  app.post("/api/create", async (context) => {
    const fields = await readBody(context, "CreateRequest", FIELDS);
    const name = parseModelName(modelOf(fields));
    if (!name) throw new Refusal(400, "invalid model name");
    if (!fields.from) throw new Refusal(400, "neither 'from' or 'files' was specified");
    const base = requirePulled(catalog(), String(fields.from));
    return await respond(context, fields, create(base, name, catalog()));
  });
}

async function show(context: MockContext, catalog: Catalog, zoneOf: ZoneOf): Promise<Response> {
  const text = requireModel(await readBody(context, "ShowRequest", FIELDS));
  const name = parseModelName(text);
  if (!name) throw new Refusal(400, "invalid model name");
  const { model, pulledAt } = requirePulled(catalog, shortName(name));
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

async function remove(context: MockContext, catalog: Catalog): Promise<Response> {
  const text = requireModel(await readBody(context, "DeleteRequest", FIELDS));
  if (!parseModelName(text)) throw new Refusal(400, `name ${JSON.stringify(text)} is invalid`);
  catalog.delete(requirePulled(catalog, text).model.name);
  return answerText("", 200, {});
}

function requireModel(fields: Record<string, unknown>): string {
  const text = modelOf(fields);
  if (text === "") throw new Refusal(400, "model is required");
  return text;
}

function find(catalog: Catalog, text: string): PulledModel | undefined {
  const name = parseModelName(text);
  return name && catalog.findPulled(name);
}

function requirePulled(catalog: Catalog, text: string): PulledModel {
  const pulled = find(catalog, text);
  if (!pulled) throw new Refusal(404, `model '${text}' not found`);
  return pulled;
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

/** Status objects, and waits between them. */
type Steps = Generator<StatusObject | Wait, void, void>;

interface Wait {
  readonly ms: number;
}

function isWait(step: StatusObject | Wait): step is Wait {
  return "ms" in step;
}

/** Uploads every blob, one after another. */
function* push(pulled: PulledModel | undefined, options: NeighbourOptions): Steps {
  yield { status: "retrieving manifest" };
  if (!pulled) {
    yield { status: "couldn't retrieve manifest" };
    return yield { error: "file does not exist" };
  }
  for (const blob of blobsOf(pulled.model)) yield* upload(blob, options);
  yield { status: "pushing manifest" };
  yield { status: "success" };
}

function* upload({ digest, size }: Blob, { bytesPerSecond, tickMs }: NeighbourOptions): Steps {
  const status = `pushing ${shortDigest(digest)}`;
  const bytesPerTick = bytesPerSecond * tickMs / 1000;
  yield { status, digest, total: size };
  for (let completed = bytesPerTick; completed < size; completed += bytesPerTick) {
    yield { ms: tickMs };
    yield { status, digest, total: size, completed: Math.floor(completed) };
  }
  yield { ms: tickMs };
  yield { status, digest, total: size, completed: size };
}

/** Makes a model that has the layers of another one. */
function* create({ model }: PulledModel, name: ModelName, catalog: Catalog): Steps {
  for (const { digest } of model.layers) yield { status: `using existing layer ${digest}` };
  yield { status: "writing manifest" };
  catalog.copy(model, name);
  yield { status: "success" };
}

/** Streams status objects, or answers with the last one at the end. */
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
  for (const step of steps) {
    if (isWait(step)) await exchange.sleep(step.ms);
    else last = step;
  }
  return answerJson(last, "error" in last ? 500 : 200, JSON_TYPE);
}

function* sendEach(steps: Steps): Generator<SentAction, void, void> {
  const utf8 = new TextEncoder();
  for (const step of steps) {
    yield isWait(step)
      ? { do: "wait", ms: step.ms }
      : { do: "send", bytes: utf8.encode(`${stringifyGoJson(step)}\n`) };
  }
}
