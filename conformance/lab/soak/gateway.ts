/**
 * What may stand between a client and a server: it answers by itself, or hands on what the server says in
 * another form.
 *
 *     pull ── request ──▶ Gateway ── fetch ──▶ mock
 *          ◀── answer ──          ◀── answer ──
 *
 * @module
 */

import type { PullRequestInit } from "../../../mod.ts";
import type { Dice } from "../fuzz/dice.ts";
import { bodyOf } from "../body.ts";

/** What a gateway makes of all answers to a client: nothing, server-sent events, downloads without a digest. */
const FORMS = ["plain", "plain", "events", "anonymous"] as const;

/** What a gateway does with one request: mostly it hands it on. */
const DEEDS = [
  ...Array<"pass">(16).fill("pass"),
  "busy",
  "unreachable",
  "failing",
  "page",
] as const;

type Deed = typeof DEEDS[number];

/** How often a gateway did what it does. */
export type DeedCount = Partial<Record<Deed, number>>;

/** How long a gateway that is busy tells clients to wait, in seconds. */
const RETRY_AFTER_SECONDS = 20;

/** After how many lines, at most, a gateway that fails says so. */
const MAX_LINES_BEFORE_ERROR = 8;

/** The error of a gateway in the style of OpenAI, for a cause that may pass. */
const ERROR_LINE = JSON.stringify({
  error: { message: "max retries exceeded: EOF", type: "server_error", code: null },
});

/** The gateway of one client, which does by chance what gateways do. */
export class Gateway {
  readonly #dice: Dice;
  readonly #form: typeof FORMS[number];
  readonly #count: (deed: Deed) => void;

  /**
   * Decides what form the answers have.
   *
   * @param dice Chance.
   * @param count Is told of each deed.
   */
  constructor(dice: Dice, count: (deed: Deed) => void) {
    this.#dice = dice;
    this.#form = dice.pick(FORMS);
    this.#count = count;
  }

  /** Makes a request. */
  readonly fetch = async (url: string, init: PullRequestInit): Promise<Response> => {
    const deed = this.#dice.pick(DEEDS);
    this.#count(deed);
    switch (deed) {
      case "busy":
        return Response.json({ detail: "Too many requests" }, {
          status: 429,
          headers: { "Retry-After": String(RETRY_AFTER_SECONDS) },
        });
      case "unreachable":
        return page(502, "Bad Gateway");
      case "page":
        return page(200, "Log in");
      case "failing":
        return this.#handOn(await fetch(url, init), this.#dice.below(MAX_LINES_BEFORE_ERROR));
      case "pass":
        return this.#handOn(await fetch(url, init), Infinity);
    }
  };

  /** An answer in the form of this gateway, which ends in an error after a number of lines. */
  #handOn(answer: Response, lines: number): Response {
    if (!answer.ok) return answer;
    const form = this.#form;
    const headers = new Headers(answer.headers);
    headers.delete("content-length");
    if (form === "events") headers.set("content-type", "text/event-stream");
    const body = bodyOf(answer).pipeThrough(rewriteLines((line) => {
      if (lines-- <= 0) return { line: ERROR_LINE, isLast: true };
      return { line: form === "anonymous" ? withoutDigest(line) : line };
    }, form === "events" ? (line) => `data: ${line}\n\n` : (line) => `${line}\n`));
    return new Response(body, { headers });
  }
}

function page(status: number, title: string): Response {
  const html = `<!doctype html>\n<html><head><title>${title}</title></head></html>\n`;
  return new Response(html, { status, headers: { "Content-Type": "text/html" } });
}

/** The object of a line without its digest. What is no object stays as it is. */
function withoutDigest(line: string): string {
  try {
    const { digest: _, ...object } = JSON.parse(line);
    return JSON.stringify(object);
  } catch {
    return line;
  }
}

interface RewrittenLine {
  readonly line: string;
  /** Whether the answer ends with it. */
  readonly isLast?: true;
}

/** Bytes of lines to bytes of what becomes of them; half a line at the end stays half a line. */
function rewriteLines(
  rewrite: (line: string) => RewrittenLine,
  frame: (line: string) => string,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  const decoder = new TextDecoder();
  const utf8 = new TextEncoder();
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const rewritten = rewrite(line);
        controller.enqueue(utf8.encode(frame(rewritten.line)));
        if (rewritten.isLast) return controller.terminate();
      }
    },
    flush(controller) {
      if (rest !== "") controller.enqueue(utf8.encode(frame(rest).trimEnd()));
    },
  });
}
