/**
 * What answers viewers, as one Durable Object, which all requests are passed on to.
 *
 * @module
 */

import { createHandler, type Handler, type HandlerOptions } from "./relay_handlers.ts";

/** What the Worker is given. */
interface Bindings {
  /** How viewers are answered. */
  readonly OPTIONS: HandlerOptions;
  /** The objects, by their names. */
  readonly HUBS: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

/** The one object, which holds all viewers. */
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
