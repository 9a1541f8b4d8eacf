/**
 * The bytes of a pull as a connection delivers them: cut into chunks, and handed over from memory.
 *
 * @module
 */

/** How the bytes of a pull arrive. */
export type Chunking = "replay" | "network" | "live";

/** What there is to say about each {@link Chunking}. */
export const CHUNKINGS: Readonly<Record<Chunking, string>> = {
  replay: "64 KiB a chunk", // what a fetch hands over at most, in most runtimes
  network: "1,400 bytes a chunk", // what a packet holds
  live: "one line a chunk", // what a server sends that flushes each line
};

const CHUNK_BYTES = { replay: 64 * 1024, network: 1_400 };

const NEWLINE = 0x0a;

/** Cuts the bytes of a pull into chunks, which share their memory. */
export function cut(bytes: Uint8Array<ArrayBuffer>, chunking: Chunking): Uint8Array<ArrayBuffer>[] {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = chunking === "live"
      ? bytes.indexOf(NEWLINE, start) + 1 || bytes.length
      : start + CHUNK_BYTES[chunking];
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}

/** The body of a response, which gives a chunk when it is asked for one. */
export class PullBody {
  /** The chunks. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** How many chunks were handed over. */
  chunksRead = 0;

  /** Makes a body of chunks, or of as many as there turn out to be. */
  constructor(chunks: Iterable<Uint8Array<ArrayBuffer>>) {
    const remaining = chunks[Symbol.iterator]();
    this.stream = new ReadableStream({
      pull: (controller) => {
        const { done, value } = remaining.next();
        if (done) return controller.close();
        this.chunksRead++;
        controller.enqueue(value);
      },
    }, { highWaterMark: 0 });
  }
}
