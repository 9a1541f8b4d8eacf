/**
 * Clients that report the server's statuses, each wrong in one way.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import type { ClientRun, ClientSubject } from "../../client/subject.ts";
import type { StatusObject } from "../../generators/mod.ts";
import {
  type ClientParts,
  correct,
  failOnEnd,
  failOnError,
  failOnStatus,
  pullWith,
  requestOf,
  splitLines,
  TIME_LIMIT_MS,
  watchFor,
  withTimeLimit,
} from "./client_parts.ts";
import { rawFetch } from "./raw_fetch.ts";
import type { Specimen } from "./specimen.ts";

type Body = Parameters<ClientParts["read"]>[0];
type Objects = Parameters<ClientParts["watch"]>[0];

/** Describes a client with some wrong parts. */
function client(
  name: string,
  does: string,
  breaks: readonly string[],
  parts: Partial<ClientParts>,
): Specimen<ClientSubject> {
  const subject: ClientSubject = {
    name,
    reports: "statuses",
    transport: "in-process",
    timeLimitMs: TIME_LIMIT_MS,
    pull: pullWith(parts),
  };
  return { name, does, breaks, subject };
}

/** Describes a client with a wrong `fetch`. */
function fetching(
  name: string,
  does: string,
  breaks: readonly string[],
  change: (fetch: ClientRun["fetch"]) => ClientRun["fetch"],
): Specimen<ClientSubject> {
  const { subject, ...specimen } = client(name, does, breaks, {});
  const pull = (run: ClientRun) => subject.pull({ ...run, fetch: change(run.fetch) });
  return { ...specimen, subject: { ...subject, pull } };
}

/** Describes a client that wraps the correct one's pull. */
function pulling(
  name: string,
  does: string,
  breaks: readonly string[],
  pull: (run: ClientRun) => Promise<void>,
): Specimen<ClientSubject> {
  const { subject, ...specimen } = client(name, does, breaks, {});
  return { ...specimen, subject: { ...subject, pull } };
}

/** Describes a client that also has no time limit, which would otherwise end every pull. */
function patient(
  ...[name, does, breaks, parts]: Parameters<typeof client>
): Specimen<ClientSubject> {
  const watch: ClientParts["watch"] = (objects) => objects;
  const described = client(name, does, breaks, { watch, ...parts });
  const { subject: { timeLimitMs: _, ...subject }, ...specimen } = described;
  return { ...specimen, subject };
}

/** Follows objects correctly, but inspects each of them first. */
function followAfter(
  startLook: () => (object: StatusObject) => void,
): Pick<ClientParts, "follow"> {
  return {
    follow(objects, onUpdate) {
      const look = startLook();
      const looked = async function* () {
        for await (const object of objects) {
          look(object);
          yield object;
        }
      };
      return correct.follow(looked(), onUpdate);
    },
  };
}

/** Follows objects correctly, but rejects some of them. */
function refuse(
  isRefused: (object: StatusObject) => boolean | undefined,
): Pick<ClientParts, "follow"> {
  return followAfter(() => (object) => {
    if (isRefused(object)) throw new Error(`This cannot be: ${JSON.stringify(object)}`);
  });
}

/** Parses correctly, and changes the result. */
function parsed(change: (object: StatusObject) => StatusObject): Pick<ClientParts, "parse"> {
  return {
    parse(line) {
      const object = correct.parse(line);
      return object && change(object);
    },
  };
}

const DIALECTS = [1, 2, 3, 4, 5, 6, 7].map((number) => `C-DIALECT-${number}`);

const FIELDS = new Set(["status", "digest", "total", "completed", "error"]);

