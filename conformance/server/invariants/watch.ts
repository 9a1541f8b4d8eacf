/**
 * Watches all exchanges with a server, whichever rule makes them, and checks each against the invariants.
 *
 *     a rule ─▶ OpenServer.fetch ─▶ the server
 *                     └─ a copy of what goes over the wire ─▶ Seen ─▶ invariants ─▶ Findings
 *
 * @module
 */

import type { LayerSize } from "../../../mod.ts";
import { concatBytes } from "../../../src/bytes.ts";
import { type AnswerEnding, showChunks } from "../../exchange.ts";
import type { Bytes } from "../../generators/bytes.ts";
import { Inconclusive, Violation } from "../../rule.ts";
import type { Watch } from "../../run.ts";
import type { OpenServer, ServerSubject } from "../subject.ts";
import { transcriptOf } from "../transcript.ts";
import { wireOf } from "../wire/wire_fetch.ts";
import { invariants } from "./invariants.ts";
import { measureLag } from "./lag.ts";
import type { Seen } from "./seen.ts";

/** Watches the exchanges of a server, unless it was set up with faults, which may break anything. */
export function watchServer(subject: ServerSubject, watch: Watch): ServerSubject {
  return {
    ...subject,
    async open(setup) {
      const server = await subject.open(setup);
      return (setup.faults ?? []).length > 0 ? server : watched(server, watch);
    },
  };
}

function watched(server: OpenServer, watch: Watch): OpenServer {
  const { change } = server;
  /** The exchanges in progress. An exchange that overlaps another is not alone. */
  const open = new Set<{ isAlone: boolean }>();
  let layers = server.layers ?? [];
  return {
    ...server,
    ...(change && {
      async change(sizes: readonly number[]) {
        const changed = await change(sizes);
        layers = [...layers, ...changed];
        return changed;
      },
    }),
    async fetch(path, init = {}) {
      const [start, startMs] = [server.now(), performance.now()];
      const company = { isAlone: open.size === 0 };
      for (const other of open) other.isAlone = false;
      open.add(company);
      const response = await server.fetch(path, init).catch((error) => {
        open.delete(company);
        throw error;
      });
      const wire = wireOf(response);
      const lag = wire && measureLag();
      // Data on a wire arrives in real time, whatever the server's clock says.
      const elapsed = () => wire ? performance.now() - startMs : server.now() - start;
      const copy = new Copy(response, init.signal ?? undefined, elapsed);
      copy.onEnd = (ending) => {
        open.delete(company);
        const { isAlone } = company;
        const known = { server, layers, wire, startMs, isAlone, lagMs: lag?.stop() ?? 0 };
        const seen = seenOf({ path, init, response, copy, ending, ...known });
        report(seen, watch);
      };
      return copy.response;
    },
  };
}

/** Checks an exchange against all invariants. */
function report(seen: Seen, { findings, during }: Watch): void {
  for (const { id, look } of invariants) {
    let hasSeen = false;
    try {
      look(seen, () => hasSeen = true);
    } catch (error) {
      if (error instanceof Inconclusive) continue;
      if (!(error instanceof Violation)) throw error;
      findings.add(id, { violation: error, during: during() });
    } finally {
      if (hasSeen) findings.saw(id);
    }
  }
}

/** A response whose body is copied as it is read. */
class Copy {
  /** The response to read instead of the original. */
  readonly response: Response;
  readonly chunks: Bytes[] = [];
  readonly arrivedAfterMs: number[] = [];
  elapsedMs = 0;
  /** Called when the body has ended, or the reader has stopped. */
  onEnd: (ending: AnswerEnding | "left") => void = () => {};

  constructor(response: Response, signal: AbortSignal | undefined, elapsed: () => number) {
    const { body, status, statusText, headers } = response;
    const end = (ending: AnswerEnding | "left") => {
      this.elapsedMs = elapsed();
      this.onEnd(ending);
    };
    if (!body) {
      this.response = response;
      queueMicrotask(() => end("end"));
      return;
    }
    const reader = body.getReader();
    const copied = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (done) {
            end("end");
            return controller.close();
          }
          this.chunks.push(new Uint8Array(value));
          this.arrivedAfterMs.push(elapsed());
          controller.enqueue(value);
        } catch (error) {
          end(signal?.aborted ? "left" : "reset");
          controller.error(error);
        }
      },
      cancel: async (reason) => {
        end("left");
        await reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
    this.response = new Response(copied, { status, statusText, headers });
  }
}

interface Material {
  readonly path: string;
  readonly init: RequestInit;
  readonly response: Response;
  readonly wire: ReturnType<typeof wireOf>;
  readonly copy: Copy;
  readonly ending: AnswerEnding | "left";
  /** The time of the request, by the clock of the wire's observations. */
  readonly startMs: number;
  readonly server: OpenServer;
  readonly layers: readonly LayerSize[];
  readonly isAlone: boolean;
  readonly lagMs: number;
}

function seenOf(
  { path, init, response, wire, copy, ending, startMs, server, layers, isAlone, lagMs }: Material,
): Seen {
  const { method = "GET", body } = init;
  const { status, headers } = response;
  const contentType = headers.get("Content-Type");
  const requestBody = textOf(body);
  const isWhole = ending !== "left";
  const arrived = wire?.chunks.map(({ bytes, atMs }) => ({ bytes, afterMs: atMs - startMs })) ??
    copy.chunks.map((bytes, index) => ({ bytes, afterMs: copy.arrivedAfterMs[index]! }));
  const received = arrived.map(({ bytes }) => bytes);
  const chunks = isWhole ? received : wholeLines(received);
  const shown = { status, contentType, chunks: showChunks(received) };
  return {
    method,
    path,
    acceptEncoding: new Headers(init.headers).get("Accept-Encoding"),
    requestBody,
    fields: headers,
    transcript: transcriptOf({
      status,
      contentType,
      contentEncoding: headers.get("Content-Encoding"),
      chunks,
      arrivedAfterMs: arrived.map(({ afterMs }) => afterMs),
      elapsedMs: copy.elapsedMs,
      exchange: {
        request: `${method} ${path} ${requestBody ?? "(a long body, or one in pieces)"}`.trimEnd(),
        answer: { ...shown, ending: ending === "left" ? "hang" : ending },
      },
    }),
    isWhole,
    wire,
    model: server.model,
    layers,
    isAlone,
    lagMs,
  };
}

/** In bytes. While a longer body is being sent, a server cannot answer, so rules about time ignore it. */
const MAX_BODY_LENGTH = 10_000;

/** The body of a request as text, if it was sent in one piece. */
function textOf(body: RequestInit["body"]): string | undefined {
  if (body === undefined || body === null) return "";
  if (typeof body === "string") return body;
  const isShort = body instanceof Uint8Array && body.length <= MAX_BODY_LENGTH;
  return isShort ? new TextDecoder().decode(body) : undefined;
}

const LF = "\n".charCodeAt(0);

/** Chunks without the part after the last line break. */
function wholeLines(chunks: readonly Bytes[]): Bytes[] {
  const bytes = concatBytes(chunks);
  let left = bytes.lastIndexOf(LF) + 1;
  return chunks.map((chunk) => {
    const kept = chunk.subarray(0, left);
    left -= kept.length;
    return kept;
  }).filter(({ length }) => length > 0);
}
