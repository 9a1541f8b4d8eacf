/**
 * Servers that are each wrong in one way: the mock, with one thing changed.
 *
 * @module
 */

import type { Manifest } from "../../../mock/models/manifests.ts";
import type { StatusObject } from "../../generators/mod.ts";
import type { ServerSubject } from "../../server/subject.ts";
import {
  type Answer,
  changeBytes,
  changeEach,
  changeObjects,
  changeRequest,
  changeResponse,
  fieldsOf,
  isPull,
  isStream,
  refuse,
  server,
  watchEnds,
  whenChanged,
  withFields,
} from "./server_parts.ts";
import { rawServer } from "./raw_server.ts";
import type { Specimen } from "./specimen.ts";

/** Makes requests name the model in `name`. */
function askedByName(specimen: Specimen<ServerSubject>): Specimen<ServerSubject> {
  const open: ServerSubject["open"] = async (setup) => ({
    ...await specimen.subject.open(setup),
    fieldsFor: (name) => ({ name }),
  });
  return { ...specimen, subject: { ...specimen.subject, open } };
}

/** The rules about streams that are requested explicitly. */
const STREAMED = [
  ...["S-REQ-2", "S-REQ-4", "S-REQ-5", "S-REQ-6", "S-REQ-7", "S-REQ-8", "S-REQ-9", "S-REQ-10"],
  "S-REQ-11",
  ...["S-FRAME-1", "S-FRAME-3", "S-FRAME-4", "S-SEQ-1"],
];

const KNOWN = new Set(["model", "name", "insecure", "stream", "username", "password"]);

