/**
 * Progress for many: a handler of requests that starts pulls, and shows them to whoever may see them.
 *
 *     request ─▶ origin ─▶ route ─▶ allow ─▶ limits ─▶ pull ─▶ Feed ─▶ Viewer ─▶ response
 *                  └─────────┴────────┴─────────┴── Refusal ──▶ { "error", "code" }
 *
 * @module
 */

import type { Bytes } from "../bytes.ts";
import { PullManager } from "../manager/manager.ts";
import { quote } from "../text.ts";
import { acceptedFormat } from "./accepted_format.ts";
import { Audience } from "./audience.ts";
import type { Feed } from "./feed.ts";
import { Origins } from "./origins.ts";
import { Pulls } from "./pulls.ts";
import { redactError } from "./redaction.ts";
import { Refusal } from "./refusal.ts";
import { readOptions, type RelayOptions, type RelaySettings } from "./relay_options.ts";
import { dropBody } from "./request_body.ts";
import { END_ID, type RecordFormat, recordHeaders } from "./response.ts";
import { readRoute, type Route } from "./route.ts";
import { openingBytes, Viewer } from "./viewer.ts";

/** What `Retry-After` says above a limit, in seconds. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Makes a handler of requests that relays pulls: any number of pages and programs start, watch and cancel
 * pulls through it, and each model is pulled from Ollama once. It fits `Deno.serve`, `Bun.serve`, a Durable
 * Object, and frameworks such as Hono (`(context) => relay(context.req.raw)`).
 *
 * | request                 | answer                                                                 |
 * | ----------------------- | ---------------------------------------------------------------------- |
 * | `POST /pulls/{model}`   | starts a pull, or joins the one that runs, and shows it                |
 * | `GET /pulls/{model}`    | shows it, also for a minute after its end; 404 if there is none        |
 * | `DELETE /pulls/{model}` | cancels it for all: 204; 404 if there is none                          |
 *
 * The model is one segment of the path: `encodeURIComponent("hf.co/some/model")`. A pull is shown as
 * {@link toResponse} does it, as events or (by `Accept`) as lines: the first record is a whole snapshot,
 * and the last one tells how the pull ended. A slow viewer skips what is out of date, and holds up nobody.
 * When a viewer leaves, the pull goes on, unless `lingerMs` says otherwise. An `EventSource` that connects
 * again gets a whole snapshot. If it has seen the end, it gets 204, and stops.
 *
 * A relay can watch another one in place of Ollama, for more viewers than one process or Durable Object
 * holds: `pull: (model, { signal }) => watchPull(relay, model, { start: true, signal })`.
 *
 * A refusal is JSON, `{ "error": "…", "code": "…" }`: 400 for a bad name, 403 for what is not allowed, 404
 * for an unknown path or pull, 405 for a method, 413 for a large body, and 429 above a limit.
 * `SECURITY.md` lists what is promised.
 *
 * ```ts
 * import { createMockServer } from "@ollama-pull/kit/mock";
 * import { createRelay, fromResponse } from "@ollama-pull/kit/relay";
 *
 * const relay = createRelay({
 *   allow: (request, { action, model }) =>
 *     request.headers.get("Authorization") === "Bearer let-me-in" &&
 *     (action === "watch" || String(model) === "llama3.2:latest"),
 *   ...createMockServer().client, // in its place, the host of Ollama
 * }); // Deno.serve(relay), or Bun.serve({ fetch: relay })
 *
 * const response = await relay(
 *   new Request("http://localhost/pulls/llama3.2", {
 *     method: "POST",
 *     headers: { Authorization: "Bearer let-me-in" },
 *   }),
 * );
 * for await (const { phase, fraction } of fromResponse(response)) console.log(phase, fraction);
 * ```
 *
 * @param options Who may do what, and where Ollama is.
 * @return The handler. It never rejects.
 * @throws {TypeError} If `allow` is missing, or `host`, `basePath` or one of `origins` cannot be used.
 * @throws {RangeError} If a number is too small.
 */
export function createRelay(options: RelayOptions): (request: Request) => Promise<Response> {
  const relay = new Relay(readOptions(options));
  return (request) => relay.handle(request);
}

