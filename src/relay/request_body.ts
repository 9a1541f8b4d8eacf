/**
 * The body of a request, which nothing is read from: it may be there, but not be large.
 *
 * @module
 */

import { ignoreRejection } from "../streams/producer.ts";
import { Refusal } from "./refusal.ts";

/** The largest body, in bytes. Clients send `{}` or a form, if anything. */
const MAX_BODY_BYTES = 16_384;

/**
 * Reads the body of a request to its end, and drops it.
 *
 * @throws {Refusal} If it is too large, or breaks off.
 */
export async function dropBody(request: Request): Promise<void> {
  const length = request.headers.get("Content-Length");
  if (Number(length) > MAX_BODY_BYTES) throw tooLarge();
  // For no body, some runtimes make a stream when asked, and keep it as long as the response is sent.
  if (length === "0") return;
  const { body } = request;
  if (!body || body.locked) return; // whoever is before the relay may have read it
  const reader = body.getReader();
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new Refusal(400, "bad-request", "The body of the request broke off");
    });
    if (done) return;
    size += value.byteLength;
    if (size <= MAX_BODY_BYTES) continue;
    ignoreRejection(reader.cancel());
    throw tooLarge();
  }
}

function tooLarge(): Refusal {
  const message = `The body is larger than ${MAX_BODY_BYTES} bytes; leave it out, it is not read`;
  return new Refusal(413, "body-too-large", message);
}
