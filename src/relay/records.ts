/**
 * Progress as a stream of records, and back.
 *
 * @module
 */

import type { PullProgress } from "../snapshot.ts";
import {
  ignoreRejection,
  type ReadResult,
  type Source,
  SourceProducer,
} from "../streams/producer.ts";
import { createPullStream, type PullStream } from "../streams/pull_stream.ts";
import type { Step } from "../streams/step.ts";
import type { PullRecord } from "./record.ts";
import { RecordDecoder } from "./record_decoder.ts";
import { RecordEncoder } from "./record_encoder.ts";

/** The records of some progress, the last of which tells how it has ended. */
export class RecordSource implements Source<PullRecord> {
  readonly #reader: ReadableStreamDefaultReader<PullProgress>;
  readonly #encoder = new RecordEncoder();
  #hasEnded = false;

  /** @throws {TypeError} If the stream is locked. */
  constructor(progress: ReadableStream<PullProgress>) {
    this.#reader = progress.getReader();
  }

  async read(): Promise<ReadResult<PullRecord>> {
    if (this.#hasEnded) return { done: true };
    try {
      const { done, value } = await this.#reader.read();
      if (!done) return { done: false, value: this.#encoder.next(value) };
    } catch (error) {
      ignoreRejection(this.cancel(error));
      return this.#end({ error });
    }
    return this.#end();
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#reader.cancel(reason);
  }

  #end(failure?: { error: unknown }): ReadResult<PullRecord> {
    this.#hasEnded = true;
    return { done: false, value: this.#encoder.end(failure) };
  }
}

/** The snapshots of what is read from a source. The record of the end ends it, even if the source goes on. */
export function readProgress<Input>(
  source: Source<Input>,
  step: Step<Input, PullProgress>,
  records: RecordDecoder,
): PullStream<PullProgress> {
  const untilEnd: Source<Input> = {
    read() {
      if (!records.hasEnded) return source.read();
      ignoreRejection(source.cancel());
      return Promise.resolve({ done: true });
    },
    cancel: (reason) => source.cancel(reason),
  };
  const producer = new SourceProducer(untilEnd, step);
  return createPullStream({ connect: () => producer });
}

/** Hands on what comes. */
const asIs: Step<PullRecord, PullRecord> = { push: (record, emit) => emit(record), end() {} };

/**
 * Makes records of progress, to send it where only data can go: through `postMessage`, a WebSocket, or
 * Electron's IPC. {@link fromRecords} reads them on the other side. Each is plain data, and small: the
 * first one is a whole snapshot, later ones say what has changed, and the last one how the pull ended. So
 * the stream does not fail when the pull does.
 *
 * Nothing is read before it is asked for, and nothing is skipped. To cancel the stream cancels the pull.
 *
 * ```ts
 * import { pull } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 * import { fromRecords, toRecords } from "@ollama-pull/kit/relay";
 *
 * const { port1, port2 } = new MessageChannel(); // or a worker, and `self` in it
 *
 * const received = new ReadableStream({
 *   start: (controller) => void (port2.onmessage = ({ data }) => controller.enqueue(data)),
 *   cancel: () => port2.close(), // the end has come, or nobody reads on
 * });
 *
 * const { client } = createMockServer();
 * for await (const record of toRecords(pull("llama3.2", client))) port1.postMessage(record);
 * for await (const { phase } of fromRecords(received)) console.log(phase);
 * ```
 *
 * @param progress The progress, such as {@link pull} gives it. It gets locked.
 * @return The records.
 * @throws {TypeError} If the stream is locked.
 */
export function toRecords(progress: ReadableStream<PullProgress>): PullStream<PullRecord> {
  const producer = new SourceProducer(new RecordSource(progress), asIs);
  return createPullStream({ connect: () => producer });
}

/**
 * Reads the records of {@link toRecords}: as many snapshots as there were, with the same contents. None
 * changes after it was handed out, and what has not changed is the same object as in the one before.
 *
 * Fails as the pull did: with the same {@link PullError}, or for an error of another kind with an `Error`
 * of the same `name` and `message`, so that `error.name === "AbortError"` tells that the pull was
 * cancelled. Fails with `truncated` if the records end before the pull does, and with `malformed` at what is
 * no record, and where a record is missing, which is `retryable`.
 *
 * The stream ends with the record of the end, and cancels what it reads from.
 *
 * @param records The records. The stream gets locked.
 * @return The snapshots. To cancel the stream cancels the records.
 * @throws {TypeError} If the stream is locked.
 */
export function fromRecords(records: ReadableStream<unknown>): PullStream<PullProgress> {
  const decoder = new RecordDecoder();
  return readProgress(records.getReader(), decoder, decoder);
}
