/**
 * The error for a request that the server refuses.
 *
 * @module
 */

/** A request that is answered with an error. The message is the real server's. */
export class Refusal extends Error {
  /** Always `"Refusal"`. */
  override readonly name = "Refusal";
  /** The HTTP status of the answer. */
  readonly status: 400 | 404 | 500;
  /** The content type of the answer. @default that of JSON answers */
  readonly contentType: string | undefined;

  /** Refuses a request with a status and a message. */
  constructor(status: 400 | 404 | 500, message: string, contentType?: string) {
    super(message);
    this.status = status;
    this.contentType = contentType;
  }
}
