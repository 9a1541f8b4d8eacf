/**
 * Many viewers of a relay in one process: sockets whose bytes are counted, and searched for the time at which
 * the upstream wrote what they tell. It does as little as it can, since it shares the machine with what is
 * measured.
 *
 * @module
 */

import { connect } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";

/** What a process of viewers is to do. */
export interface ViewersTask {
  /** Tells the tasks apart. */
  readonly kind: "viewers";
  /** Where the relay is. */
  readonly url: string;
}

/** What viewers have received between `begin` and `end`. */
export interface Received {
  /** How many updates. */
  readonly updates: number;
  /** How many times anybody was told something new. */
  readonly times: number;
  /** How many bytes, with those of HTTP. */
  readonly bytes: number;
  /** How many updates were how old when they were read, in whole milliseconds. */
  readonly ages: readonly (readonly [ageMs: number, updates: number])[];
}

/** How many connect at the same time: fewer than a server lets wait. */
const CONNECTING_AT_ONCE = 50;

/** The newest of the amounts in a change, or in a whole snapshot: the time of the upstream. */
const TIME = /"(?:grown":\[\[0,|completed":)(\d+)/g;

/** All viewers of this process. */
class Crowd {
  readonly #port: number;
  readonly #request: string;
  #size = 0;
  #updates = 0;
  #bytes = 0;
  /** When the upstream wrote what they were told. */
  readonly #times = new Set<string>();
  readonly #ages = new Map<number, number>();

  constructor(url: string) {
    const { port, host } = new URL(url);
    this.#port = Number(port);
    this.#request = `POST /pulls/llama3.2 HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`;
  }

  /** Lets viewers come until there are so many, each of which has got an update. */
  async growTo(size: number): Promise<void> {
    const comeOneByOne = async () => {
      while (this.#size < size) {
        this.#size++;
        await this.#come();
      }
    };
    await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, comeOneByOne));
  }

  /** Counts from now on. */
  begin(): void {
    this.#updates = 0;
    this.#bytes = 0;
    this.#times.clear();
    this.#ages.clear();
  }

  /** What was received since it began. */
  get received(): Received {
    return {
      updates: this.#updates,
      times: this.#times.size,
      bytes: this.#bytes,
      ages: [...this.#ages],
    };
  }

  /** One more viewer. */
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

  /** Reads what has come to a viewer. Returns whether there was an update. */
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
 * Does what the lines of standard input say, and prints what came of each: a number of viewers to grow to,
 * `begin`, or `end`.
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
