/**
 * JSON values to typed statuses, as a stream.
 *
 * @module
 */

import { handleMalformed, type OnMalformed } from "./malformed.ts";
import { NdjsonDecoder } from "./ndjson.ts";
import { type Ownership, PullDecoder } from "./pull_decoder.ts";
import { StepStream } from "./streams/pull_stream.ts";
import { notAStatus, type PullStatus, toPullStatus } from "./status.ts";
import type { Emit, Step } from "./streams/step.ts";

/** Options of {@link PullStatusStream}. */
export interface PullStatusOptions {
  /**
   * What to do with a value that is not an object.
   *
   * @default {"error"}
   */
  onMalformed?: OnMalformed | undefined;
}

/** JSON values to statuses. */
export class PullStatusDecoder implements Step<unknown, PullStatus> {
  readonly #options: PullStatusOptions;
  #valuesSeen = 0;
  /** The line numbers of values that are not objects, if an NDJSON decoder tracks them. */
  #nonObjectLines: number[] = [];

  constructor(options: PullStatusOptions) {
    this.#options = options;
  }

  /** @param knownLine The line number of the value, if the caller knows it. */
  push(value: unknown, emit: Emit<PullStatus>, knownLine?: number): void {
    this.#valuesSeen++;
    const status = toPullStatus(value);
    if (status !== undefined) return emit(status);
    const line = knownLine ?? this.#nonObjectLines.shift();
    const where = line === undefined ? `Value ${this.#valuesSeen}` : `Line ${line}`;
    handleMalformed(notAStatus(value, where, line), this.#options.onMalformed ?? "error");
  }

  end(): void {}

  /** @param ownership Who owns the statuses that the joined decoder emits. */
  joinTo(
    before: Step<unknown, unknown>,
    ownership: Ownership = "copies",
  ): PullDecoder | undefined {
    if (!(before instanceof NdjsonDecoder)) return undefined;
    return new PullDecoder(before.options, this.#options, ownership);
  }

  follow(before: Step<unknown, unknown>): void {
    if (before instanceof NdjsonDecoder) this.#nonObjectLines = before.trackNonObjectLines();
  }
}

/**
 * Types the JSON values of a pull stream.
 *
 * Accepts any object: an unknown one has the kind `other`, and an `error` object is a status like the
 * others. Fails with {@link PullError} `malformed` for a value that is not an object.
 *
 * ```ts
 * import { NdjsonDecoderStream, PullStatusStream } from "@ollama-pull/kit";
 * import { assertEquals } from "@std/assert";
 *
 * const body = new Response('{"status":"pulling manifest"}\n{"error":"disk full"}\n').body!;
 * const statuses = new PullStatusStream();
 * body.pipeThrough(new NdjsonDecoderStream()).pipeThrough(statuses);
 *
 * const kinds: string[] = [];
 * for await (const { kind } of statuses.readable) kinds.push(kind);
 * assertEquals(kinds, ["manifest", "error"]);
 * ```
 */
export class PullStatusStream extends StepStream<unknown, PullStatus> {
  /**
   * Creates a typing step for one stream.
   *
   * @param options What to do with values that are not objects.
   */
  constructor(options: PullStatusOptions = {}) {
    super(new PullStatusDecoder(options));
  }
}
