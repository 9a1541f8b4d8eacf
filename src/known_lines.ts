/**
 * The fast path for progress lines. Nearly all lines of a pull differ from an earlier line only in the
 * digits of `completed`.
 *
 *     {"status":"pulling aaaa","digest":"sha256:aaaa","total":100,"completed":42}
 *     ─────────────────────────────── head ───────────────────────────────── ── tail
 *
 * A parsed line is remembered by the bytes before and after these digits. The next line is compared
 * with it, eight bytes at a time, and only its digits are read: no text, no `JSON.parse`. Layers that
 * are downloaded in parallel are reported in a fixed order, so each line remembers which one came next.
 *
 * Only the slow path decides what a line means. Here a line counts as known only if it equals a parsed
 * line byte for byte, except for the digits.
 *
 * @module
 */

import type { DownloadingStatus, Mutable, PullStatus } from "./status.ts";

/**
 * Splits a line around the digits of `completed`. The tail must contain no `m` and no backslash, so it
 * cannot contain a second `completed` key, which would override the first.
 */
const COMPLETED = /^(.*"completed": *)[1-9]\d*( *[,}][^\\m]*)$/;

/**
 * The most lines that are remembered, and how many characters they may have, each and in total: enough
 * for 10,000 layers. `pull_decoder_test.ts` tests how much memory a hostile server can make it use.
 */
const MAX_LINES = 10_000;
const MAX_LINE_LENGTH = 1_000;
const MAX_LENGTH_IN_ALL = 2_000_000;

const ZERO = 0x30;

/** The most digits whose number is always a small integer. */
const SMALL_DIGITS = 9;
const POWERS_OF_TEN = Array.from({ length: SMALL_DIGITS + 1 }, (_, power) => 10 ** power);

/** Lines that are equal except for the digits of `completed`, if they have any. */
class KnownLine {
  /** The status of such a line, with the `completed` of the latest one. */
  readonly status: Mutable<PullStatus>;
  readonly hasDigits: boolean;
  /** The bytes before the digits: groups of eight, then the remaining ones. */
  readonly #headWords: Float64Array;
  readonly #headRest: Uint8Array;
  /** The bytes after the digits, with the newline. */
  readonly #tail: Uint8Array;
  /** Whether the status has exactly the usual fields, in the usual order. */
  readonly #isPlain: boolean;
  /** The line that followed this one most recently. */
  next: KnownLine | undefined;

  constructor(head: string, tail: string, status: PullStatus) {
    this.status = status;
    this.#isPlain = Object.keys(status).join() === "kind,status,digest,total,completed";
    this.hasDigits = status.completed !== undefined && tail !== "";
    const utf8 = new TextEncoder();
    const bytes = utf8.encode(head);
    const view = new DataView(bytes.buffer);
    const words = bytes.length >> 3;
    this.#headWords = Float64Array.from({ length: words }, (_, word) => view.getFloat64(word * 8));
    this.#headRest = bytes.subarray(words * 8);
    this.#tail = utf8.encode(`${tail}\n`);
  }

