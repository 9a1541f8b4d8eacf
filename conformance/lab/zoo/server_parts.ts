/**
 * Ways to change the requests and answers of a mock. A specimen is a mock with one change.
 *
 *     request ─▶ changeRequest ─▶ mock ─▶ changeObjects, changeBytes, changeResponse ─▶ response
 *
 * @module
 */

import type { Manifest } from "../../../mock/models/manifests.ts";
import type { MockServer } from "../../../mock/options.ts";
import { line } from "../../client/wire_bytes.ts";
import type { StatusObject } from "../../generators/mod.ts";
import { mockServer, type MockSubjectOptions, type ServerSubject } from "../../server/subject.ts";
import type { Specimen } from "./specimen.ts";

/** Answers requests. */
export type Answer = (request: Request) => Promise<Response>;

/** The fields of a pull. */
export type Fields = Readonly<Record<string, unknown>>;

/** Wraps a mock's way of answering. */
export type Wrap = NonNullable<MockSubjectOptions["wrap"]>;

/** Describes a server that is a mock with one change. */
export function server(
  name: string,
  does: string,
  breaks: readonly string[],
  wrap: Wrap,
): Specimen<ServerSubject> {
  return { name, does, breaks, subject: mockServer({ name, wrap }) };
}

/** Whether a request is for a pull. */
export function isPull({ method, url }: Request): boolean {
  return method === "POST" && new URL(url).pathname === "/api/pull";
}

/** The fields of a pull, or `undefined` if its body is not an object. */
export async function fieldsOf(request: Request): Promise<Fields | undefined> {
  try {
    const fields = JSON.parse(await request.clone().text());
    return typeof fields === "object" && !Array.isArray(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
}

/** A request with other fields. */
export function withFields(request: Request, fields: Fields): Request {
  return new Request(request, { body: JSON.stringify(fields) });
}

/** Changes the fields that a pull has. */
export function changeRequest(answer: Answer, change: (fields: Fields) => Fields): Answer {
  return async (request) => {
    const fields = isPull(request) ? await fieldsOf(request) : undefined;
    return await answer(fields ? withFields(request, change(fields)) : request);
  };
}

/** Refuses pulls with certain fields. */
export function refuse(
  answer: Answer,
  isRefused: (fields: Fields) => boolean,
  status = 400,
): Answer {
  return async (request) => {
    const fields = isPull(request) ? await fieldsOf(request) : undefined;
    if (!fields || !isRefused(fields)) return await answer(request);
    return Response.json({ error: "this server does not do that" }, { status });
  };
}

/** Changes the answers to pulls. */
export function changeResponse(
  answer: Answer,
  change: (response: Response, request: Request) => Response | Promise<Response>,
): Answer {
  return async (request) => {
    const copy = request.clone();
    const response = await answer(request);
    return isPull(copy) ? await change(response, copy) : response;
  };
}

/** Whether an answer is a stream of objects. */
export function isStream({ headers }: Response): boolean {
  return headers.get("Content-Type") === "application/x-ndjson";
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Changes the chunks of streams. */
export function changeBytes(
  answer: Answer,
  change: (chunks: AsyncIterable<Bytes>) => AsyncIterable<Bytes>,
): Answer {
  return changeResponse(answer, (response) => {
    if (!isStream(response)) return response;
    const body = streamOf(change(chunksOf(response.body!)));
    return new Response(body, response);
  });
}

/** Changes the objects of streams. Each object becomes none, one or several. */
export function changeObjects(
  answer: Answer,
  startChange: () => (object: StatusObject) => readonly StatusObject[],
): Answer {
  return changeBytes(answer, async function* (chunks) {
    const change = startChange();
    for await (const chunk of chunks) { // a mock sends one per line
      for (const object of change(JSON.parse(new TextDecoder().decode(chunk)))) yield line(object);
    }
  });
}

/** Changes each object of streams into another one. */
export function changeEach(answer: Answer, change: (object: StatusObject) => StatusObject): Answer {
  return changeObjects(answer, () => (object) => [change(object)]);
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Bytes, void, void> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield new Uint8Array(value);
    }
  } finally {
    await reader.cancel();
  }
}

/** Turns chunks into a body. Cancelling it ends them. */
function streamOf(chunks: AsyncIterable<Bytes>): ReadableStream<Bytes> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  }, { highWaterMark: 0 });
}

/** Does something before each pull of a model that has changed since the previous pull. */
export function whenChanged(
  mock: MockServer,
  act: (name: string, before: Manifest) => unknown,
): Answer {
  const manifests = new Map<string, Manifest>();
  return async (request) => {
    const name = isPull(request) ? (await fieldsOf(request))?.model : undefined;
    if (typeof name === "string") {
      const manifest = await mock.registry.manifest(name).catch(() => undefined);
      const before = manifests.get(name) ?? manifest;
      if (before && JSON.stringify(before) !== JSON.stringify(manifest)) await act(name, before);
      else if (manifest) manifests.set(name, manifest);
    }
    return await mock.fetch(request);
  };
}

/** Calls a function when a stream ends, with how it ended: by itself, or because its caller left. */
export function watchEnds(answer: Answer, onEnd: (how: "finished" | "left") => void): Answer {
  return changeBytes(answer, async function* (chunks) {
    let how: "finished" | "left" = "left";
    try {
      yield* chunks;
      how = "finished";
    } finally {
      onEnd(how);
    }
  });
}
