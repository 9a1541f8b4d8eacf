/**
 * Network situations during a pull, on the side of the server: the counterpart of
 * `trySituations` in `program.ts`.
 *
 * @module
 */

const DIGEST = `sha256:${"a".repeat(64)}`;
const MANIFEST = { status: "pulling manifest" };
const HALF = { status: "pulling aaaaaaaaaaaa", digest: DIGEST, total: 100, completed: 98 };
const SUCCESS = { status: "success" };

/** How often a server reports that nothing has changed. */
const TICK_MS = 10;

const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "*",
};

function linesOf(...values: unknown[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
}

/** A body that repeats the same line until it is cancelled. */
function talking(start: Uint8Array, tick?: Uint8Array): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval> | undefined;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(start);
      if (tick) timer = setInterval(() => controller.enqueue(tick), TICK_MS);
    },
    cancel: () => clearInterval(timer),
  });
}

/** The answers in each situation, at the first request and later. */
const ANSWERS: Readonly<Record<string, (isFirst: boolean) => Response>> = {
  "done": () => new Response(linesOf(MANIFEST, SUCCESS)),
  "temporarily-moved": () => redirect(307),
  "moved": () => redirect(302),
  "moved-with-headers": () => redirect(302),
  "failed": (isFirst) =>
    new Response(
      isFirst ? linesOf(MANIFEST, HALF, { error: "max retries exceeded: EOF" }) : linesOf(SUCCESS),
    ),
  "busy": (isFirst) =>
    isFirst
      ? new Response("", { status: 429, headers: { "Retry-After": "0" } })
      : new Response(linesOf(SUCCESS)),
  "frozen": (isFirst) =>
    new Response(
      isFirst ? talking(linesOf(MANIFEST, HALF), linesOf(HALF)) : linesOf(HALF, SUCCESS),
    ),
  "frozen-for-ever": () => new Response(talking(linesOf(MANIFEST, HALF), linesOf(HALF))),
  "silent": () => new Response(talking(linesOf({ status: "verifying sha256 digest" }))),
  "page": () =>
    new Response("<!doctype html><title>Log in</title>", {
      headers: { "Content-Type": "text/html" },
    }),
  "running": () => new Response("Ollama is running"),
  "list": () => Response.json({ object: "list", data: [] }),
  "gateway": () => Response.json({ error: { message: "model 'a' not found" } }, { status: 404 }),
  "full": () => new Response(linesOf({ error: "write blob: no space left on device" })),
  "spread": () => new Response(JSON.stringify(SUCCESS, undefined, 2)),
};

function redirect(status: number): Response {
  return new Response(null, { status, headers: { Location: "/situations/done/api/pull" } });
}

/**
 * Answers a request at `/situations/{name}/api/pull`.
 *
 * @param seen The situations that were requested before.
 */
export function answerSituation(request: Request, seen: Set<string>): Response {
  const name = new URL(request.url).pathname.split("/")[2]!;
  const answer = respond(request, name, seen);
  for (const [header, value] of Object.entries(CORS)) answer.headers.set(header, value);
  return answer;
}

function respond({ method }: Request, name: string, seen: Set<string>): Response {
  if (method === "OPTIONS") return new Response(null, { status: 204 });
  if (method !== "POST") return new Response("", { status: 405 });
  const isFirst = !seen.has(name);
  seen.add(name);
  return ANSWERS[name]!(isFirst);
}