  /** A copy of the latest status, which later lines do not change. */
  copyStatus(): PullStatus {
    if (!this.#isPlain) return copyStatus(this.status);
    // Copying fields by name takes little more than half the time of a spread.
    const { kind, status, digest, total, completed } = this.status as DownloadingStatus;
    return { kind, status, digest, total, completed } as DownloadingStatus;
  }

  /** The shortest such line, in bytes. */
  get minLength(): number {
    return this.#headWords.length * 8 + this.#headRest.length + this.#tail.length;
  }

  /** Where the head ends, if the bytes begin with it; otherwise -1. */
  matchHead(bytes: DataView, start: number): number {
    // As numbers, different groups could be equal (0 and -0) and equal groups unequal (NaN). But JSON has
    // no zero bytes, and a NaN only means that the line is parsed.
    const words = this.#headWords;
    let at = start;
    for (let word = 0; word < words.length; word++, at += 8) {
      if (bytes.getFloat64(at) !== words[word]) return -1;
    }
    return endOf(this.#headRest, bytes, at);
  }

  /** Where the line ends, newline included, if the bytes at `start` are the tail; otherwise -1. */
  matchTail(bytes: DataView, start: number, end: number): number {
    return start + this.#tail.length > end ? -1 : endOf(this.#tail, bytes, start);
  }
}

/** A copy of a status. Objects in its `extra` would be shared. */
export function copyStatus(status: PullStatus): PullStatus {
  return status.extra === undefined ? { ...status } : { ...status, extra: { ...status.extra } };
}

/** Where `part` ends if it is in the bytes at `start`; otherwise -1. */
function endOf(part: Uint8Array, bytes: DataView, start: number): number {
  for (let index = 0; index < part.length; index++) {
    if (bytes.getUint8(start + index) !== part[index]) return -1;
  }
  return start + part.length;
}

/** The known lines of a pull, and which one is expected next. */
export class KnownLines {
  readonly #lines = new Map<string, KnownLine>();
  #lengthInAll = 0;
  readonly #maxLineBytes: number;
  /** The line that was matched or remembered most recently. */
  #latest: KnownLine | undefined;

  /** @param maxLineBytes The longest line that is accepted, without its newline. */
  constructor(maxLineBytes = Infinity) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The status of the line that was matched last. The next match may change it. */
  get status(): PullStatus {
    return this.#latest!.status;
  }

  /** A copy of that status, which later matches do not change. */
  copyStatus(): PullStatus {
    return this.#latest!.copyStatus();
  }

  /**
   * Matches the line at `start` with the expected one, or else with the previous one again. Returns where
   * the line ends, newline included, or -1 if it matches neither.
   *
   * @param end Where the last whole line ends.
   */
  match(bytes: DataView, start: number, end: number): number {
    const latest = this.#latest;
    if (latest === undefined) return -1;
    const { next } = latest;
    const lineEnd = next === undefined ? -1 : this.#matchWith(next, bytes, start, end);
    return lineEnd !== -1 || next === latest ? lineEnd : this.#matchWith(latest, bytes, start, end);
  }

  #matchWith(known: KnownLine, bytes: DataView, start: number, end: number): number {
    if (start + known.minLength > end) return -1;
    let at = known.matchHead(bytes, start);
    if (at === -1) return -1;

    let completed = 0;
    if (known.hasDigits) {
      // Read the digits into two small integers. With one large number V8 15 takes three times as long;
      // older versions of V8 take the same time, and JavaScriptCore a few nanoseconds less.
      const digitsStart = at;
      let upper = 0;
      let digit = 0;
      while (at < end && (digit = bytes.getUint8(at) - ZERO) >= 0 && digit <= 9) {
        if (at - digitsStart === SMALL_DIGITS) {
          upper = completed;
          completed = 0;
        }
        completed = (completed * 10 + digit) | 0;
        at++;
      }
      const digits = at - digitsStart;
      // JSON has no leading zero, and a number of up to 15 digits is exact.
      if (digits === 0 || digits > 15 || bytes.getUint8(digitsStart) === ZERO) return -1;
      if (digits > SMALL_DIGITS) completed += upper * POWERS_OF_TEN[digits - SMALL_DIGITS]!;
    }

    const lineEnd = known.matchTail(bytes, at, end);
    if (lineEnd === -1 || lineEnd - 1 - start > this.#maxLineBytes) return -1;
    if (known.hasDigits) known.status.completed = completed;
    this.#latest = known;
    return lineEnd;
  }

  /** Remembers a parsed line, and that it followed the previous one. */
  remember(text: string, status: PullStatus): void {
    const known = text.length <= MAX_LINE_LENGTH ? this.#find(text, status) : undefined;
    if (this.#latest) this.#latest.next = known;
    this.#latest = known;
  }

  #find(text: string, status: PullStatus): KnownLine | undefined {
    const [, head = text, tail = ""] = COMPLETED.exec(text) ?? [];
    const key = `${head}\n${tail}`;
    let known = this.#lines.get(key);
    if (known === undefined && this.#hasRoomFor(text)) {
      known = new KnownLine(head, tail, status);
      this.#lines.set(key, known);
      this.#lengthInAll += text.length;
    }
    return known;
  }

  #hasRoomFor({ length }: string): boolean {
    return this.#lines.size < MAX_LINES && this.#lengthInAll + length <= MAX_LENGTH_IN_ALL;
  }
}