const requests: readonly Specimen<ServerSubject>[] = [
  server(
    "streams only when it is told to",
    "It answers with a single object if `stream` is absent.",
    ["S-REQ-1"],
    ({ fetch }) => changeRequest(fetch, (fields) => ({ stream: false, ...fields })),
  ),
  server(
    "streams only when it is not told to",
    "It answers with a single object if `stream` is true, and so breaks the rules about streams.",
    STREAMED,
    ({ fetch }) =>
      changeRequest(
        fetch,
        (fields) => fields.stream === true ? { ...fields, stream: false } : fields,
      ),
  ),
  server(
    "always streams",
    "It answers with a stream even if `stream` is false, so failures have status 200, too.",
    ["S-REQ-3", "S-ERR-7"],
    ({ fetch }) =>
      changeRequest(
        fetch,
        (fields) => fields.stream === false ? { ...fields, stream: true } : fields,
      ),
  ),
  server(
    "does not know `name`",
    "It reads the model only from `model`.",
    ["S-REQ-4"],
    ({ fetch }) => changeRequest(fetch, ({ name: _, ...fields }) => fields),
  ),
  askedByName(server(
    "does not know `model`",
    "It reads the model only from `name`, like the first versions.",
    ["S-REQ-8"],
    ({ fetch }) => changeRequest(fetch, ({ model: _, ...fields }) => fields),
  )),
  server(
    "wants a content type",
    "It refuses requests that are not declared as JSON.",
    ["S-REQ-5"],
    ({ fetch }) => async (request) => {
      const isJson = request.headers.get("Content-Type") === "application/json";
      return !isPull(request) || isJson
        ? await fetch(request)
        : Response.json({ error: "this server takes JSON alone" }, { status: 415 });
    },
  ),
  server(
    "does not know `insecure`",
    "It refuses pulls that allow an insecure registry.",
    ["S-REQ-6"],
    ({ fetch }) => refuse(fetch, ({ insecure }) => insecure === true),
  ),
  server(
    "wants known fields only",
    "It refuses pulls with unknown fields.",
    ["S-REQ-7"],
    ({ fetch }) =>
      refuse(
        fetch,
        (fields) => Object.keys(fields).some((name) => !KNOWN.has(name.toLowerCase())),
      ),
  ),
  server(
    "cannot skip what is nested",
    "It refuses pulls with unknown fields that are objects in arrays.",
    ["S-REQ-7"],
    ({ fetch }) => refuse(fetch, (fields) => /\[[^\]]*\{/.test(JSON.stringify(fields))),
  ),
  server(
    "compresses",
    "It compresses its stream for clients that accept this, so that no line can be read.",
    ["S-REQ-9"],
    ({ fetch }) =>
      changeResponse(fetch, ({ body, status, headers }, request) => {
        if (!body || !/\bgzip\b/.test(request.headers.get("Accept-Encoding") ?? "")) {
          return new Response(body, { status, headers });
        }
        const compressed = new Headers(headers);
        compressed.set("Content-Encoding", "gzip");
        const chunks = body.pipeThrough(new CompressionStream("gzip"));
        return new Response(chunks, { status, headers: compressed });
      }),
  ),
  server(
    "keeps pages out",
    "It refuses requests from web pages, even from its own machine.",
    ["S-REQ-9"],
    ({ fetch }) => async (request) =>
      request.headers.has("Origin")
        ? Response.json({ error: "no" }, { status: 403 })
        : await fetch(request),
  ),
  server(
    "wants small headers",
    "It refuses requests with headers of more than 2 KB.",
    ["S-REQ-9"],
    ({ fetch }) => async (request) =>
      [...request.headers].flat().join("").length > 2_048
        ? Response.json({ error: "no" }, { status: 431 })
        : await fetch(request),
  ),
  server(
    "expects nothing",
    "It refuses requests with `Expect: 100-continue`.",
    ["S-REQ-9"],
    ({ fetch }) => async (request) =>
      request.headers.has("Expect")
        ? Response.json({ error: "no" }, { status: 417 })
        : await fetch(request),
  ),
  server(
    "looks at the case of keys",
    "It recognizes field names only in lower case.",
    ["S-REQ-10"],
    ({ fetch }) =>
      changeRequest(fetch, (fields) =>
        Object.fromEntries(
          Object.entries(fields).filter(([key]) => key === key.toLowerCase()),
        )),
  ),
  server(
    "takes the first of two fields",
    "It uses the first of two fields with the same name.",
    ["S-REQ-10"],
    ({ fetch }) => async (request) => {
      if (!isPull(request)) return await fetch(request);
      const text = await request.clone().text();
      const [, model] = /^\{"model":"([^"]*)".*"model":/.exec(text) ?? [];
      return await fetch(
        model === undefined ? request : new Request(request, { body: JSON.stringify({ model }) }),
      );
    },
  ),
  server(
    "takes null for a value",
    "It refuses fields that are null.",
    ["S-REQ-10"],
    ({ fetch }) => refuse(fetch, ({ stream }) => stream === null),
  ),
  server(
    "wants the object alone",
    "It refuses a body in which something follows the object.",
    ["S-REQ-10"],
    ({ fetch }) => async (request) => {
      const text = isPull(request) ? await request.clone().text() : "";
      return text.startsWith("{") && !isJson(text)
        ? Response.json({ error: "this is not JSON" }, { status: 400 })
        : await fetch(request);
    },
  ),
  server(
    "does not know the latest",
    "It does not know that `latest` is the default tag.",
    ["S-REQ-10"],
    ({ fetch }) => refuse(fetch, ({ model }) => /:latest$/.test(String(model))),
  ),
  ...[["64 KiB", 64 * 1_024], ["1 MiB", 1_024 ** 2], ["8 MiB", 8 * 1_024 ** 2]].map(
    ([words, limit]) =>
      server(
        `reads ${words}`,
        `It refuses bodies of more than ${words}.`,
        ["S-REQ-11"],
        ({ fetch }) => async (request) => {
          const { size } = await request.clone().blob();
          return size > Number(limit)
            ? Response.json({ error: "no" }, { status: 413 })
            : await fetch(request);
        },
      ),
  ),
  server(
    "takes one piece for all",
    "It treats the first piece of a body as the whole.",
    ["S-REQ-11"],
    ({ fetch }) => async (request) => {
      if (!isPull(request) || !request.body) return await fetch(request);
      const reader = request.body.getReader();
      const { value = new Uint8Array() } = await reader.read();
      await reader.cancel();
      const { url, method, headers, signal } = request;
      return await fetch(new Request(url, { method, headers, signal, body: value.slice() }));
    },
  ),
  server(
    "joins the pieces with newlines",
    "It decodes each piece of a body separately, and treats each as a line.",
    ["S-REQ-11"],
    ({ fetch }) => async (request) => {
      if (!isPull(request) || !request.body) return await fetch(request);
      const pieces: string[] = [];
      for await (const piece of request.clone().body!) pieces.push(new TextDecoder().decode(piece));
      return await fetch(new Request(request, { body: pieces.join("\n") }));
    },
  ),
];

/** How many bytes a server buffers that sends whole blocks. */
const BUFFER_BYTES = 4_096;

