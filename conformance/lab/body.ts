/**
 * The bodies of answers.
 *
 * @module
 */

/** The body of an answer as a stream, which is empty if the answer has no body. */
export function bodyOf({ body }: Response): ReadableStream<Uint8Array<ArrayBuffer>> {
  return body ?? new Blob().stream();
}
