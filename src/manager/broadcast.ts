/**
 * One value after another, for any number of readers, each of which reads at a pace of its own.
 *
 *     publish(value) ──▶ the newest value ◀── each reader, when it asks
 *
 * Nothing but the newest value is kept, however far behind a reader is: it knows the number of the value
 * that it took last. The broadcast knows only the readers that wait at the moment, so that a stream that
 * nobody reads any more costs nothing.
 *
 * @module
 */

import type { Failure, Producer } from "../streams/producer.ts";
import { createPullStream, type PullStream } from "../streams/pull_stream.ts";
import type { Emit } from "../streams/step.ts";

/** How it has ended: with a failure or, if there is none, just so. */
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

  /** How it has ended, or `undefined` while it goes on. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Replaces the newest value. */
  publish(value: Value): void {
    this.#latest = value;
    this.#count++;
    this.#wakeAll();
  }

  /** Ends: readers take the newest value if they have not done so, and then see the end. */
  end(failure: Failure | undefined): void {
    this.#ending = { failure };
    this.#wakeAll();
  }

  /**
   * The newest value, and then the newest one each time that the stream is read.
   *
   * @param onCancel Is called when the stream is cancelled before it has ended.
   */
  read(onCancel: () => void): PullStream<Value> {
    const reader = new BroadcastReader(this, onCancel);
    return createPullStream({ connect: () => reader });
  }

  /** Has a function called at the next change, once. */
  wait(wake: () => void): void {
    this.#waiting.add(wake);
  }

  /** Forgets a function that waits. */
  stopWaiting(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Takes the newest value each time that it is asked. */
class BroadcastReader<Value> implements Producer<Value> {
  readonly #broadcast: Broadcast<Value>;
  readonly #onCancel: () => void;
  /** The number of the value that was taken last. */
  #taken = 0;
  /** What is waited for, and how that is over. */
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

  /** There is nothing to let go of: only the end of the broadcast makes a read fail. */
  fail(): void {}

  cancel(): Promise<void> {
    this.#isCancelled = true;
    this.#broadcast.stopWaiting(this.#wake);
    this.#wake();
    if (!this.#broadcast.ending) this.#onCancel();
    return Promise.resolve();
  }
}
