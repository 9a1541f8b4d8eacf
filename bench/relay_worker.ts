/**
 * Serves viewers in a Worker, which passes all requests on to one Durable Object.
 *
 * @module
 */

import { createHandler, type Handler, type HandlerOptions } from "./relay_handlers.ts";

/** The bindings of the Worker. */
interface Bindings {
  /** What the object serves. */
  readonly OPTIONS: HandlerOptions;
  /** The Durable Objects, by name. */
  readonly HUBS: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

/** The object that all viewers are connected to. */
export class Hub {
  readonly #handle: Handler;

  /** Is called by the runtime. */
  constructor(_: unknown, { OPTIONS }: Bindings) {
    this.#handle = createHandler(OPTIONS);
  }

  /** Answers a viewer. */
  fetch(request: Request): Response | Promise<Response> {
    return this.#handle(request);
  }
}

export default {
  fetch: (request: Request, { HUBS }: Bindings): Promise<Response> =>
    HUBS.getByName("hub").fetch(request),
};
