/**
 * Many viewers of a relay in one process: sockets that count bytes and updates, and read from each update when
 * the server of the pull wrote it. They do as little as possible, because the relay that is measured runs on
 * the same machine.
 *
 * @module
 */

import { connect } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";

/** What a process of viewers has to do. */
export interface ViewersTask {
  /** Tells the tasks apart. */
  readonly kind: "viewers";
  /** The address of the relay. */
  readonly url: string;
}

/** What the viewers of a process received since `begin`. */
export interface Received {
  /** The number of updates, over all viewers. */
  readonly updates: number;
  /** The number of different updates. */
  readonly times: number;
  /** The number of bytes, with those of HTTP. */
  readonly bytes: number;
  /** How many updates had which age when they were read. */
  readonly ages: readonly (readonly [ageMs: number, updates: number])[];
}

/** How many viewers connect at the same time, so that the backlog of the server does not overflow. */
const CONNECTING_AT_ONCE = 50;

/** The amount in a change or in a whole snapshot, which is the time when the server wrote it. */
const TIME = /"(?:grown":\[\[0,|completed":)(\d+)/g;

/** All viewers of this process. */
class Crowd {
  readonly #port: number;
  readonly #request: string;
  #size = 0;
  #updates = 0;
  #bytes = 0;
  /** When the server wrote the updates. */
  readonly #times = new Set<string>();
  readonly #ages = new Map<number, number>();

  constructor(url: string) {
    const { port, host } = new URL(url);
    this.#port = Number(port);
    this.#request = `POST /pulls/llama3.2 HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`;
  }

  /** Connects viewers until there are so many, and waits until each one has got an update. */
  async growTo(size: number): Promise<void> {
    const comeOneByOne = async () => {
      while (this.#size < size) {
        this.#size++;
        await this.#come();
      }
    };
    await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, comeOneByOne));
  }

  /** Starts to count. */
  begin(): void {
    this.#updates = 0;
    this.#bytes = 0;
    this.#times.clear();
    this.#ages.clear();
  }

  /** What was received since `begin`. */
  get received(): Received {
    return {
      updates: this.#updates,
      times: this.#times.size,
      bytes: this.#bytes,
      ages: [...this.#ages],
    };
  }

  /** Connects one more viewer. */
  #come(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#port, "127.0.0.1", () => socket.write(this.#request));
      socket.on("data", (chunk) => {
        if (this.#read(chunk.toString("latin1"))) resolve();
      });
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("The relay has closed a connection")));
    });
  }

  /** Reads a chunk of a viewer. Returns whether there was an update in it. */
  #read(text: string): boolean {
    this.#bytes += text.length;
    let isUpdate = false;
    for (const [, writtenAt = ""] of text.matchAll(TIME)) {
      this.#times.add(writtenAt);
      const ageMs = Date.now() - Number(writtenAt);
      this.#ages.set(ageMs, (this.#ages.get(ageMs) ?? 0) + 1);
      this.#updates++;
      isUpdate = true;
    }
    return isUpdate;
  }
}

/**
 * Reads commands from standard input, one per line: a number of viewers to connect, `begin` or `end`. Answers
 * each of them with what was received since `begin`.
 */
export async function watchRelay({ url }: ViewersTask): Promise<void> {
  const crowd = new Crowd(url);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "begin") crowd.begin();
    else if (line !== "end") await crowd.growTo(Number(line));
    console.log(JSON.stringify(crowd.received));
  }
  process.exit(); // the sockets would keep it
}
