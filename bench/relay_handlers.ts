/**
 * What the viewers of the benchmark connect to: a relay, or the floor, which is the least that a server of
 * events can do. Both run in Deno and in a Worker, read the same server, and send records of the same form.
 *
 * @module
 */

import { createRelay, watchPull } from "@ollama-pull/kit/relay";

/** What the viewers connect to: a relay, a relay that watches another one, or the floor. */
export type Served = "relay" | "second relay" | "floor";

/** Options of {@link createHandler}. */
export interface HandlerOptions {
  /** What to make. */
  readonly serves: Served;
  /** The address of the server of the pull or, for a second relay, of the first relay. */
  readonly upstream: string;
  /** The time between two updates, in milliseconds. */
  readonly updateEveryMs: number;
}

/** Answers one request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** More than any run has: the limit itself is not measured. */
const MAX_WATCHERS = 1e6;

/** Makes what the viewers connect to. */
export function createHandler({ serves, upstream, updateEveryMs }: HandlerOptions): Handler {
  if (serves === "floor") return createFloor(upstream, updateEveryMs);
  const options = { allow: () => true, maxWatchers: MAX_WATCHERS, updateEveryMs };
  if (serves === "relay") return createRelay({ ...options, host: upstream });
  return createRelay({
    ...options,
    pull: (model, { signal }) => watchPull(upstream, model, { start: true, signal }),
  });
}

const utf8 = new TextEncoder();

/** Sends the same bytes to all viewers, each of which is nothing but a stream. */
function createFloor(upstream: string, updateEveryMs: number): Handler {
  const viewers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  let newest = utf8.encode('data: {"completed":0}\n\n');
  const publish = (bytes: typeof newest) => {
    newest = bytes;
    for (const viewer of viewers) viewer.enqueue(bytes);
  };
  let isFollowing = false;
  return () => {
    if (!isFollowing) void follow(upstream, updateEveryMs, publish);
    isFollowing = true;
    let own: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        viewers.add(own = controller);
        controller.enqueue(newest);
      },
      cancel: () => void viewers.delete(own),
    });
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  };
}

/** Reads a pull, and publishes a record of its newest line at each update. */
async function follow(
  upstream: string,
  updateEveryMs: number,
  publish: (bytes: Uint8Array<ArrayBuffer>) => void,
): Promise<void> {
  let completed = "0";
  let sequence = 0;
  setInterval(() => {
    const sums = `"bytesPerSecond":1000.123,"etaSeconds":1234567890.123`;
    const record = `{"sequence":${++sequence},"grown":[[0,${completed}]],${sums}}`;
    publish(utf8.encode(`id: ${sequence}\ndata: ${record}\n\n`));
  }, updateEveryMs);
  const { body } = await fetch(upstream);
  for await (const line of body!.pipeThrough(new TextDecoderStream())) {
    completed = line.match(/"completed":(\d+)/)?.[1] ?? completed;
  }
}
