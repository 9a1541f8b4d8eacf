/**
 * Shares a sequence of values among any number of readers, each at its own pace.
 *
 *     publish(value) ──▶ the newest value ◀── each reader, when it asks
 *
 * Only the newest value is kept, however far behind a reader is. Each reader remembers the number of the
 * value that it took last. The broadcast knows only the readers that are waiting at the moment, so a stream
 * that nobody reads any more costs nothing.
 *
 * @module
 */

import type { Failure, Producer } from "../streams/producer.ts";
import { createPullStream, type PullStream } from "../streams/pull_stream.ts";
import type { Emit } from "../streams/step.ts";

/** How it ended: with a failure or, if there is none, normally. */
interface Ending {
  readonly failure: Failure | undefined;
}

/** A value that changes until it ends. */
export class Broadcast<Value> {
  #latest: Value | undefined;
  #count = 0;
  #ending: Ending | undefined;
  readonly #waiting = new Set<() => void>();

  /** The newest value, or `undefined` before the first. */
  get latest(): Value | undefined {
    return this.#latest;
  }

  /** How many values there have been, which is the number of the newest. */
  get count(): number {
    return this.#count;
  }

  /** How it ended, or `undefined` if it has not. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Replaces the newest value. */
  publish(value: Value): void {
    this.#latest = value;
    this.#count++;
    this.#wakeAll();
  }

  /** Ends: readers take the newest value if they have not yet, and then see the end. */
  end(failure: Failure | undefined): void {
    this.#ending = { failure };
    this.#wakeAll();
  }

  /**
   * The newest value, and then the newest one each time that the stream is read.
   *
   * @param onCancel Called if the stream is cancelled before the broadcast has ended.
   */
  read(onCancel: () => void): PullStream<Value> {
    const reader = new BroadcastReader(this, onCancel);
    return createPullStream({ connect: () => reader });
  }

  /** Calls a function once, at the next change. */
  wait(wake: () => void): void {
    this.#waiting.add(wake);
  }

  /** Removes a function that waits for the next change. */
  stopWaiting(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Takes the newest value each time it is read. */
class BroadcastReader<Value> implements Producer<Value> {
  readonly #broadcast: Broadcast<Value>;
  readonly #onCancel: () => void;
  /** The number of the value that was taken last. */
  #taken = 0;
  /** The pending wait for a change, and the function that ends it. */
  #change: Promise<void> | undefined;
  #wake = () => {};
  #isCancelled = false;

  constructor(broadcast: Broadcast<Value>, onCancel: () => void) {
    this.#broadcast = broadcast;
    this.#onCancel = onCancel;
  }

  read(): Promise<void> {
    const { count, ending } = this.#broadcast;
    if (count > this.#taken || ending) return Promise.resolve();
    return this.#change ??= new Promise((resolve) => {
      this.#wake = () => {
        this.#change = undefined;
        resolve();
      };
      this.#broadcast.wait(this.#wake);
    });
  }

  take(_change: void, emit: Emit<Value>): boolean {
    if (this.#isCancelled) return false;
    const { count, latest, ending } = this.#broadcast;
    if (count > this.#taken) {
      this.#taken = count;
      emit(latest!);
    }
    if (ending?.failure) throw ending.failure.error;
    return !ending;
  }

  /** Nothing to release: a read fails only when the broadcast has ended. */
  fail(): void {}

  cancel(): Promise<void> {
    this.#isCancelled = true;
    this.#broadcast.stopWaiting(this.#wake);
    this.#wake();
    if (!this.#broadcast.ending) this.#onCancel();
    return Promise.resolve();
  }
}
