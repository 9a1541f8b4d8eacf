/**
 * What the relay answers where it does not do what it is asked.
 *
 * @module
 */

/** Why the relay refuses a request. More may be added. */
export type RelayRefusalCode =
  | "unknown-path"
  | "invalid-name"
  | "method-not-allowed"
  | "foreign-origin"
  | "not-allowed"
  | "unknown-pull"
  | "body-too-large"
  | "bad-request"
  | "too-many-pulls"
  | "too-many-watchers"
  | "internal";

/** A request that is refused: thrown where that is seen, and answered at one place. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** The HTTP status. */
  readonly status: number;
  /** Why, for a program. */
  readonly code: RelayRefusalCode;
  /** Further headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * Makes a refusal.
   *
   * @param message Why, for a person. Whoever asks sees it, so it must hold nothing that is secret.
   */
  constructor(
    status: number,
    code: RelayRefusalCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  /** The answer: `{ "error": …, "code": … }`. */
  toResponse(): Response {
    const { status, code, message, headers } = this;
    return new Response(JSON.stringify({ error: message, code }), {
      status,
      headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers },
    });
  }
}
