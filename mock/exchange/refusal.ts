/**
 * A request that the server refuses.
 *
 * @module
 */

/** A request that is answered with an error; the message is the real server's. */
export class Refusal extends Error {
  /** Always `"Refusal"`. */
  override readonly name = "Refusal";
  /** The HTTP status of the answer. */
  readonly status: 400 | 404 | 500;

  /** Refuses a request with a status and a message. */
  constructor(status: 400 | 404 | 500, message: string) {
    super(message);
    this.status = status;
  }
}
