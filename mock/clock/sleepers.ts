/**
 * Everything that waits for a moment, ordered by when it wakes.
 *
 * @module
 */

/** Something that waits for a moment. */
export interface Sleeper {
  /** When it wakes, in milliseconds. */
  wakesAt: number;
  /** Breaks ties: the first to go to sleep is the first to wake. */
  order: number;
}

function wakesBefore(a: Sleeper, b: Sleeper): boolean {
  return a.wakesAt < b.wakesAt || (a.wakesAt === b.wakesAt && a.order < b.order);
}

/** Sleepers by the time at which they wake: a binary heap. */
export class SleeperQueue<Item extends Sleeper> {
  readonly #heap: Item[] = [];

  /** The next one to wake. */
  get first(): Item | undefined {
    return this.#heap[0];
  }

  /** Adds a sleeper. */
  add(sleeper: Item): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!wakesBefore(sleeper, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = sleeper;
  }

  /** Removes the next one to wake. */
  removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && wakesBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!wakesBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}
