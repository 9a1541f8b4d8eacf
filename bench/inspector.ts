/**
 * Measures the heap of another process with V8's inspector, which both Deno and workerd have.
 *
 * @module
 */

/** The parts of a heap, in bytes. workerd has no `backingStorageSize`. */
interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

/** A session with the inspector of a process. One question at a time. */
export class Inspector implements Disposable {
  readonly #socket: WebSocket;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Connects to an inspector by the address of its WebSocket. */
  static async connect(url: string | URL): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`Cannot reach the inspector at ${url}`));
    });
    return new Inspector(socket);
  }

  /** Collects garbage, and returns the size of the heap in bytes, with the contents of typed arrays. */
  async heapBytes(): Promise<number> {
    await this.#call("HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize = 0 } = await this.#call(
      "Runtime.getHeapUsage",
    ) as HeapUsage;
    return usedSize + backingStorageSize;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #call(method: string): Promise<unknown> {
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ id, method }));
    return new Promise((resolve, reject) => {
      this.#socket.onclose = () => reject(new Error(`The inspector has gone during ${method}`));
      this.#socket.onmessage = ({ data }) => {
        const answer = JSON.parse(data);
        if (answer.id !== id) return; // an event, such as that of a script
        if (answer.error) reject(new Error(`${method} failed: ${answer.error.message}`));
        else resolve(answer.result);
      };
    });
  }
}
