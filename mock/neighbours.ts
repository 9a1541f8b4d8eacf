/**
 * The endpoints beside the pull that a puller touches.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import { type Catalog, listedName, manifestOf, type PulledModel } from "./catalog.ts";
import { type Clock, joinClock } from "./clock.ts";
import { BodyError, type FieldTypes, parseBody } from "./go_json.ts";
import { type ModelName, parseModelName } from "./model_name.ts";
import { type Blob, blobsOf } from "./models.ts";
import { seededDigest } from "./random.ts";
import type { MockEnvironment } from "./request_log.ts";

/** The version that the mock says it is: that of the real server that it was compared with. */
export const SERVER_VERSION = "0.33.0";

/** What the endpoints work with. */
export interface NeighbourOptions {
  readonly catalog: () => Catalog;
  readonly clock: () => Clock;
  readonly tickMs: number;
  readonly bytesPerSecond: number;
}

const MODEL_FIELDS = { model: "string", name: "string", stream: "bool", from: "string" } as const;

/** A request that is answered with an error. */
class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: 400 | 404;

  constructor(status: 400 | 404, message: string) {
    super(message);
    this.status = status;
  }
}

/** Adds the endpoints to an app. */
export function registerNeighbours(app: Hono<MockEnvironment>, options: NeighbourOptions): void {
  const { catalog } = options;
  app.get("/", (context) => context.text("Ollama is running"));
  app.get("/api/version", (context) => context.json({ version: SERVER_VERSION }));
  app.get("/api/tags", (context) => context.json({ models: catalog().pulled.map(listModel) }));
  app.post(
    "/api/show",
    answering(async (context) => {
      const pulled = await requirePulled(context, catalog(), "ShowRequest");
      return context.json({
        details: detailsOf(pulled),
        model_info: {},
        capabilities: ["completion"],
        modified_at: timestampOf(pulled),
      });
    }),
  );
  app.delete(
    "/api/delete",
    answering(async (context) => {
      const { model } = await requirePulled(context, catalog(), "DeleteRequest");
      catalog().delete(model.name);
      return context.body(null, 200);
    }),
  );
  app.post(
    "/api/push",
    answering(async (context) => {
      const pulled = await requirePulled(context, catalog(), "PushRequest");
      return respond(context, push(pulled, options));
    }),
  );
  app.post(
    "/api/create",
    answering(async (context) => {
      const { name, from } = await readModel(context, "CreateRequest");
      if (from === undefined) throw new Refusal(400, "neither 'from' or 'files' was specified");
      const base = findPulled(catalog(), from);
      return respond(context, create(base, name, catalog()));
    }),
  );
}

function answering(
  answer: (context: Context) => Promise<Response>,
): (context: Context) => Promise<Response> {
  return async (context) => {
    try {
      return await answer(context);
    } catch (error) {
      if (error instanceof BodyError) return context.json({ error: error.message }, 400);
      if (error instanceof Refusal) return context.json({ error: error.message }, error.status);
      throw error;
    }
  };
}

interface ModelRequest {
  readonly text: string;
  readonly name: ModelName;
  readonly from: string | undefined;
}

/** Reads a request that names a model. */
async function readModel(context: Context, struct: string): Promise<ModelRequest> {
  const types: FieldTypes = MODEL_FIELDS;
  const fields = parseBody(await context.req.text(), struct, types);
  context.set("stream", fields.stream !== false);
  const text = String(fields.model || fields.name || "");
  const name = parseModelName(text);
  if (!name) throw new Refusal(400, "invalid model name");
  return { text, name, from: fields.from as string | undefined };
}

async function requirePulled(
  context: Context,
  catalog: Catalog,
  struct: string,
): Promise<PulledModel> {
  return findPulled(catalog, (await readModel(context, struct)).text);
}

function findPulled(catalog: Catalog, text: string): PulledModel {
  const name = parseModelName(text);
  const pulled = name && catalog.findPulled(name);
  if (!pulled) throw new Refusal(404, `model '${text}' not found`);
  return pulled;
}

function listModel(pulled: PulledModel) {
  const name = listedName(pulled);
  const blobs = blobsOf(pulled.model);
  return {
    name,
    model: name,
    modified_at: timestampOf(pulled),
    size: blobs.reduce((total, { size }) => total + size, 0),
    digest: seededDigest(JSON.stringify(manifestOf(pulled.model))).slice("sha256:".length),
    details: detailsOf(pulled),
  };
}

function detailsOf({ model }: PulledModel) {
  return {
    parent_model: "",
    format: "gguf",
    family: model.name.model,
    families: [model.name.model],
    parameter_size: "",
    quantization_level: "",
  };
}

function timestampOf({ pulledAt }: PulledModel): string {
  return new Date(pulledAt).toISOString();
}

type StatusObjects = AsyncGenerator<Record<string, unknown>, void, void>;

/** Uploads every blob, one after another. */
async function* push({ model }: PulledModel, options: NeighbourOptions): StatusObjects {
  const task = joinClock(options.clock());
  try {
    yield { status: "retrieving manifest" };
    for (const blob of blobsOf(model)) {
      for (const completed of uploaded(blob, options)) {
        if (completed > 0) await task.sleep(options.tickMs);
        const { digest, size } = blob;
        const status = `pushing ${digest.slice("sha256:".length).slice(0, 12)}`;
        yield { status, digest, total: size, ...(completed > 0 && { completed }) };
      }
    }
    yield { status: "pushing manifest" };
    yield { status: "success" };
  } finally {
    task.leave();
  }
}

/** The bytes of a blob that are uploaded, at each tick. */
function* uploaded({ size }: Blob, options: NeighbourOptions): Generator<number, void, void> {
  const bytesPerTick = Math.max(1, options.bytesPerSecond * options.tickMs / 1000);
  for (let completed = 0; completed < size; completed += bytesPerTick) yield Math.floor(completed);
  yield size;
}

/** Makes a model that has the layers of another one. */
async function* create({ model }: PulledModel, name: ModelName, catalog: Catalog): StatusObjects {
  for (const { digest } of model.layers) yield { status: `using existing layer ${digest}` };
  yield { status: "writing manifest" };
  catalog.copy(model, name);
  yield { status: "success" };
}

/** Streams status objects, or answers with the last one when all are through. */
async function respond(context: Context, objects: StatusObjects): Promise<Response> {
  if (!context.get("stream")) {
    let last: Record<string, unknown> = {};
    for await (const object of objects) last = object;
    return context.json(last);
  }
  const utf8 = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await objects.next();
      if (done) return controller.close();
      controller.enqueue(utf8.encode(`${JSON.stringify(value)}\n`));
    },
    async cancel() {
      await objects.return();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { headers: { "Content-Type": "application/x-ndjson" } });
}
