/**
 * A `fetch` that leaves content codings to the client: unlike a runtime's `fetch`, it requests none and
 * decodes none.
 *
 * @module
 */

import { request as requestByNode } from "node:http";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/** Makes a request and resolves with the answer, whose body has the bytes as they arrived. */
export async function rawFetch(
  input: Request | string | URL,
  init?: RequestInit,
): Promise<Response> {
  const { url, method, headers, signal, body } = new Request(input, init);
  const text = await new Response(body).text();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    requestByNode(url, { method, headers: Object.fromEntries(headers), signal })
      .on("response", resolve)
      .on("error", reject)
      .end(text);
  });
  const bytes = Readable.toWeb(answer) as ReadableStream<Uint8Array<ArrayBuffer>>;
  const { "content-type": type = "" } = answer.headers;
  return new Response(bytes, {
    status: answer.statusCode ?? 0,
    headers: { "Content-Type": type },
  });
}