const WORDS = /^(pulling|verifying|writing|removing|couldn't remove|success|downloading)/;

const requests: readonly Specimen<ClientSubject>[] = [
  client("puts", "It sends PUT requests.", ["C-REQ-1"], {
    request: (run) => new Request(correct.request(run), { method: "PUT" }),
  }),
  client("asks elsewhere", "It sends its request to another path.", [
    "C-REQ-1",
    "C-REQ-2",
    "C-REQ-3",
    "C-REQ-4",
    "C-REQ-5",
    "C-REQ-6",
  ], {
    request(run) {
      const request = correct.request(run);
      return new Request(`${request.url}s`, request);
    },
  }),
  client("does not name the model", "It puts the model into another field.", ["C-REQ-2"], {
    request: ({ host, model, signal }) => requestOf(host, { modelName: model }, signal),
  }),
  client("asks for a single object", "It asks for a single object instead of a stream.", [
    "C-REQ-3",
  ], {
    request: ({ host, model, signal }) => requestOf(host, { model, stream: false }, signal),
  }),
  client(
    "writes JSON by hand",
    "It puts the name between quotes without escaping it.",
    ["C-REQ-2"],
    {
      request: ({ host, model, signal }) =>
        new Request(requestOf(host, {}, signal), { body: `{"model":"${model}"}` }),
    },
  ),
  client("names models in lower case", "It changes the name to lower case.", ["C-REQ-2"], {
    request: ({ host, model, signal }) => requestOf(host, { model: model.toLowerCase() }, signal),
  }),
  client("cuts off tags", "It sends only the part of a name before the colon.", ["C-REQ-2"], {
    request: ({ host, model, signal }) =>
      requestOf(host, { model: model.replace(/:[^:/]*$/, "") }, signal),
  }),
  client("forgets the path of its host", "It sends its request to the root of the host.", [
    "C-REQ-4",
  ], {
    request: ({ host, model, signal }) => requestOf(new URL(host).origin, { model }, signal),
  }),
  client(
    "doubles slashes",
    "It appends its path even if the host ends with a slash.",
    ["C-REQ-4"],
    {
      request: (run) => new Request(`${run.host}/api/pull`, correct.request(run)),
    },
  ),
  fetching(
    "follows redirects with GET",
    "It follows a redirect, but drops the method and the body.",
    ["C-REQ-5"],
    (fetch) => async (input, init) => {
      const response = await fetch(new Request(input, { ...init, redirect: "manual" }));
      const location = response.headers.get("Location");
      return location === null ? response : await fetch(location);
    },
  ),
  fetching(
    "takes a redirect for success",
    "It treats a redirect as a completed pull.",
    ["C-REQ-5"],
    (fetch) => async (input, init) => {
      const response = await fetch(new Request(input, { ...init, redirect: "manual" }));
      return response.headers.has("Location") ? new Response('{"status":"success"}\n') : response;
    },
  ),
  pulling(
    "asks for a single object when it pulls again",
    "It pulls again when the connection breaks, but then asks only for the outcome.",
    ["C-REQ-3"],
    async (run) => {
      try {
        await pullWith({})(run);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        await pullWith({
          request: ({ host, model, signal }) => requestOf(host, { model, stream: false }, signal),
        })(run);
      }
    },
  ),
  client("is insecure", "It requests an insecure pull without being told to.", ["C-REQ-6"], {
    request: ({ host, model, signal }) => requestOf(host, { model, insecure: true }, signal),
  }),
];

const framing: readonly Specimen<ClientSubject>[] = [
  client("reports downloads twice", "It reports each download twice.", ["C-FRAME-1"], {
    follow: (objects, onUpdate) =>
      correct.follow(objects, (update) => {
        onUpdate(update);
        const { digest, status } = update as StatusObject;
        if (digest || status === "downloading") onUpdate(update);
      }),
  }),
  client("leaves out the manifest", "It does not report that the manifest is pulled.", [
    "C-FRAME-1",
  ], {
    follow: (objects, onUpdate) =>
      correct.follow(objects, (update) => {
        if ((update as StatusObject).status !== "pulling manifest") onUpdate(update);
      }),
  }),
  client(
    "takes a chunk for a line",
    "It parses each chunk as a line, which also breaks long lines and lines cut inside characters.",
    ["C-FRAME-1", "C-FRAME-2", "C-FRAME-3", "C-FRAME-7"],
    { split: (texts) => texts },
  ),
  client(
    "splits on chunks instead of lines",
    "It splits each chunk into lines separately, which also breaks long lines and lines cut inside characters.",
    ["C-FRAME-2", "C-FRAME-3", "C-FRAME-7"],
    {
      async *split(texts) {
        for await (const text of texts) yield* text.split("\n");
      },
    },
  ),
  client(
    "loses lines whose newline comes alone",
    "It loses a line if the next chunk begins with its newline, also after a CR.",
    ["C-FRAME-2", "C-FRAME-4"],
    {
      async *split(texts) {
        let rest = "";
        for await (const text of texts) {
          const lines = ((text.startsWith("\n") ? "" : rest) + text).split("\n");
          rest = lines.pop()!;
          yield* lines;
        }
        yield rest;
      },
    },
  ),
  client("decodes each chunk by itself", "It breaks characters that are split between chunks.", [
    "C-FRAME-3",
  ], {
    async *decode(chunks) {
      for await (const chunk of chunks) yield new TextDecoder().decode(chunk);
    },
  }),
  client(
    "wants every byte but the last",
    "It keeps only the first byte of an incomplete character.",
    ["C-FRAME-3"],
    {
      async *decode(chunks) {
        let held = new Uint8Array();
        for await (const chunk of chunks) {
          const bytes = new Uint8Array([...held, ...chunk]);
          const isBegun = (bytes.at(-1) ?? 0) >= 0xc0;
          held = isBegun ? bytes.slice(-1) : new Uint8Array();
          yield new TextDecoder().decode(isBegun ? bytes.slice(0, -1) : bytes);
        }
      },
    },
  ),
  client(
    "forgets what came with an error",
    "It reports the objects of a chunk only if all of them are valid.",
    ["C-FRAME-1"],
    {
      async *split(texts) {
        let rest = "";
        for await (const text of texts) {
          const lines = (rest + text).split("\n");
          rest = lines.pop()!;
          const bad = lines.find((line) => line.startsWith('{"error"'));
          yield* bad === undefined ? lines : [bad];
        }
        yield rest;
      },
    },
  ),
  client("wants bare newlines", "It rejects lines that end with CR.", ["C-FRAME-4"], {
    parse(line) {
      if (line.trim() !== "" && line.endsWith("\r")) throw new Error("unexpected CR");
      return correct.parse(line);
    },
  }),
  client("parses blank lines", "It parses a blank line as an object.", ["C-FRAME-5"], {
    split: (texts) => splitLines(texts, (rest) => rest === "" ? [] : [rest]),
    parse: (line) => JSON.parse(line),
  }),
  client(
    "forgets to flush",
    "It drops the rest of its buffer when the stream ends.",
    ["C-FRAME-6"],
    {
      split: (texts) => splitLines(texts, () => []),
    },
  ),
  client("has a buffer for lines", "It fails on lines longer than 64 KiB.", ["C-FRAME-7"], {
    parse(line) {
      if (line.length > 65_536) throw new Error("token too long");
      return correct.parse(line);
    },
  }),
  client(
    "has lines end as lines of text may",
    "It splits at every line separator of Unicode.",
    ["C-FRAME-9"],
    {
      async *split(texts) {
        for await (const line of correct.split(texts)) yield* line.split(/[\x85\u2028\u2029]/);
      },
    },
  ),
  client("swallows bad lines", "It skips lines that are not JSON.", ["C-FRAME-8"], {
    parse(line) {
      try {
        return correct.parse(line);
      } catch {
        return undefined;
      }
    },
  }),
];

const objects: readonly Specimen<ClientSubject>[] = [
  patient(
    "takes an absent `completed` for all of it",
    "It reports a layer as complete before it has begun, because that is how layers are announced, and " +
      "cannot say it where there is no total.",
    ["C-FRAME-1", "C-OBJ-1", "C-OBJ-6"],
    {
      read: (body) => body,
      ...parsed((object) => ({ completed: object.total, ...object })),
    },
  ),
  client(
    "wants every layer to be completed",
    "It fails if the last line of a layer falls short of its total, which most dialects allow.",
    ["C-OBJ-1", ...DIALECTS.slice(1)],
    followAfter(() => {
      const open = new Set<unknown>();
      return ({ digest, total, completed, status }) => {
        if (total !== undefined) completed === total ? open.delete(digest) : open.add(digest);
        if (status === "writing manifest" && open.size > 0) throw new Error("incomplete");
      };
    }),
  ),
  client(
    "wants every download to have a status",
    "It rejects downloads without a status, which one dialect sends.",
    ["C-OBJ-2", "C-DIALECT-5"],
    refuse(({ digest, status }) => digest !== undefined && status === undefined),
  ),
  client(
    "counts brackets",
    "It finds the end of an object by counting brackets, including those in strings.",
    ["C-OBJ-3", "C-OBJ-4", "C-ERR-1", "C-ERR-4"],
    {
      parse(line) {
        const opened = line.split("{").length;
        if (opened !== line.split("}").length && line.endsWith("}")) throw new Error("unbalanced");
        return correct.parse(line);
      },
    },
  ),
  client(
    "looks for an error in the bytes",
    "It treats every line that contains the word as an error.",
    ["C-OBJ-3", "C-OBJ-4", "C-OBJ-7"],
    {
      parse(line) {
        const object = correct.parse(line);
        return object && line.includes("error") ? { error: line, ...object } : object;
      },
    },
  ),
  client("wants known fields only", "It rejects objects with other fields.", ["C-OBJ-3"], {
    ...refuse((object) => Object.keys(object).some((name) => !FIELDS.has(name))),
  }),
  client(
    "wants known statuses only",
    "It rejects unknown statuses, which may contain any text.",
    ["C-OBJ-4"],
    refuse(({ digest, status }) =>
      digest === undefined && !WORDS.test(String(status ?? "success"))
    ),
  ),
  client(
    "counts in 32 bits",
    "Its numbers of bytes wrap at 4 GiB.",
    ["C-OBJ-5"],
    parsed((object) => {
      const { total, completed } = object as { total?: number; completed?: number };
      return {
        ...object,
        ...(total !== undefined && { total: total >>> 0 }),
        ...(completed !== undefined && { completed: completed >>> 0 }),
      };
    }),
  ),
  client(
    "wants every download to have a total",
    "It rejects downloads of unknown length.",
    ["C-OBJ-6"],
    refuse(({ digest, total }) => digest !== undefined && total === undefined),
  ),
  client(
    "takes a failed clean-up for a failure",
    "It fails if unused layers could not be removed.",
    ["C-OBJ-7"],
    refuse(({ status }) => /^couldn't/.test(String(status))),
  ),
  client(
    "wants layers to begin at zero",
    "It rejects a layer that is partly downloaded, so resumed pulls fail in every dialect.",
    [...DIALECTS, "C-ERR-1", "C-ERR-4"],
    followAfter(() => {
      const begun = new Set<unknown>();
      return ({ digest, completed }) => {
        if (digest === undefined || begun.has(digest)) return;
        begun.add(digest);
        if (completed) throw new Error("not at zero");
      };
    }),
  ),
  client(
    "waits for the layers to be verified",
    "It accepts no success without it, but one dialect does not report it.",
    ["C-DIALECT-6"],
    followAfter(() => {
      let isVerified = false;
      return ({ status }) => {
        isVerified ||= status === "verifying sha256 digest";
        if (status === "success" && !isVerified) throw new Error("not verified");
      };
    }),
  ),
  client(
    "knows no short digests",
    "It rejects downloads with the status `pulling` and twelve digits, which three dialects use.",
    ["C-DIALECT-3", "C-DIALECT-4", "C-DIALECT-7"],
    refuse(({ status }) => /^pulling [0-9a-f]{12}$/.test(String(status))),
  ),
  client(
    "knows one word for removing",
    "It rejects the words of two dialects.",
    ["C-DIALECT-4", "C-DIALECT-7"],
    refuse(({ status }) => status === "removing unused layers"),
  ),
  client(
    "wants layers one after another",
    "It rejects a layer that is reported again after another one, as in one dialect.",
    ["C-DIALECT-5"],
    followAfter(() => {
      const begun: unknown[] = [];
      return ({ digest }) => {
        if (digest === undefined || begun.at(-1) === digest) return;
        if (begun.includes(digest)) throw new Error("out of order");
        begun.push(digest);
      };
    }),
  ),
  client(
    "wants one content type",
    "It rejects answers whose content type is not NDJSON, as in one dialect.",
    ["C-DIALECT-5"],
    {
      async accept(response) {
        await correct.accept(response);
        const type = response.headers.get("Content-Type");
        if (type !== "application/x-ndjson") throw new Error(`This is ${type}`);
      },
    },
  ),
  client(
    "gives up early",
    "It gives up after a pause of half its time limit.",
    ["C-DIALECT-1"],
    {
      read: async function* (body, signal) {
        const reader = body.getReader();
        try {
          for (;;) {
            let timer: ReturnType<typeof setTimeout> | undefined;
            const limit = new Promise<never>((_, reject) => {
              timer = setTimeout(() => reject(new Error("silent")), TIME_LIMIT_MS / 2);
            });
            const { done, value } = await Promise.race([reader.read(), limit])
              .finally(() => clearTimeout(timer));
            signal.throwIfAborted();
            if (done) return;
            yield value;
          }
        } finally {
          await reader.cancel().catch(() => {});
        }
      },
    },
  ),
  client(
    "wants whole digests",
    "It rejects digests without 64 digits, as in one dialect.",
    ["C-DIALECT-6"],
    refuse(({ digest }) => Boolean(digest) && !/^sha256:[0-9a-f]{64}$/.test(String(digest))),
  ),
  client(
    "wants a digest with each size",
    "It fails on downloads without a digest.",
    ["C-OBJ-8"],
    refuse(({ digest, total }) => total !== undefined && !digest),
  ),
];

const failures: readonly Specimen<ClientSubject>[] = [
  client(
    "knows errors by their first bytes",
    "It searches for the bytes with which servers start an error, so it misses errors with extra spaces.",
    ["C-ERR-1", "C-ERR-4", "C-ERR-5"],
    {
      parse(line) {
        const object = correct.parse(line);
        if (object?.error === undefined || line.startsWith('{"error":')) return object;
        return { status: "unknown" };
      },
    },
  ),
  client(
    "cuts errors at a quote",
    "It uses the text between two quotes as the message.",
    ["C-ERR-1", "C-ERR-2"],
    {
      parse(line) {
        const object = correct.parse(line);
        if (typeof object?.error !== "string") return object;
        return { error: /"error" ?: ?"([^"]*)"/.exec(line)?.[1] ?? object.error };
      },
    },
  ),
  client(
    "swallows errors",
    "It ignores errors, whether early, late or followed by `success`.",
    ["C-ERR-1", "C-ERR-2", "C-ERR-3", "C-ERR-4"],
    parsed(({ error: _, ...object }) => object),
  ),
  client(
    "keeps late errors to itself",
    "It shows the message of an error only if that is the first object.",
    ["C-ERR-1", "C-ERR-4", "C-ERR-5"],
    followAfter(() => {
      let isFirst = true;
      return ({ error }) => {
        if (error !== undefined && !isFirst) throw new Error("pull failed");
        isFirst = false;
      };
    }),
  ),
  client(
    "wants a status first",
    "It does not check the first object for an error.",
    ["C-ERR-2"],
    followAfter(() => {
      let isFirst = true;
      return ({ status }) => {
        if (isFirst && status === undefined) throw new Error("no status");
        isFirst = false;
      };
    }),
  ),
  client("takes the last word", "It forgets an error when `success` follows.", ["C-ERR-3"], {
    async follow(objects, onUpdate) {
      let failure: unknown;
      for await (const object of objects) {
        failure = object.error ?? failure;
        if (object.error === undefined) onUpdate(object);
        if (object.status === "success") return;
      }
      failOnError({ error: failure });
      failOnEnd();
    },
  }),
  client(
    "takes only texts for errors",
    "It ignores an error that is an object.",
    ["C-ERR-4"],
    parsed(({ error, ...object }) => typeof error === "string" ? { ...object, error } : object),
  ),
  client(
    "looks for a message",
    "It reports the `message` field of a JSON error, which does not exist, instead of the status.",
    ["C-HTTP-1", "C-HTTP-4"],
    {
      async accept(response) {
        const isJson = response.headers.get("Content-Type") === "application/json";
        if (isJson && !response.ok) throw new Error((await response.json()).message);
        await correct.accept(response);
      },
    },
  ),
  client(
    "takes every error for JSON",
    "It fails to parse the body of an HTTP error that is a web page, and does not report the status.",
    ["C-HTTP-2"],
    {
      async accept(response) {
        const isPage = response.headers.get("Content-Type") === "text/html";
        if (isPage && !response.ok) await response.json();
        await correct.accept(response);
      },
    },
  ),
  client(
    "has no words for an empty body",
    "It reports only the body of an HTTP error.",
    ["C-HTTP-3"],
    {
      async accept(response) {
        const text = response.ok ? "" : await response.clone().text();
        if (!response.ok && text === "") throw new Error(text);
        await correct.accept(response);
      },
    },
  ),
  client(
    "does not look at the HTTP status",
    "It follows any answer: a web page is invalid JSON, and an empty body has no success. (An error " +
      "in a JSON body is as good as an error line, but so is a success.)",
    ["C-HTTP-1", "C-HTTP-2", "C-HTTP-3", "C-HTTP-4", "C-HTTP-5"],
    { accept: () => Promise.resolve() },
  ),
  client(
    "knows one shape of errors",
    "For an HTTP error in JSON, it reports the status, and `error` if that is a string.",
    ["C-HTTP-4"],
    {
      async accept(response) {
        const isJson = response.headers.get("Content-Type") === "application/json";
        if (!isJson || response.ok) return await correct.accept(response);
        const { error = "" } = await response.json();
        throw new Error(`HTTP ${response.status}: ${error}`);
      },
    },
  ),
  client(
    "takes a page for a pull",
    "It parses every answer with status 200, and reports an unexpected character.",
    ["C-HTTP-5"],
    { accept: failOnStatus },
  ),
  client(
    "takes null for an error",
    "It fails on an object whose `error` is null.",
    ["C-ERR-5"],
    refuse(({ error }) => error === null),
  ),
  {
    name: "asks for what it cannot read",
    does: "It accepts compressed answers, but does not decompress them.",
    breaks: ["C-HTTP-6"],
    subject: {
      name: "asks for what it cannot read",
      reports: "statuses",
      transport: "network",
      pull(run) {
        const request: ClientParts["request"] = (run) =>
          new Request(correct.request(run), { headers: { "Accept-Encoding": "gzip, deflate" } });
        const unlimited = { read: (body: Body) => body, watch: (objects: Objects) => objects };
        return pullWith({ ...unlimited, request })({ ...run, fetch: rawFetch });
      },
    },
  },
];

/** Treats a failure as success in some state of a pull. */
function forgiving(isForgiven: (last: StatusObject) => boolean): Pick<ClientParts, "follow"> {
  return {
    async follow(objects, onUpdate) {
      let last: StatusObject = {};
      try {
        await correct.follow(objects, (update) => {
          last = update as StatusObject;
          onUpdate(update);
        });
      } catch (error) {
        if (!isForgiven(last)) throw error;
      }
    },
  };
}

/** The rules broken by a client that treats all failures in some state as success. */
const FORGIVING = [
  ...["C-FRAME-8", "C-ERR-1", "C-ERR-3", "C-ERR-4", "C-END-1", "C-END-2", "C-END-3"],
  "C-CANCEL-1",
];

const endings: readonly Specimen<ClientSubject>[] = [
  client(
    "takes an end after the manifest is written for success",
    "It reports success however the stream ends then.",
    [...FORGIVING, "C-TIME-1"],
    forgiving(({ status }) => status === "writing manifest"),
  ),
  client(
    "takes an end of cached layers for success",
    "It reports success however the stream ends once a layer is complete.",
    FORGIVING,
    forgiving(({ total, completed }) => total !== undefined && total === completed),
  ),
  client(
    "finds success in the bytes",
    "It searches each line for the word, but a line may contain any text.",
    ["C-DONE-1", "C-END-1", "C-OBJ-4"],
    {
      async *split(texts) {
        for await (const line of correct.split(texts)) {
          yield line;
          if (line.includes("success") && !line.includes("error")) yield '{"status":"success"}';
        }
      },
    },
  ),
  client(
    "tells all at the end",
    "It holds its updates back until the server has sent success.",
    ["C-TIME-3"],
    {
      async follow(objects, onUpdate) {
        const updates: unknown[] = [];
        try {
          await correct.follow(objects, (update) => updates.push(update));
        } finally {
          updates.forEach(onUpdate);
        }
      },
    },
  ),
  client("tells each line when the next one comes", "It is one line late.", ["C-TIME-3"], {
    async follow(objects, onUpdate) {
      const updates: unknown[] = [];
      try {
        await correct.follow(objects, (update) => {
          updates.push(update);
          if (updates.length > 1) onUpdate(updates.shift());
        });
      } finally {
        updates.forEach(onUpdate);
      }
    },
  }),
  client(
    "draws everything again",
    "At intervals it redraws the list of all lines, which takes longer as the list grows.",
    ["C-TIME-4"],
    {
      async *split(texts) {
        let pieces = 0;
        const counted = async function* () {
          for await (const text of texts) {
            if (++pieces % 40 === 0) await pause(pieces * 0.045);
            yield text;
          }
        };
        yield* correct.split(counted());
      },
    },
  ),
  client("takes the end of the stream for success", "It does not wait for `success`.", [
    "C-END-1",
  ], {
    async follow(objects, onUpdate) {
      for await (const object of objects) {
        failOnError(object);
        onUpdate(object);
        if (object.status === "success") return;
      }
    },
  }),
  client("takes half a line for the end", "It reports success if the last line is cut.", [
    "C-END-2",
  ], {
    async *split(texts) {
      let rest = "";
      for await (const text of texts) {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        yield* lines;
      }
      yield rest === "" || rest.endsWith("}") ? rest : '{"status":"success"}';
    },
  }),
  client("takes a broken connection for the end", "It reports success if reading fails.", [
    "C-END-3",
  ], {
    async *decode(chunks) {
      try {
        yield* correct.decode(chunks);
      } catch (error) {
        if (error instanceof TypeError) yield '{"status":"success"}\n';
        else throw error;
      }
    },
  }),
  client(
    "tells of success before the server has",
    "It reports success when the manifest is written, and then waits for the server.",
    ["C-DONE-1"],
    {
      follow: (objects, onUpdate) =>
        correct.follow(objects, (update) => {
          const { status } = update as StatusObject;
          if (status !== "success") onUpdate(update);
          if (status === "writing manifest") onUpdate({ status: "success" });
        }),
    },
  ),
  client(
    "is done before the server is",
    "It ends with success when layers are removed, whatever follows: a cut, " +
      "an error, a bad line, silence.",
    [
      ...[
        "C-DONE-1",
        "C-END-1",
        "C-END-2",
        "C-END-3",
        "C-ERR-1",
        "C-ERR-3",
        "C-ERR-4",
        "C-FRAME-8",
      ],
      "C-TIME-1",
    ],
    {
      async follow(objects, onUpdate) {
        for await (const object of objects) {
          failOnError(object);
          onUpdate(object);
          if (/^(removing|success)/.test(String(object.status))) return;
        }
        failOnEnd();
      },
    },
  ),
  client("reports success twice", "It reports it once more at the end.", ["C-DONE-2"], {
    async follow(objects, onUpdate) {
      await correct.follow(objects, onUpdate);
      onUpdate({ status: "success" });
    },
  }),
  client(
    "reads on after success",
    "It waits for the end of the answer, and fails if anything goes wrong until then.",
    ["C-DONE-3"],
    {
      async follow(objects, onUpdate) {
        let isDone = false;
        for await (const object of objects) {
          failOnError(object);
          if (!isDone) onUpdate(object);
          isDone ||= object.status === "success";
        }
        if (!isDone) failOnEnd();
      },
    },
  ),
  pulling(
    "takes a cancelled pull for a good end",
    "It ends without an error when it is cancelled, as if the pull had succeeded.",
    ["C-CANCEL-1"],
    (run) =>
      pullWith({})(run).catch((error) => {
        if (!run.signal.aborted) throw error;
      }),
  ),
  patient("cannot be cancelled", "It ignores the signal.", ["C-CANCEL-1"], {
    request: ({ host, model }) => requestOf(host, { model }),
    read: (body) => body,
  }),
  patient(
    "leaves its connection open",
    "It ends when it is cancelled, but keeps its connection open.",
    ["C-CANCEL-1", "C-CANCEL-2"],
    {
      request: ({ host, model }) => requestOf(host, { model }),
      async *read(body, signal) {
        const reader = body.getReader();
        const aborted = new Promise<never>((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
        for (;;) {
          const { done, value } = await Promise.race([reader.read(), aborted]);
          if (done) return;
          yield value;
        }
      },
    },
  ),
  client(
    "leaves open what it has given up on",
    "It fails on invalid lines, but keeps its connection open.",
    ["C-CANCEL-2"],
    {
      async *read(body, signal) {
        const reader = body.getReader();
        for (;;) {
          const { done, value } = await withTimeLimit(reader.read());
          signal.throwIfAborted();
          if (done) return;
          yield value;
        }
      },
    },
  ),
  client(
    "sees no news in a smaller layer",
    "It remembers the highest byte count reported for any layer.",
    ["C-TIME-5"],
    {
      watch: watchFor(() => {
        let most = -1;
        return ({ completed }) => {
          const bytes = Number(completed ?? 0);
          const isNew = bytes > most;
          if (isNew) most = bytes;
          return isNew;
        };
      }),
    },
  ),
  client("waits for ever", "It claims to have a time limit, but has none for the body.", [
    "C-TIME-1",
  ], {
    read: (body) => body,
  }),
  client(
    "takes talk for progress",
    "It has a time limit per line, so a repeated line keeps it waiting.",
    ["C-TIME-2"],
    { watch: (objects) => objects },
  ),
  client(
    "waits for ever for the end",
    "It removes its time limit when the manifest is written.",
    ["C-TIME-1"],
    {
      async *read(body, signal) {
        const reader = body.getReader();
        let isLimited = true;
        try {
          for (;;) {
            const reading = reader.read();
            const { done, value }: Awaited<typeof reading> = isLimited
              ? await withTimeLimit(reading)
              : await reading;
            signal.throwIfAborted();
            if (done) return;
            isLimited &&= !new TextDecoder().decode(value).includes("writing manifest");
            yield value;
          }
        } finally {
          await reader.cancel().catch(() => {});
        }
      },
    },
  ),
  client(
    "takes two layers that stand still for progress",
    "It compares each line only with the previous one, which may be about another layer.",
    ["C-TIME-2"],
    {
      watch: watchFor(() => {
        let newest = "";
        return (object) => {
          const before = newest;
          newest = JSON.stringify(object);
          return newest !== before;
        };
      }),
    },
  ),
];

/** The specimens. */
export const clientSpecimens: readonly Specimen<ClientSubject>[] = [
  ...requests,
  ...framing,
  ...objects,
  ...failures,
  ...endings,
];
