/**
 * What the tests of this folder share: bodies whose every move is under control and on record, what a
 * stream gave and how it ended, and a clock that stands still until it is moved.
 *
 * @module
 */

import { AssertionError } from "@std/assert";
import process from "node:process";
import { NdjsonDecoderStream } from "./ndjson.ts";
import { PullError } from "./errors.ts";
import { decodeProgress, type DecodeProgressOptions, PullProgressStream } from "./progress.ts";
import type { PullProgress } from "./snapshot.ts";
import { decodePull, type DecodePullOptions } from "./pull_decoder.ts";
import type { PullStatus } from "./status.ts";
import { PullStatusStream } from "./status_stream.ts";

/** Bytes that own their buffer, as bodies carry them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A text as UTF-8. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** Values as compact lines. */
export function lines(...values: unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}

/** A stream of items, each made when it is asked for. */
export function streamOf<Item>(items: Iterable<Item>): ReadableStream<Item> {
  const iterator = items[Symbol.iterator]();
  return new ReadableStream<Item>({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel() {
      iterator.return?.();
    },
  }, { highWaterMark: 0 });
}

/** How a stream ended: `undefined` if it just ended, or what it failed with. */
export interface Outcome<Value> {
  readonly values: Value[];
  readonly failure: { readonly error: unknown } | undefined;
}

/** Reads a stream to its end, whatever that is. */
export async function outcomeOf<Value>(stream: ReadableStream<Value>): Promise<Outcome<Value>> {
  const reader = stream.getReader();
  const values: Value[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { values, failure: undefined };
      values.push(value);
    }
  } catch (error) {
    return { values, failure: { error } };
  }
}

/** What of a failure has to be the same however it came about. */
export function describeFailure({ failure }: Outcome<unknown>): unknown {
  if (!failure) return undefined;
  const { error } = failure;
  if (!(error instanceof PullError)) return error;
  const { code, message, line, status, excerpt } = error;
  return { code, message, line, status, excerpt };
}

/** What a stream gave, and how it ended, in a form that can be compared. */
export async function resultOf(stream: ReadableStream<unknown>): Promise<unknown> {
  const outcome = await outcomeOf(stream);
  return { values: outcome.values, failure: describeFailure(outcome) };
}

/** The error that a stream fails with, which has to be a {@link PullError}. */
export async function pullErrorOf(stream: ReadableStream<unknown>): Promise<PullError> {
  return asPullError((await outcomeOf(stream)).failure?.error);
}

/** The error that a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It was resolved");
}

/** An error, which has to be a {@link PullError}. */
export function asPullError(error: unknown): PullError {
  if (error instanceof PullError) return error;
  throw new AssertionError(`Not a PullError: ${error}`);
}

/** Bytes to values through the stream of its own. */
export function pipeValues(
  body: ReadableStream<Uint8Array>,
  options?: DecodePullOptions,
): ReadableStream<unknown> {
  return body.pipeThrough(new NdjsonDecoderStream(options));
}

/** Bytes to statuses through two streams. */
export function pipeStatuses(
  body: ReadableStream<Uint8Array>,
  options?: DecodePullOptions,
): ReadableStream<PullStatus> {
  return pipeValues(body, options).pipeThrough(new PullStatusStream(options));
}

/** Bytes to snapshots through three streams. */
export function pipeProgress(
  body: ReadableStream<Uint8Array>,
  options?: DecodeProgressOptions,
): ReadableStream<PullProgress> {
  return pipeStatuses(body, options).pipeThrough(new PullProgressStream(options));
}

/** All ways from bytes to something, by name. */
export const DECODERS: Readonly<
  Record<
    string,
    (body: ReadableStream<Uint8Array>, options?: DecodeProgressOptions) => ReadableStream<unknown>
  >
> = {
  NdjsonDecoderStream: pipeValues,
  PullStatusStream: pipeStatuses,
  PullProgressStream: pipeProgress,
  decodePull,
  decodeProgress,
};

/** A clock that does not go on. */
export const standingStill = (): number => 0;

/** A source that is told what to give, and records what is asked of it. */
export class TestSource<Item> {
  /** The stream. */
  readonly stream: ReadableStream<Item>;
  /** How often it was asked for an item. */
  reads = 0;
  /** The reasons with which it was cancelled. */
  readonly cancels: unknown[] = [];
  #controller!: ReadableStreamDefaultController<Item>;
  readonly #items: Item[];

  /** Makes a source that gives some items, one each time it is asked, and then waits. */
  constructor(...items: Item[]) {
    this.#items = items;
    this.stream = new ReadableStream<Item>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: (controller) => {
        this.reads++;
        const item = this.#items.shift();
        if (item !== undefined) controller.enqueue(item);
      },
      cancel: (reason) => {
        this.cancels.push(reason);
      },
    }, { highWaterMark: 0 });
  }

  /** Gives an item, asked or not. */
  give(item: Item): void {
    this.#controller.enqueue(item);
  }

  /** Ends. */
  end(): void {
    this.#controller.close();
  }

  /** Fails. */
  fail(error: unknown): void {
    this.#controller.error(error);
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

/** Whether a promise is settled once everything has happened that can. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => settled = true;
  promise.then(note, note);
  await settle();
  return settled;
}

/** Rejections that nobody has handled by the time that some work is done. */
export async function unhandledRejections(work: () => Promise<unknown>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  try {
    await work();
    // They are reported once the microtasks are done, in a turn of their own.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve));
  } finally {
    process.off("unhandledRejection", note);
  }
  return unhandled;
}

/** A signal, and those who listen to it. */
export function watchedSignal(): {
  controller: AbortController;
  signal: AbortSignal;
  listeners: ReadonlySet<unknown>;
} {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    const [, listener, options] = args;
    listeners.add(listener);
    // How a listener goes when its own signal aborts cannot be seen in every runtime.
    const { signal: gone } = Object(options) as AddEventListenerOptions;
    gone?.addEventListener("abort", () => listeners.delete(listener));
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners.delete(args[1]);
    remove(...args);
  };
  return { controller, signal, listeners };
}

/** A clock that moves when it is told to. */
export class VirtualClock {
  /** The time in milliseconds. */
  time = 0;
  readonly #sleepers = new Set<{ until: number; wake: () => void }>();

  /** The time in milliseconds. */
  readonly now = (): number => this.time;

  /** Waits until the clock was moved on by some milliseconds, or a signal aborts. */
  readonly sleep = (milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const stop = () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      };
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener("abort", stop);
        resolve();
      };
      const sleeper = { until: this.time + milliseconds, wake };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", stop, { once: true });
    });

  /** How many are waiting. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  /** Moves on, and lets happen what follows, in its order. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    await settle();
    for (;;) {
      const due = [...this.#sleepers].filter(({ until }) => until <= end);
      if (due.length === 0) break;
      const next = due.reduce((first, other) => other.until < first.until ? other : first);
      this.time = Math.max(this.time, next.until);
      next.wake();
      await settle();
    }
    this.time = end;
  }
}