const framing: readonly Specimen<ServerSubject>[] = [
  server(
    "ends in no newline",
    "It leaves out the newline after the last object.",
    ["S-FRAME-1"],
    ({ fetch }) =>
      changeBytes(fetch, async function* (chunks) {
        for await (const chunk of chunks) {
          const isLast = new TextDecoder().decode(chunk).includes('"success"');
          yield isLast ? chunk.slice(0, -1) : chunk;
        }
      }),
  ),
  server(
    "sends blank lines",
    "It sends a blank line after every object.",
    ["S-FRAME-1"],
    ({ fetch }) =>
      changeBytes(fetch, async function* (chunks) {
        for await (const chunk of chunks) yield new Uint8Array([...chunk, 0x0a]);
      }),
  ),
  server(
    "marks its byte order",
    "It begins with a byte order mark.",
    ["S-FRAME-2"],
    ({ fetch }) =>
      changeBytes(fetch, async function* (chunks) {
        yield new Uint8Array([0xef, 0xbb, 0xbf]);
        yield* chunks;
      }),
  ),
  server(
    "writes for people",
    "It puts a space after each colon and comma.",
    ["S-FRAME-6"],
    ({ fetch }) => changeText(fetch, (text) => text.replace(/(?<=")([:,])(?=["\d])/g, "$1 ")),
  ),
  server(
    "writes its numbers with a point",
    "Its totals have a fraction of zero.",
    ["S-FRAME-6"],
    ({ fetch }) => changeText(fetch, (text) => text.replace(/"total":(\d+)/g, '"total":$1.0')),
  ),
  server(
    "says that its stream is JSON",
    "Its content type is that of a single object.",
    ["S-FRAME-3"],
    ({ fetch }) =>
      changeResponse(
        fetch,
        ({ status, body }) =>
          new Response(body, { status, headers: { "Content-Type": "application/json" } }),
      ),
  ),
  server(
    "forgets to flush",
    "It sends everything at the end of the pull.",
    ["S-FRAME-4", "S-FRAME-5"],
    ({ fetch }) =>
      changeBytes(fetch, async function* (chunks) {
        const all: Uint8Array<ArrayBuffer>[] = [];
        for await (const chunk of chunks) all.push(chunk);
        yield* all;
      }),
  ),
  server(
    "tells of a layer at its start and its end",
    "It sends nothing while a layer is downloaded.",
    ["S-FRAME-4"],
    ({ fetch }) =>
      changeObjects(fetch, () => {
        const begun = new Set<unknown>();
        return (object) => {
          const { digest, total, completed = 0 } = object;
          const isUnderWay = total !== undefined && Number(completed) < Number(total);
          if (!isUnderWay) return [object];
          if (begun.has(digest)) return [];
          begun.add(digest);
          return [object];
        };
      }),
  ),
  server(
    "collects blocks",
    "It sends the first object at once and buffers the others until they fill a block, like a proxy " +
      "that buffers does.",
    ["S-FRAME-5"],
    ({ fetch }) =>
      changeBytes(fetch, async function* (chunks) {
        let size = BUFFER_BYTES;
        let held: Uint8Array<ArrayBuffer>[] = [];
        for await (const chunk of chunks) {
          held.push(chunk);
          size += chunk.length;
          if (size < BUFFER_BYTES) continue;
          yield new Uint8Array(await new Blob(held).arrayBuffer());
          [held, size] = [[], 0];
        }
        yield new Uint8Array(await new Blob(held).arrayBuffer());
      }),
  ),
  server(
    "holds back all layers but the first",
    "It sends the objects of a later layer only when that layer is complete.",
    ["S-FRAME-5"],
    ({ fetch }) =>
      changeBytes(fetch, async function* (chunks) {
        const held: Uint8Array<ArrayBuffer>[] = [];
        let [first, last]: (string | undefined)[] = [];
        for await (const chunk of chunks) {
          const digest = /"digest":"([^"]+)"/.exec(new TextDecoder().decode(chunk))?.[1];
          if (digest !== last) yield* held.splice(0);
          last = digest;
          first ??= digest;
          if (digest === undefined || digest === first) yield chunk;
          else held.push(chunk);
        }
      }),
  ),
];

/** Whether an object reports a download. */
const isDownload = ({ digest }: StatusObject) => digest !== undefined;

