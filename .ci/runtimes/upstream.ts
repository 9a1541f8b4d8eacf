/**
 * The mock as a server on the network, which says how the requests to it end.
 *
 * @module
 */

import {
  createMockServer,
  type MockServer,
  type MockServerOptions,
  type RequestOutcome,
} from "../../mock/mod.ts";

/** A mock that listens. */
export interface Upstream {
  readonly server: MockServer;
  readonly url: string;
  /** How the next pull ends, in the order in which they do. */
  nextOutcome(): Promise<RequestOutcome | undefined>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a mock. */
export async function startUpstream(options: MockServerOptions): Promise<Upstream> {
  let outcomes!: ReadableStreamDefaultController<RequestOutcome>;
  const reader = new ReadableStream<RequestOutcome>({
    start: (controller) => void (outcomes = controller),
  }).getReader();
  const server = createMockServer({
    ...options,
    onRequest: ({ method, path, outcome }) => {
      if (method === "POST" && path === "/api/pull") outcomes.enqueue(outcome);
    },
  });
  const { url } = await server.listen();
  return {
    server,
    url,
    nextOutcome: async () => (await reader.read()).value,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
