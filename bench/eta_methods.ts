/**
 * Methods to estimate the time left, to compare with ours. Each is given the number of bytes present whenever
 * something arrives, and may be asked at any time.
 *
 * @module
 */

/** Estimates the time left of one download. Times are in milliseconds. */
export interface Method {
  /** Takes the number of bytes present, and the total, at a time. */
  update(completed: number, total: number, at: number): void;
  /** The seconds left, or `undefined` if it gives no estimate. */
  secondsLeft(now: number): number | undefined;
}

interface Figure {
  readonly completed: number;
  readonly at: number;
}

/** The bytes per millisecond between two figures. */
function speedBetween(start: Figure, end: Figure): number {
  return (end.completed - start.completed) / (end.at - start.at);
}

/** How many seconds some bytes take at a speed in bytes per millisecond. */
function secondsAt(speed: number, bytes: number): number | undefined {
  return speed > 0 ? bytes / speed / 1_000 : undefined;
}

/** Uses the mean speed since the first figure. */
class OverallMean implements Method {
  #first: Figure | undefined;
  #completed = 0;
  #total = 0;

  update(completed: number, total: number, at: number): void {
    this.#first ??= { completed, at };
    this.#completed = completed;
    this.#total = total;
  }

  secondsLeft(now: number): number | undefined {
    if (this.#first === undefined) return undefined;
    const speed = speedBetween(this.#first, { completed: this.#completed, at: now });
    return secondsAt(speed, this.#total - this.#completed);
  }
}

/** Uses the speed between the latest figure and the latest one at least a second before it. */
class LastSecond implements Method {
  #figures: Figure[] = [];
  #total = 0;

  update(completed: number, total: number, at: number): void {
    this.#figures.push({ completed, at });
    this.#total = total;
    while (this.#figures[1] && this.#figures[1].at <= at - 1_000) this.#figures.shift();
  }

  secondsLeft(): number | undefined {
    const [first, last] = [this.#figures[0], this.#figures.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    return secondsAt(speedBetween(first, last), this.#total - last.completed);
  }
}

/** The most figures that `ollama pull` keeps. */
const OLLAMA_FIGURES = 10;

/**
 * Works like `ollama pull` (`progress/bar.go`, as of August 2026): it keeps ten figures that are more than a
 * second apart, and uses the speed from the first to the last, with the time between them rounded to seconds.
 * `ollama pull` does so for each layer; here, all layers count as one.
 */
class OllamaPull implements Method {
  #start: Figure | undefined;
  #figures: Figure[] = [];
  #completed = 0;
  #total = 0;

  update(completed: number, total: number, at: number): void {
    this.#start ??= { completed, at };
    this.#completed = completed;
    this.#total = total;
    const latest = this.#figures.at(-1);
    if (latest && at - latest.at <= 1_000) return;
    this.#figures.push({ completed, at });
    if (this.#figures.length > OLLAMA_FIGURES) this.#figures.shift();
  }

  secondsLeft(): number | undefined {
    const last = this.#figures.at(-1);
    const first = this.#figures.length === 1 ? this.#start : this.#figures[0];
    if (first === undefined || last === undefined) return undefined;
    const seconds = Math.round((last.at - first.at) / 1_000);
    if (seconds === 0) return undefined;
    const left = secondsAt(
      (last.completed - first.completed) / (seconds * 1_000),
      this.#total - this.#completed,
    );
    return left === undefined ? undefined : Math.floor(left);
  }
}

/** The methods, by their names in tables. */
export const METHODS = {
  "overall mean": () => new OverallMean(),
  "last second": () => new LastSecond(),
  "ollama pull": () => new OllamaPull(),
} satisfies Readonly<Record<string, () => Method>>;

/** The name of a method that ours is compared with. */
export type Rival = keyof typeof METHODS;

/** The names of all of them. */
export const RIVALS = Object.keys(METHODS) as readonly Rival[];