const sequence: readonly Specimen<ServerSubject>[] = [
  server(
    "does not tell of the manifest",
    "It begins with the downloads.",
    ["S-SEQ-1"],
    ({ fetch }) =>
      changeObjects(fetch, () => (object) => object.status === "pulling manifest" ? [] : [object]),
  ),
  server(
    "writes the manifest first",
    "It reports that the manifest is written before the downloads.",
    ["S-SEQ-2"],
    ({ fetch }) =>
      changeObjects(fetch, () => (object) => {
        if (object.status === "writing manifest") return [];
        return object.status === "pulling manifest"
          ? [object, { status: "writing manifest" }]
          : [object];
      }),
  ),
  server(
    "goes on after success",
    "It removes unused layers after it has reported success.",
    ["S-SEQ-3"],
    ({ fetch }) =>
      changeObjects(
        fetch,
        () => (object) =>
          object.status === "success"
            ? [object, { status: "removing any unused layers" }]
            : [object],
      ),
  ),
  server(
    "sends two successes",
    "It reports success when the manifest is written, and again at the end.",
    ["S-SEQ-4"],
    ({ fetch }) =>
      changeObjects(
        fetch,
        () => (object) =>
          object.status === "writing manifest" ? [object, { status: "success" }] : [object],
      ),
  ),
  server(
    "has no words for verifying",
    "It sends an empty object while it verifies.",
    ["S-SEQ-6"],
    ({ fetch }) =>
      changeEach(fetch, (object) => /^verifying/.test(`${object.status}`) ? {} : object),
  ),
  server(
    "verifies twice",
    "It reports verifying twice.",
    ["S-SEQ-5"],
    ({ fetch }) =>
      changeObjects(
        fetch,
        () => (object) => /^verifying/.test(String(object.status)) ? [object, object] : [object],
      ),
  ),
];

/** The block size in bytes of a server that counts in blocks. */
const BLOCK_BYTES = 16_000_000;

