/**
 * One who watches a pull through the relay: the body of one response.
 *
 *     Feed ── serve ──▶ Viewer ── when it is read ──▶ body of the response
 *
 * There may be ten thousand viewers. So a viewer has no timer, no promise and no queue of its own: it only
 * knows which record it sent last, and whether its body is being read.
 *
 * @module
 */

import type { Bytes } from "../bytes.ts";
import type { EncodedRecord } from "./encoded_record.ts";
import type { RecordFormat } from "./response.ts";

const utf8 = new TextEncoder();

/** What says that the connection lives: a comment, or an empty line. */
const HEARTBEATS: Readonly<Record<RecordFormat, Bytes>> = {
  sse: utf8.encode(":\n\n"),
  ndjson: utf8.encode("\n"),
};

/** Of whose records a viewer gets the newest. */
export interface ViewerFeed {
  /** The number of the newest record. */
  readonly sequence: number;
  /** The record of the end, once the pull has ended. */
  readonly ending: EncodedRecord | undefined;
  /** The record that brings one up to date who had some record last. */
  recordAfter(sequence: number): EncodedRecord;
  /** The time in milliseconds. */
  now(): number;
  /** Takes a viewer off the list. */
  leave(viewer: Viewer): void;
}

/** What is sent first, so that the headers arrive before there is anything to tell. */
export function openingBytes(format: RecordFormat, retryMs: number): Bytes {
  return format === "sse" ? utf8.encode(`retry: ${retryMs}\n\n`) : HEARTBEATS.ndjson;
}

/** The source of a body, which sends the newest record each time that the body is read. */
export class Viewer {
  readonly #feed: ViewerFeed;
  readonly #format: RecordFormat;
  readonly #opening: Bytes;
  #controller!: ReadableStreamDefaultController<Bytes>;
  /** The signal of the request, which may tell that the client has gone. */
  #signal: AbortSignal | undefined;
  /** Whether somebody waits for bytes. */
  #isAsking = false;
  #hasLeft = false;
  /** Whether it was sent the end. */
  #hasEnded = false;
  /** The number of the record that it had last. */
  #sequence = 0;
  /** When it was sent something last. */
  #sentAt: number;

  constructor(feed: ViewerFeed, format: RecordFormat, opening: Bytes) {
    this.#feed = feed;
    this.#format = format;
    this.#opening = opening;
    this.#sentAt = feed.now();
  }

  /** The body of the response, which ends when the pull does. */
  open(signal: AbortSignal | undefined): ReadableStream<Bytes> {
    const body = new ReadableStream<Bytes>(this, { highWaterMark: 0 });
    this.#signal = signal;
    signal?.addEventListener("abort", this);
    if (signal?.aborted) this.cut();
    return body;
  }

  /** Is called by the body when it is made. */
  start(controller: ReadableStreamDefaultController<Bytes>): void {
    this.#controller = controller;
    controller.enqueue(this.#opening);
  }

  /** Is called by the body when somebody waits for bytes. */
  pull(): void {
    this.#isAsking = true;
    this.serve();
  }

  /** Is called by the body when nobody reads it any more. */
  cancel(): void {
    this.#leave();
  }

  /** Is called when the signal of the request aborts. */
  handleEvent(): void {
    this.cut();
  }

  /**
   * Sends what is new, if somebody waits for it: the newest snapshot, and with it the end. A viewer that
   * reads so slowly that it is cut off after each snapshot would never see an end that comes later.
   */
  serve(): void {
    if (!this.#isAsking || this.#hasLeft) return;
    const { sequence, ending } = this.#feed;
    if (this.#sequence < sequence) {
      const record = this.#feed.recordAfter(this.#sequence);
      this.#sequence = sequence;
      this.#send(record.as(this.#format));
    }
    if (ending) this.#end(ending);
  }

  /**
   * Is called every so often: sends a heartbeat after a silence, or cuts the viewer off if its body was
   * not read for too long.
   */
  beat(time: number, heartbeatAfterMs: number, idleMs: number): void {
    const silenceMs = time - this.#sentAt;
    if (!this.#isAsking) {
      if (silenceMs >= idleMs) this.cut();
    } else if (silenceMs >= heartbeatAfterMs) this.#send(HEARTBEATS[this.#format]);
  }

  /**
   * Ends the body without the record of the end, by which a client that is still there knows that this is
   * not the end of the pull. (Runtimes report a body that fails as a failure of the server.)
   */
  cut(): void {
    if (this.#hasLeft) return;
    this.#leave();
    this.#controller.close();
  }

  /** Sends the end, unless the reader has asked again or left at the bytes before, as Deno's server may. */
  #end(ending: EncodedRecord): void {
    if (this.#hasEnded || this.#hasLeft) return;
    this.#hasEnded = true;
    this.#send(ending.as(this.#format));
    this.cut();
  }

  #send(bytes: Bytes): void {
    this.#isAsking = false;
    this.#sentAt = this.#feed.now();
    this.#controller.enqueue(bytes); // who had asked twice is asking again when this returns
  }

  #leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#isAsking = false;
    this.#signal?.removeEventListener("abort", this);
    this.#feed.leave(this);
  }
}
