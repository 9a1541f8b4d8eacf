/**
 * The bytes of a pull, as Ollama sends them and as a connection delivers them: a line of NDJSON for
 * each update, cut into chunks without regard to lines.
 *
 * @module
 */

/** The size of a chunk: what a fetch hands over at most, in most runtimes. */
const CHUNK_BYTES = 64 * 1024;

const LAYER_BYTES = 2_019_377_376;

/** A pull to decode. */
export interface PullBytes {
  readonly name: string;
  readonly chunks: readonly Uint8Array[];
  /** How many lines there are. */
  readonly lines: number;
  /** How many bytes there are. */
  readonly bytes: number;
}

function digestOf(layer: number): string {
  return `sha256:${(layer + 1).toString(16).padStart(4, "0").repeat(16)}`;
}

/** The updates of layers that are downloaded at the same time and take turns. */
function* updates(layers: number, updatesOfEach: number): Generator<object> {
  yield { status: "pulling manifest" };
  for (let update = 0; update < updatesOfEach; update++) {
    const completed = Math.floor(LAYER_BYTES * (update + 1) / updatesOfEach);
    for (let layer = 0; layer < layers; layer++) {
      const digest = digestOf(layer);
      const status = `pulling ${digest.slice("sha256:".length, "sha256:".length + 12)}`;
      yield { status, digest, total: LAYER_BYTES, completed };
    }
  }
  yield { status: "verifying sha256 digest" };
  yield { status: "writing manifest" };
  yield { status: "success" };
}

/** Makes the bytes of a pull with some layers and, over all of them, about as many updates as asked. */
export function makePull(name: string, layers: number, totalUpdates: number): PullBytes {
  const lines = Array.from(
    updates(layers, Math.ceil(totalUpdates / layers)),
    (update) => JSON.stringify(update),
  );
  const bytes = new TextEncoder().encode(`${lines.join("\n")}\n`);
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    chunks.push(bytes.slice(start, start + CHUNK_BYTES));
  }
  return { name, chunks, lines: lines.length, bytes: bytes.length };
}

/** A stream of a pull's bytes, which gives a chunk when it is asked for one. */
export function streamOf({ chunks }: PullBytes): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[next++];
      if (chunk) controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      else controller.close();
    },
  });
}