const downloads: readonly Specimen<ServerSubject>[] = [
  server(
    "writes numbers as text",
    "Its numbers of bytes are strings.",
    ["S-DOWN-1"],
    ({ fetch }) =>
      changeEach(fetch, ({ total, completed, ...object }) => ({
        ...object,
        ...(total !== undefined && { total: `${total}` }),
        ...(completed !== undefined && { completed: `${completed}` }),
      })),
  ),
  server(
    "counts in blocks",
    "It counts incomplete blocks as whole, so the last one counts for too much.",
    ["S-DOWN-2"],
    ({ fetch }) =>
      changeEach(fetch, (object) => {
        const { completed = 0, total = 0 } = object as { completed?: number; total?: number };
        if (completed === 0 || completed >= total) return object;
        return { ...object, completed: Math.ceil(completed / BLOCK_BYTES) * BLOCK_BYTES };
      }),
  ),
  server(
    "does not know the total yet",
    "It reports a total one byte above `completed`, which is not that of the " +
      "manifest either.",
    ["S-DOWN-3", "S-DOWN-4"],
    ({ fetch }) =>
      changeEach(fetch, (object) => {
        const { completed = 0, total = 0 } = object as { completed?: number; total?: number };
        return isDownload(object) ? { ...object, total: Math.min(total, completed + 1) } : object;
      }),
  ),
  server(
    "shortens digests",
    "Its digests are not those of the manifest.",
    ["S-DOWN-4"],
    ({ fetch }) =>
      changeEach(
        fetch,
        (object) =>
          isDownload(object) ? { ...object, digest: String(object.digest).slice(0, 19) } : object,
      ),
  ),
  server(
    "does not name digests",
    "It puts the digest only into the status.",
    ["S-DOWN-5"],
    ({ fetch }) => changeEach(fetch, ({ digest: _, ...object }) => object),
  ),
  server(
    "restarts from zero",
    "It deletes partial downloads when a pull is cancelled.",
    ["S-RESUME-1"],
    (mock) => watchEnds(mock.fetch, (how) => how === "left" && mock.reset()),
  ),
  server(
    "downloads for each caller",
    "A pull that begins while another one is running gets a separate download.",
    ["S-SHARE-1", "S-OTHER-2"],
    (mock, openAnother) => {
      let running = 0;
      return async (request) => {
        const { fetch } = running > 0 ? openAnother() : mock;
        running++;
        const response = await watchEnds(fetch, () => running--)(request);
        if (!isStream(response)) running--;
        return response;
      };
    },
  ),
  server(
    "stops for all when one leaves",
    "It ends every pull when one of them is cancelled.",
    ["S-SEQ-3", "S-LEAVE-1"],
    ({ fetch }) => {
      let departures = 0;
      return watchEnds(
        changeBytes(fetch, async function* (chunks) {
          const before = departures;
          for await (const chunk of chunks) {
            if (departures > before) return;
            yield chunk;
          }
        }),
        (how) => how === "left" && departures++,
      );
    },
  ),
  server(
    "forgets what it has",
    "It deletes the layers of pulled models.",
    ["S-AGAIN-1", "S-AGAIN-2"],
    (mock) =>
      changeEach(mock.fetch, (object) => {
        if (object.status === "success") mock.reset();
        return object;
      }),
  ),
  server(
    "downloads a model whole that has changed",
    "It deletes all layers of a model when the registry has another version.",
    ["S-AGAIN-2"],
    (mock) =>
      whenChanged(mock, (model) => {
        const init = { method: "DELETE", body: JSON.stringify({ model }) };
        return mock.fetch("http://conformance.invalid/api/delete", init);
      }),
  ),
  server(
    "does not see that a model has changed",
    "It always uses the first manifest of a model that it fetched.",
    ["S-AGAIN-2", "S-AGAIN-4"],
    (mock) => whenChanged(mock, (name, before) => mock.registry.publish({ name, ...before })),
  ),
  server(
    "goes on with the manifest of a cancelled pull",
    "It does not fetch the manifest again until a pull of the model has completed.",
    ["S-AGAIN-2"],
    (mock) => {
      let unfinished: Manifest | undefined;
      const fetch = watchEnds(mock.fetch, (how) => {
        if (how === "finished") unfinished = undefined;
      });
      return async (request) => {
        const name = isPull(request) ? (await fieldsOf(request))?.model : undefined;
        if (name === "subject") {
          const manifest = await mock.registry.manifest(name);
          unfinished ??= manifest;
          if (JSON.stringify(unfinished) !== JSON.stringify(manifest)) {
            mock.registry.publish({ name, ...unfinished });
          }
        }
        return await fetch(request);
      };
    },
  ),
  server(
    "keeps everything",
    "It removes no layer, whatever becomes of its models.",
    ["S-AGAIN-4"],
    (mock) => {
      const whole = new Set<unknown>();
      return changeObjects(mock.fetch, () => {
        const before = new Set(whole);
        const told = new Set<unknown>();
        return (object) => {
          const { digest, total, completed, error } = object;
          if (error !== undefined) whole.clear();
          if (digest !== undefined && completed === total) whole.add(digest);
          if (!before.has(digest)) return [object];
          if (told.has(digest)) return [];
          told.add(digest);
          return [{ ...object, completed: total }];
        };
      });
    },
  ),
  server(
    "removes what is still used",
    "When another version of a model is installed, it deletes all layers of the previous one, even shared ones.",
    ["S-AGAIN-2"],
    (mock) => {
      let hasChanged = false;
      const fetch = whenChanged(mock, () => hasChanged = true);
      return changeEach(fetch, (object) => {
        if (object.status === "success" && hasChanged) {
          hasChanged = false;
          mock.reset();
        }
        return object;
      });
    },
  ),
  server(
    "remembers that a model is not there",
    "It does not ask its registry again for a model that was missing.",
    ["S-AGAIN-3"],
    ({ fetch, registry }) => {
      const missing = new Set<unknown>();
      return async (request) => {
        const fields = isPull(request) ? await fieldsOf(request) : undefined;
        const name = String(fields?.model);
        if (!ABSENT.test(name)) return await fetch(request);
        await registry.manifest(name).catch(() => missing.add(name));
        const isMissing = missing.has(name);
        return await fetch(isMissing ? withFields(request, { ...fields, model: "gone" }) : request);
      };
    },
  ),
  server(
    "serves few callers",
    "It refuses the fifth simultaneous pull.",
    ["S-LOAD-1"],
    (mock) => {
      const { fetch, answering } = watchStreams(mock.fetch);
      return async (request) =>
        answering() >= 4 ? Response.json({ error: "busy" }, { status: 503 }) : await fetch(request);
    },
  ),
  server(
    "pulls one model at a time",
    "The pull of another model waits until all other pulls have ended.",
    ["S-OTHER-1"],
    (mock) => {
      const { fetch, answering } = watchStreams(mock.fetch);
      return async (request) => {
        const isOther = isPull(request) && (await fieldsOf(request))?.model === "other";
        while (isOther && answering() > 0) await mock.clock.sleep(60);
        return await fetch(request);
      };
    },
  ),
  server(
    "downloads each layer for each model",
    "A model published later starts all of its layers at 0, even if they are already on disk.",
    ["S-OTHER-2"],
    (mock) => async (request) => {
      const { model = "" } = isPull(request) ? await fieldsOf(request) ?? {} : {};
      if (!String(model).includes(":published-")) return await mock.fetch(request);
      return await changeObjects(mock.fetch, () => {
        const begun = new Set<unknown>();
        return (object) => {
          const { digest, completed } = object;
          if (!completed || begun.has(digest)) return [object];
          begun.add(digest);
          return [{ ...object, completed: 0 }, object];
        };
      })(request);
    },
  ),
  server(
    "lists what the registry has",
    "It lists models that were not pulled.",
    ["S-LIST-1"],
    ({ fetch }) => async (request) => {
      const isList = request.method === "GET" && new URL(request.url).pathname === "/api/tags";
      return isList
        ? Response.json({ models: [{ name: "subject:latest" }] })
        : await fetch(request);
    },
  ),
  server(
    "tells of each tick twice",
    "It sends each object about a partial layer twice.",
    ["S-FRAME-7"],
    ({ fetch }) =>
      changeObjects(fetch, () => (object) => {
        const { total, completed } = object;
        return Number(completed) < Number(total) ? [object, object] : [object];
      }),
  ),
];