/** The relay. */
class Relay {
  readonly #settings: RelaySettings;
  readonly #origins: Origins;
  readonly #audience: Audience;
  readonly #pulls: Pulls;
  /** What viewers are sent first: the same bytes for all. */
  readonly #openings: Readonly<Record<RecordFormat, Bytes>>;

  constructor(settings: RelaySettings) {
    const { retryMs } = settings;
    this.#settings = settings;
    this.#openings = {
      sse: openingBytes("sse", retryMs),
      ndjson: openingBytes("ndjson", retryMs),
    };
    this.#origins = new Origins(settings.origins);
    this.#audience = new Audience(settings);
    this.#pulls = new Pulls(settings.manager ?? new PullManager(settings), {
      ...settings,
      audience: this.#audience,
      dismissesEnded: !settings.manager,
      redact: (error) => this.#redact(error),
    });
  }

  /** Answers a request, whatever it is. */
  async handle(request: Request): Promise<Response> {
    try {
      return this.#origins.mark(request, await this.#answer(request));
    } catch (error) {
      return this.#origins.mark(request, this.#refuse(error));
    }
  }

  async #answer(request: Request): Promise<Response> {
    this.#origins.check(request);
    if (request.method === "OPTIONS") return this.#origins.preflight(request);
    const route = readRoute(request, this.#settings.basePath);
    const { action, model } = route;
    const answer = await this.#settings.allow(request, { action, model });
    if (answer instanceof Response) return answer;
    if (answer !== true) {
      throw new Refusal(403, "not-allowed", `You may not ${describe(route)}`);
    }
    if (action === "start") return await this.#start(route, request);
    return action === "watch" ? this.#watch(route, request) : this.#cancel(route);
  }

  async #start({ name }: Route, request: Request): Promise<Response> {
    await dropBody(request);
    this.#requirePlace();
    const { maxPulls } = this.#settings;
    if (!this.#pulls.isActive(name) && this.#pulls.active >= maxPulls) {
      throw tooMany("too-many-pulls", `${maxPulls} models are pulled already, which is the limit`);
    }
    return this.#show(this.#pulls.start(name), request);
  }

  #watch(route: Route, request: Request): Response {
    // An `EventSource` that has seen the end connects again, unless it is told that there is nothing.
    if (request.headers.get("Last-Event-ID") === END_ID) return new Response(null, { status: 204 });
    const feed = this.#pulls.find(route.name);
    if (!feed) throw unknownPull(route);
    this.#requirePlace();
    return this.#show(feed, request);
  }

  #cancel(route: Route): Response {
    if (!this.#pulls.cancel(route.name)) throw unknownPull(route);
    return new Response(null, { status: 204 });
  }

  /** @throws {Refusal} If as many watch as may. */
  #requirePlace(): void {
    const { maxWatchers } = this.#settings;
    if (this.#audience.size < maxWatchers) return;
    throw tooMany("too-many-watchers", `${maxWatchers} watch already, which is the limit`);
  }

  #show(feed: Feed, request: Request): Response {
    const format = acceptedFormat(request.headers.get("Accept"));
    const viewer = new Viewer(feed, format, this.#openings[format]);
    feed.join(viewer);
    const body = viewer.open(this.#settings.followSignal ? request.signal : undefined);
    return new Response(body, { headers: { ...recordHeaders(format), Vary: "Accept" } });
  }

  /** The answer to a request that has failed. What was not meant as an answer is not shown. */
  #refuse(error: unknown): Response {
    if (error instanceof Refusal) return error.toResponse();
    this.#report(error);
    return new Refusal(500, "internal", "The relay has failed").toResponse();
  }

  #redact(error: unknown): Error {
    try {
      return this.#settings.redactError(error);
    } catch (failure) {
      this.#report(failure);
      return redactError(error);
    }
  }

  #report(error: unknown): void {
    try {
      this.#settings.onError(error);
    } catch {
      // Nobody else can be told.
    }
  }
}

function describe({ action, name }: Route): string {
  return `${action} a pull of ${quote(name)}`;
}

function unknownPull({ name }: Route): Refusal {
  return new Refusal(404, "unknown-pull", `Nobody pulls ${quote(name)}; POST starts it`);
}

function tooMany(code: "too-many-pulls" | "too-many-watchers", message: string): Refusal {
  return new Refusal(429, code, message, { "Retry-After": String(RETRY_AFTER_SECONDS) });
}
