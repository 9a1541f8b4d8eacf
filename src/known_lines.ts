/**
 * The fast path for progress lines, which are nearly all lines of a pull: they differ from an earlier
 * line in nothing but the digits of `completed`.
 *
 *     {"status":"pulling aaaa","digest":"sha256:aaaa","total":100,"completed":42}
 *     ─────────────────────────────── head ───────────────────────────────── ── tail
 *
 * A line that was parsed once is remembered by the bytes before and after these digits. The next line
 * is compared with it, eight bytes at a time, and only its digits are read: no text, no `JSON.parse`.
 * Layers that are downloaded at the same time take turns and keep their order, so each line remembers
 * which one came next.
 *
 * The slow path alone decides what a line means. Here a line is known only if its bytes are those of a
 * line that was parsed, but for the digits.
 *
 * @module
 */

import type { DownloadingStatus, Mutable, PullStatus } from "./status.ts";

/**
 * Splits a line around the digits of `completed`. The tail must contain no `m` and no backslash, so it
 * cannot contain a second `completed`, which would count instead of the first.
 */
const COMPLETED = /^(.*"completed": *)[1-9]\d*( *[,}][^\\m]*)$/;

/**
 * The most lines that are remembered, and how many characters they may have, each and in all: enough for
 * 10,000 layers. `pull_decoder_test.ts` holds what a hostile server can have kept.
 */
const MAX_LINES = 10_000;
const MAX_LINE_LENGTH = 1_000;
const MAX_LENGTH_IN_ALL = 2_000_000;

const ZERO = 0x30;

/** The most digits whose number is always a small integer. */
const SMALL_DIGITS = 9;
const POWERS_OF_TEN = Array.from({ length: SMALL_DIGITS + 1 }, (_, power) => 10 ** power);

/** Lines that are alike but for the digits of `completed`, or altogether if they have none. */
class KnownLine {
  /** What such a line says, with the `completed` of the latest one. */
  readonly status: Mutable<PullStatus>;
  readonly hasDigits: boolean;
  /** The bytes before the digits, in groups of eight, and those that are left over. */
  readonly #headWords: Float64Array;
  readonly #headRest: Uint8Array;
  /** The bytes after the digits, with the newline. */
  readonly #tail: Uint8Array;
  /** Whether the fields are those of nearly all lines, in their order. */
  readonly #isPlain: boolean;
  /** The line that came next the last time. */
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

  /** What the latest such line says, in an object that later lines do not change. */
  copyStatus(): PullStatus {
    if (!this.#isPlain) return copyStatus(this.status);
    // To copy fields by name takes little more than half the time.
    const { kind, status, digest, total, completed } = this.status as DownloadingStatus;
    return { kind, status, digest, total, completed } as DownloadingStatus;
  }

  /** The shortest such line, in bytes. */
  get minLength(): number {
    return this.#headWords.length * 8 + this.#headRest.length + this.#tail.length;
  }

  /** Where the head ends, if the bytes begin with it; otherwise -1. */
  matchHead(bytes: DataView, start: number): number {
    // Two groups of bytes could be different and yet equal as numbers (zeros), or the other way round
    // (NaN). JSON has no zero bytes, and where NaN is unequal to itself, the line is just parsed.
    const words = this.#headWords;
    let at = start;
    for (let word = 0; word < words.length; word++, at += 8) {
      if (bytes.getFloat64(at) !== words[word]) return -1;
    }
    return endOf(this.#headRest, bytes, at);
  }

  /** Where the line ends, newline included, if the tail is at a place; otherwise -1. */
  matchTail(bytes: DataView, start: number, end: number): number {
    return start + this.#tail.length > end ? -1 : endOf(this.#tail, bytes, start);
  }
}

/** A status in an object of its own, if its `extra` has no objects. */
export function copyStatus(status: PullStatus): PullStatus {
  return status.extra === undefined ? { ...status } : { ...status, extra: { ...status.extra } };
}

/** Where a part ends that is at a place in the bytes; -1 if it is not there. */
function endOf(part: Uint8Array, bytes: DataView, start: number): number {
  for (let index = 0; index < part.length; index++) {
    if (bytes.getUint8(start + index) !== part[index]) return -1;
  }
  return start + part.length;
}

/** The lines of a pull that are known, and which one is expected next. */
export class KnownLines {
  readonly #lines = new Map<string, KnownLine>();
  #lengthInAll = 0;
  readonly #maxLineBytes: number;
  /** The line that was matched or remembered last. */
  #latest: KnownLine | undefined;

  /** @param maxLineBytes The longest line that is accepted, its newline not counted. */
  constructor(maxLineBytes = Infinity) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** What the line says that was matched last. The next match may change it. */
  get status(): PullStatus {
    return this.#latest!.status;
  }

  /** The same, in an object that later matches do not change. */
  copyStatus(): PullStatus {
    return this.#latest!.copyStatus();
  }

  /**
   * Matches the line at a place in the bytes with the one that is expected there, or else with the one
   * before it. Returns where the line ends, newline included, or -1 if it is neither.
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
      // The digits are read in two small integers. With one large number V8 15 takes three times as long;
      // older versions take the same, and JavaScriptCore some nanoseconds less.
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

  /** Remembers a line that was parsed, and that it followed the one before. */
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