const http: readonly Specimen<ServerSubject>[] = [
  {
    name: "ends without the last chunk",
    does: "It closes the connection instead of sending the last chunk.",
    breaks: ["S-HTTP-1"],
    subject: rawServer("ends without the last chunk", (socket) => socket.end()),
  },
  {
    name: "goes on after the end",
    does: "It sends stray bytes after the last chunk.",
    breaks: ["S-HTTP-1"],
    subject: rawServer("goes on after the end", (socket) => socket.end("0\r\n\r\nmore")),
  },
  server(
    "says that it compresses",
    "It declares refusals as compressed, whatever the request allows.",
    ["S-HTTP-2"],
    ({ fetch }) =>
      changeResponse(fetch, (response) => {
        if (response.status === 400) response.headers.set("Content-Encoding", "gzip");
        return response;
      }),
  ),
  server(
    "refuses in plain text",
    "Its refusals are declared as plain text.",
    ["S-HTTP-3"],
    ({ fetch }) =>
      changeResponse(fetch, (response) => {
        if (response.status === 400) response.headers.set("Content-Type", "text/plain");
        return response;
      }),
  ),
];

const errors: readonly Specimen<ServerSubject>[] = [
  server(
    "has a default model",
    "It treats a request without a body as one for its only model.",
    ["S-ERR-1"],
    ({ fetch }) => async (request) => {
      const isEmpty = isPull(request) && await request.clone().text() === "";
      return await fetch(isEmpty ? new Request(request, { body: '{"model":"subject"}' }) : request);
    },
  ),
  server(
    "chokes on bad JSON",
    "It answers a body that is not JSON with status 500 and a web page.",
    ["S-HTTP-3", "S-ERR-2"],
    ({ fetch }) =>
      changeResponse(
        fetch,
        async (response, request) =>
          response.status !== 400 || isJson(await request.text())
            ? response
            : new Response("<html></html>", { status: 500 }),
      ),
  ),
  server(
    "takes fields of any type",
    "It converts fields of any type to strings and booleans.",
    ["S-ERR-3"],
    ({ fetch }) =>
      changeRequest(fetch, ({ model, stream, insecure, ...fields }) => ({
        ...fields,
        ...(isGiven(model) && { model: String(model) }),
        ...(isGiven(stream) && { stream: Boolean(stream) }),
        ...(isGiven(insecure) && { insecure: Boolean(insecure) }),
      })),
  ),
  server(
    "takes any name",
    "It asks the registry for a model of any name, which it does not find.",
    ["S-ERR-4"],
    ({ fetch }) =>
      changeResponse(fetch, async (response) => {
        const isNamed = response.status !== 400 ||
          (await response.clone().json()).error !== "invalid model name";
        return isNamed
          ? response
          : new Response('{"error":"pull model manifest: file does not exist"}\n', {
            headers: { "Content-Type": "application/x-ndjson" },
          });
      }),
  ),
  server(
    "trusts every registry",
    "It treats every pull as if it allowed an insecure registry.",
    ["S-ERR-5"],
    ({ fetch }) =>
      changeRequest(fetch, (fields) => fields.insecure ? fields : { ...fields, insecure: true }),
  ),
  server(
    "trusts no registry",
    "It refuses an insecure registry even if it is allowed.",
    ["S-ERR-5"],
    ({ fetch }) =>
      changeRequest(
        fetch,
        (fields) => fields.insecure === true ? { ...fields, insecure: false } : fields,
      ),
  ),
  server(
    "is silent about unknown models",
    "It ends the stream when the registry does not have a model.",
    ["S-SEQ-3", "S-ERR-5", "S-ERR-6"],
    ({ fetch }) => withoutErrors(fetch, /file does not exist/),
  ),
  server(
    "fails with success",
    "It answers a failed pull without a stream with status 200.",
    ["S-ERR-7"],
    ({ fetch }) =>
      changeResponse(fetch, async (response, request) => {
        const fields = await fieldsOf(request);
        return fields?.stream === false ? Response.json(await response.json()) : response;
      }),
  ),
  server(
    "takes any method",
    "It also accepts other methods.",
    ["S-ERR-8"],
    ({ fetch }) => async (request) => {
      const isOther = request.method !== "POST" && new URL(request.url).pathname === "/api/pull";
      return isOther ? Response.json({}) : await fetch(request);
    },
  ),
  ...["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) =>
    server(
      `takes ${method} for POST`,
      `It answers ${method} /api/pull with a pull.`,
      ["S-ERR-8"],
      ({ fetch }) => async (request) => {
        if (request.method !== method || new URL(request.url).pathname !== "/api/pull") {
          return await fetch(request);
        }
        const body = '{"model":"subject"}';
        const { body: answer, status, headers } = await fetch(
          new Request(request.url, { method: "POST", body, signal: request.signal }),
        );
        return new Response(answer, { status, headers });
      },
    )
  ),
  server(
    "takes what it reads for what may be written",
    "It accepts every method at the path of its list of models.",
    ["S-ERR-8"],
    ({ fetch }) => async (request) => {
      const isList = new URL(request.url).pathname === "/api/tags";
      return isList ? Response.json({ models: [] }) : await fetch(request);
    },
  ),
  server(
    "is silent about what goes wrong",
    "It ends the stream when the registry or the disk fails.",
    ["S-ERR-9"],
    ({ fetch }) => withoutErrors(fetch, /max retries exceeded|no space left/),
  ),
  server(
    "does not verify",
    "It reports success although layers fail their checksum.",
    ["S-ERR-10"],
    ({ fetch }) => changeEach(fetch, passed),
  ),
  server(
    "verifies the first layer only",
    "It reports success although another layer fails its checksum.",
    ["S-ERR-10"],
    ({ fetch }) =>
      changeObjects(fetch, () => {
        let first: unknown;
        return (object) => {
          first ??= object.digest;
          return [String(object.error).includes(`want ${first}`) ? object : passed(object)];
        };
      }),
  ),
  server(
    "verifies for the first caller only",
    "It reports success to callers who joined a download that fails its checksum.",
    ["S-ERR-10"],
    (mock) => {
      const { fetch, answering } = watchStreams(mock.fetch);
      const trusting = changeEach(fetch, passed);
      return async (request) => await (answering() > 0 ? trusting : fetch)(request);
    },
  ),
  server(
    "keeps what is broken",
    "In the next pull, it treats a layer that failed its checksum as complete.",
    ["S-ERR-10"],
    ({ fetch }) => {
      let hasFailed = false;
      return changeEach(fetch, (object) => {
        hasFailed ||= /mismatch/.test(String(object.error));
        return hasFailed && isDownload(object) ? { ...object, completed: object.total } : object;
      });
    },
  ),
  server(
    "bears few models that are not there",
    "It stops pulling after ten requests for missing models.",
    ["S-ERR-11"],
    ({ fetch }) => {
      let absent = 0;
      return async (request) => {
        if (absent >= MOST_ABSENT) return Response.json({ error: "busy" }, { status: 503 });
        const fields = isPull(request) ? await fieldsOf(request) : undefined;
        if (ABSENT.test(String(fields?.model))) absent++;
        return await fetch(request);
      };
    },
  ),
  server(
    "does not recover",
    "It fails after it has refused a request.",
    ["S-ERR-11"],
    ({ fetch }) => {
      let hasRefused = false;
      return async (request) => {
        if (hasRefused) return Response.json({ error: "out of order" }, { status: 500 });
        const response = await fetch(request);
        hasRefused = response.status === 400;
        return response;
      };
    },
  ),
];

