/**
 * What the viewers of the benchmark ask: a relay, and the least that any server of events does. Both run in
 * Deno and in a Worker, follow the same upstream, and send records of the same form.
 *
 * @module
 */

import { createRelay, watchPull } from "@ollama-pull/kit/relay";

/** What answers the viewers: a relay, a relay that watches another one, or the floor. */
export type Served = "relay" | "second relay" | "floor";

/** How viewers are answered. */
export interface HandlerOptions {
  /** What answers. */
  readonly serves: Served;
  /** The address of what is followed: a server of pulls or, for a second relay, the first one. */
  readonly upstream: string;
  /** The time between two updates of a viewer, in milliseconds. */
  readonly updateEveryMs: number;
}

/** Answers one request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** More than any run has: the limit is not what is measured. */
const MAX_WATCHERS = 1e6;

/** Makes what answers the viewers. */
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

/** Sends the newest line to plain streams, by one timer, and keeps nothing for them. */
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

/** Reads an upstream, and publishes a record of its newest line every so often. */
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
