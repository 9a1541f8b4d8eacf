/**
 * Answers requests of a `node:http` server made by other code, such as Express.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { type Handler, serve } from "./listen.ts";

/** A request of `node:http`: the part of `IncomingMessage` that is needed here. */
export interface NodeRequest {
  /** Its method. */
  readonly method?: string | undefined;
  /** Its path and query. */
  readonly url?: string | undefined;
  /** The names and values of its headers, alternating. */
  readonly rawHeaders: readonly string[];
  /** Whether its body was completely read. */
  readonly readableEnded: boolean;
}

/** An answer of `node:http`: the part of `ServerResponse` that is needed here. */
export interface NodeResponse {
  /** Whether the headers were sent. */
  readonly headersSent: boolean;
  /** Whether `end` was called. */
  readonly writableEnded: boolean;
}

/**
 * Answers a request of `node:http`: an argument for `createServer`, or middleware for Express.
 *
 * @param incoming The request. Its body must not have been read.
 * @param outgoing The answer.
 * @param next Called for requests that the mock does not serve, and with errors.
 */
export type NodeListener = (
  incoming: NodeRequest,
  outgoing: NodeResponse,
  next?: (error?: unknown) => void,
) => void;

/**
 * Makes a listener from a handler.
 *
 * @param handler Answers requests.
 * @param takes Whether the handler should answer a request, rather than pass it to `next`.
 */
export function toNodeListener(
  handler: Handler,
  takes: (request: Request) => boolean,
): NodeListener {
  return (incoming, outgoing, next) => {
    if (next && !isTaken(incoming, takes)) return next();
    const problem = isRead(incoming) ? new Error(describeRead(incoming)) : undefined;
    if (problem && next) return next(problem);
    const answer = problem ? () => Promise.resolve(answerProblem(problem)) : handler;
    void serve(answer, incoming as IncomingMessage, outgoing as ServerResponse);
  };
}

/** Whether a handler takes a request. The body stays unread, for the next handler. */
function isTaken({ url = "/" }: NodeRequest, takes: (request: Request) => boolean): boolean {
  const address = `http://localhost${url}`;
  return URL.canParse(address) && takes(new Request(address));
}

function isRead({ method, readableEnded }: NodeRequest): boolean {
  return readableEnded && method !== "GET" && method !== "HEAD";
}

function describeRead({ method, url }: NodeRequest): string {
  return `Cannot answer ${method} ${url}: its body was read already; put the mock before middleware ` +
    "that reads bodies, such as express.json()";
}

function answerProblem({ message }: Error): Response {
  return Response.json({ error: message }, { status: 500 });
}
