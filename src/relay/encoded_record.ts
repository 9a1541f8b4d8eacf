/**
 * A record whose bytes are shared by all who get it.
 *
 * @module
 */

import type { Bytes } from "../bytes.ts";
import type { PullRecord } from "./record.ts";
import { encodeRecord, type RecordFormat } from "./response.ts";

/** A record, encoded once in each format that somebody wants. Nobody may change its bytes. */
export class EncodedRecord {
  readonly #record: PullRecord;
  readonly #bytes: Partial<Record<RecordFormat, Bytes>> = {};

  constructor(record: PullRecord) {
    this.#record = record;
  }

  /** Its bytes in a format: the same ones each time. */
  as(format: RecordFormat): Bytes {
    return this.#bytes[format] ??= encodeRecord(this.#record, format);
  }
}
