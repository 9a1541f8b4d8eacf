/**
 * Predicts the pace of the rest of a download from its past.
 *
 * How far back should an average look? All the way, if the connection pauses now and then; no further than
 * the change, if it has become faster or slower for good. So several windows are tried on the past: the
 * latest span between two marks, the latest two, four and so on, up to all of them. At each mark, each
 * window would have predicted a pace. The closer its predictions were to the actual pace since then, the
 * more weight it gets; of two equally good windows, the longer one gets more.
 *
 * @module
 */

/** The shortest span between two marks, in milliseconds. It doubles whenever there are too many marks. */
const MIN_SPAN_MS = 1_000;

/** The most marks that are kept. Even, so that thinning out one more than that keeps both ends. */
const MAX_MARKS = 64;

/** How many bytes had arrived after how much time. */
interface Mark {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** The bytes per millisecond between two marks. */
function paceBetween(start: Mark, end: Mark): number {
  return (end.bytes - start.bytes) / (end.milliseconds - start.milliseconds);
}

/** The bytes per millisecond to expect after some marks. */
function predictPace(marks: readonly Mark[]): number {
  const latest = marks.length - 1;
  const paceBefore = (index: number, spans: number) =>
    paceBetween(marks[Math.max(0, index - spans)]!, marks[index]!);
  let weightedPaces = 0;
  let weights = 0;
  for (let spans = 1; spans < 2 * latest; spans *= 2) {
    let error = 1e-9; // so that the weight of a window without errors is finite
    for (let index = 1; index < latest; index++) {
      const predicted = paceBefore(index, spans);
      const came = paceBetween(marks[index]!, marks[latest]!);
      error += Math.abs(predicted - came) / (predicted + came);
    }
    // The power is so high that the best window outweighs all others, unless they are nearly as good.
    const weight = spans * error ** -16;
    weightedPaces += weight * paceBefore(latest, spans);
    weights += weight;
  }
  return weightedPaces / weights;
}

/** Predicts the pace of a download. */
export class Forecast {
  /** The bytes per millisecond to expect, or `NaN` before the first mark. */
  pace = NaN;
  #marks: Mark[] = [{ bytes: 0, milliseconds: 0 }];
  #minSpanMs = MIN_SPAN_MS;
  #bytes = 0;
  #milliseconds = 0;

  /** Adds bytes (more than 0), and the time in which they arrived. */
  add(bytes: number, milliseconds: number): void {
    this.#bytes += bytes;
    this.#milliseconds += milliseconds;
    if (this.#milliseconds - this.#marks.at(-1)!.milliseconds < this.#minSpanMs) return;
    this.#marks.push({ bytes: this.#bytes, milliseconds: this.#milliseconds });
    if (this.#marks.length > MAX_MARKS) {
      this.#marks = this.#marks.filter((_, index) => index % 2 === 0);
      this.#minSpanMs *= 2;
    }
    this.pace = predictPace(this.#marks);
  }
}
