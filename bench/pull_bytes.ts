/**
 * The bytes of a pull as a connection delivers them: cut into chunks, but read from memory.
 *
 * @module
 */

/** How the bytes of a pull arrive. */
export type Chunking = "replay" | "network" | "live";

/** A description of each {@link Chunking}. */
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

/** A response body, which provides a chunk on request. */
export class PullBody {
  /** The chunks. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** How many chunks were delivered. */
  chunksRead = 0;

  /** Creates a body from chunks, whose number need not be known. */
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
