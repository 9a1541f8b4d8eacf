/**
 * At which pace the rest of a download will come, judged by how it has come so far.
 *
 * A connection that pauses now and then is foretold best by all that it did; one that has changed for
 * good, by what it did since. So several ways to look back are tried on the past: over the latest span
 * between two marks, the latest two, four and so on, up to all of them. At each mark every one of them
 * would have foretold a pace. The closer that was to what came between that mark and now, the more it
 * counts; of two that are as good, the longer one counts more.
 *
 * @module
 */

/** How much time lies between two marks at least, in milliseconds, while they are few. */
const MIN_SPAN_MS = 1_000;

/**
 * The most marks that are kept. Of one more, every second one goes: as this is even, neither the first nor
 * the latest.
 */
const MAX_MARKS = 64;

/** What had come in when so much time had passed. */
interface Mark {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** The bytes per millisecond between two marks. */
function paceBetween(start: Mark, end: Mark): number {
  return (end.bytes - start.bytes) / (end.milliseconds - start.milliseconds);
}

/** The bytes per millisecond that some marks foretell. */
function foretell(marks: readonly Mark[]): number {
  const latest = marks.length - 1;
  const paceBefore = (index: number, spans: number) =>
    paceBetween(marks[Math.max(0, index - spans)]!, marks[index]!);
  let weightedPaces = 0;
  let weights = 0;
  for (let spans = 1; spans < 2 * latest; spans *= 2) {
    let error = 1e-9; // so that what was never wrong has a weight as well
    for (let index = 1; index < latest; index++) {
      const foretold = paceBefore(index, spans);
      const came = paceBetween(marks[index]!, marks[latest]!);
      error += Math.abs(foretold - came) / (foretold + came);
    }
    // With so high a power the best counts for most. Of two that are as good, the longer one does.
    const weight = spans * error ** -16;
    weightedPaces += weight * paceBefore(latest, spans);
    weights += weight;
  }
  return weightedPaces / weights;
}

/** Foretells the pace of a download. */
export class Forecast {
  /** The bytes per millisecond to expect, or `NaN` until enough is known. */
  pace = NaN;
  #marks: Mark[] = [{ bytes: 0, milliseconds: 0 }];
  #minSpanMs = MIN_SPAN_MS;
  #bytes = 0;
  #milliseconds = 0;

  /** Takes bytes, more than 0, and the time in which they came. */
  add(bytes: number, milliseconds: number): void {
    this.#bytes += bytes;
    this.#milliseconds += milliseconds;
    if (this.#milliseconds - this.#marks.at(-1)!.milliseconds < this.#minSpanMs) return;
    this.#marks.push({ bytes: this.#bytes, milliseconds: this.#milliseconds });
    if (this.#marks.length > MAX_MARKS) {
      this.#marks = this.#marks.filter((_, index) => index % 2 === 0);
      this.#minSpanMs *= 2;
    }
    this.pace = foretell(this.#marks);
  }
}