/** The names of models that no registry has, before one is published. */
const ABSENT = /-which-no-registry-has/;

/** How many missing models a server tolerates. */
const MOST_ABSENT = 10;

/** An object, or the success that replaces a checksum error. */
function passed(object: StatusObject): StatusObject {
  return /mismatch/.test(String(object.error)) ? SUCCESS : object;
}

/** Counts the running streams, for servers that behave differently meanwhile. */
function watchStreams(fetch: Answer): { fetch: Answer; answering: () => number } {
  let running = 0;
  const watched = watchEnds(fetch, () => running--);
  return {
    answering: () => running,
    fetch: async (request) => {
      if (!isPull(request)) return await watched(request);
      running++;
      const response = await watched(request);
      if (!isStream(response)) running--;
      return response;
    },
  };
}

const pulling: readonly Specimen<ServerSubject>[] = [
  server(
    "has a list of characters of its own",
    "It rejects names with an underscore.",
    ["S-ERR-12"],
    ({ fetch }) => refuse(fetch, ({ model }) => String(model).includes("_")),
  ),
  server(
    "does not say why while it pulls",
    "During a pull, its error for a missing model has no message.",
    ["S-ERR-6"],
    (mock) => {
      const { fetch, answering } = watchStreams(mock.fetch);
      return changeEach(
        fetch,
        (object) =>
          answering() > 1 && /does not exist/.test(String(object.error)) ? { error: "" } : object,
      );
    },
  ),
  server(
    "has no time to say what is wrong",
    "During a pull, it answers invalid requests with HTTP 503.",
    ["S-ERR-1", "S-ERR-2", "S-ERR-3", "S-ERR-4"],
    (mock) => {
      const { fetch, answering } = watchStreams(mock.fetch);
      return async (request) => {
        const isBusy = answering() > 0;
        const response = await fetch(request);
        return isBusy && response.status === 400
          ? Response.json({ error: "busy" }, { status: 503 })
          : response;
      };
    },
  ),
  server(
    "pulls what it has a name for",
    "During a pull, it treats a request with an invalid name as one for the same model.",
    ["S-ERR-4"],
    (mock) => {
      const { fetch, answering } = watchStreams(mock.fetch);
      return async (request) => {
        const isBusy = answering() > 0;
        const copy = request.clone();
        const response = await fetch(request);
        if (!isBusy || response.status !== 400) return response;
        const { error } = await response.clone().json();
        if (error !== "invalid model name") return response;
        return await fetch(new Request(copy, { body: '{"model":"subject"}' }));
      };
    },
  ),
  server(
    "takes any method while it pulls",
    "During a pull, it answers every method with success.",
    ["S-ERR-8"],
    (mock) => {
      const { fetch, answering } = watchStreams(mock.fetch);
      return async (request) =>
        answering() > 0 && request.method === "GET" ? Response.json({}) : await fetch(request);
    },
  ),
  server(
    "ends a pull with a refusal",
    "It ends running pulls when it refuses a request.",
    ["S-SEQ-3", "S-ERR-11"],
    ({ fetch }) => {
      let refusals = 0;
      const ending = changeBytes(fetch, async function* (chunks) {
        const before = refusals;
        for await (const chunk of chunks) {
          if (refusals > before) return;
          yield chunk;
        }
      });
      return async (request) => {
        const response = await ending(request);
        if (response.status === 400) refusals++;
        return response;
      };
    },
  ),
  server(
    "ends a pull for a model that is not there",
    "It ends running pulls when another model is missing from the registry.",
    ["S-SEQ-3", "S-ERR-11"],
    ({ fetch }) => {
      let failures = 0;
      return changeBytes(fetch, async function* (chunks) {
        const before = failures;
        for await (const chunk of chunks) {
          if (failures > before) return;
          if (new TextDecoder().decode(chunk).includes("does not exist")) failures++;
          yield chunk;
        }
      });
    },
  ),
];

const SUCCESS: StatusObject = { status: "success" };

/** Changes the text of streams, chunk by chunk. */
function changeText(fetch: Answer, change: (text: string) => string): Answer {
  return changeBytes(fetch, async function* (chunks) {
    for await (const chunk of chunks) {
      yield new TextEncoder().encode(change(new TextDecoder().decode(chunk)));
    }
  });
}

/** Leaves out the objects that tell of some errors. */
function withoutErrors(fetch: (request: Request) => Promise<Response>, words: RegExp) {
  return changeObjects(fetch, () => (object) => words.test(String(object.error)) ? [] : [object]);
}

function isGiven(field: unknown): boolean {
  return field !== undefined && field !== null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return text.trim() === "";
  }
}

/** The specimens. */
export const serverSpecimens: readonly Specimen<ServerSubject>[] = [
  ...requests,
  ...http,
  ...framing,
  ...sequence,
  ...downloads,
  ...errors,
  ...pulling,
];
