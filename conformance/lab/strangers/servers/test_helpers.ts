/**
 * A client of the strangers that sees every byte, and moves their time.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { gunzipSync } from "node:zlib";
import { SteppedClock } from "../../../../mock/mod.ts";
import { soon } from "../../../../mock/clock/turns.ts";
import type { Layer, RunningServer, Stranger } from "./mod.ts";

/** An answer, as far as it has come. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Whether all of it has come, by its own framing. */
  readonly isWhole: boolean;
  /** The bytes after it. */
  readonly rest: Buffer;
}

/** A line of a pull, or its single object. */
export interface PullObject {
  readonly status?: string;
  readonly error?: string;
  readonly digest?: string;
  readonly total?: number;
  readonly completed?: number;
}

/** How many round trips it takes at most for what was sent on another connection to arrive, and be answered. */
const ROUND_TRIPS = 3;

/** How long a client waits for what does not take the server any time, in milliseconds of real time. */
const PATIENCE_MS = 5_000;

/** How long a pull may take, in milliseconds of the server's time. */
const PULL_MS = 6_000;

/** Reads an answer. Returns `undefined` as long as its head is not whole. */
function parseAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = new Map(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const status = Number(first.split(" ")[1]);
  const after = bytes.subarray(end + 4);
  if (headers.get("transfer-encoding") === "chunked") {
    return { status, headers, ...parseChunks(after) };
  }
  const length = status === 100 ? 0 : Number(headers.get("content-length") ?? Infinity);
  const isWhole = after.length >= length;
  const sent = after.subarray(0, length);
  const isZipped = isWhole && headers.get("content-encoding") === "gzip";
  const body = (isZipped ? gunzipSync(sent) : sent).toString();
  return { status, headers, body, isWhole, rest: after.subarray(length) };
}

function parseChunks(bytes: Buffer): Pick<Answer, "body" | "isWhole" | "rest"> {
  const chunks: Buffer[] = [];
  for (let at = 0;;) {
    const end = bytes.indexOf("\r\n", at);
    const size = end < 0 ? NaN : parseInt(bytes.subarray(at, end).toString("latin1"), 16);
    const next = end + 2 + size + 2;
    const isWhole = size === 0;
    if (isWhole || !(bytes.length >= next)) {
      return { body: Buffer.concat(chunks).toString(), isWhole, rest: bytes.subarray(next) };
    }
    chunks.push(bytes.subarray(end + 2, end + 2 + size));
    at = next;
  }
}

/** A connection to a server. */
export class Wire {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #hasClosed = false;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    for (const event of ["end", "close", "error"]) {
      this.#socket.on(event, () => this.#hasClosed = true);
    }
  }

  send(bytes: string): void {
    this.#socket.write(bytes);
  }

  /** The answer that comes, or has come. */
  get answer(): Answer | undefined {
    return parseAnswer(this.#received);
  }

  /** Goes on to the next answer. */
  next(): void {
    this.#received = this.answer?.rest ?? this.#received;
  }

  /** Whether no more of the answer comes. */
  get hasEnded(): boolean {
    return this.#hasClosed || this.answer?.isWhole === true;
  }

  /** The objects of the answer so far. */
  get objects(): PullObject[] {
    const lines = this.answer?.body.split("\n").filter((line) => line !== "") ?? [];
    return lines.map((line) => JSON.parse(line));
  }

  get last(): PullObject {
    return this.objects.at(-1) ?? {};
  }

  /** The objects that name a layer. */
  of({ digest }: Layer): PullObject[] {
    return this.objects.filter((object) => object.digest === digest);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** A request, with a body if there is one. */
export function requestOf(method: string, path: string, body = "", headers: string[] = []): string {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return [`${method} ${path} HTTP/1.1`, "Host: stranger", length, ...headers, "", body].join(
    "\r\n",
  );
}

/** A visit to a server whose time stands still until the visitor moves it. */
export class Visit {
  readonly clock: SteppedClock;
  readonly server: RunningServer;
  readonly #wires: Wire[] = [];
  #pulse: Wire | undefined;

  private constructor(clock: SteppedClock, server: RunningServer) {
    this.clock = clock;
    this.server = server;
  }

  /** Starts a server, visits it and closes it. */
  static async of<Seen>(
    { make }: Pick<Stranger, "make">,
    see: (visit: Visit) => Promise<Seen>,
  ): Promise<Seen> {
    const clock = new SteppedClock();
    const server = await make({ clock }).start();
    const visit = new Visit(clock, server);
    try {
      return await see(visit);
    } finally {
      for (const wire of visit.#wires) wire.close();
      await server.close();
    }
  }

  /** Opens a connection, which the server has accepted and used. */
  async open(): Promise<Wire> {
    const wire = new Wire(this.server.url);
    this.#wires.push(wire);
    await this.#beat(wire);
    return wire;
  }

  /** Lets what was sent arrive, and be answered. It takes no time of the server's. */
  async settle(): Promise<void> {
    this.#pulse ??= await this.open();
    for (let trip = 0; trip < ROUND_TRIPS; trip++) await this.#beat(this.#pulse);
  }

  async #beat(wire: Wire): Promise<void> {
    wire.send(requestOf("GET", "/api/version"));
    await this.until(() => wire.hasEnded);
    wire.next();
  }

  /** Sends a request, and waits for all of the answer. It takes no time of the server's. */
  async ask(method: string, path: string, body?: string, headers?: string[]): Promise<Answer> {
    const wire = await this.open();
    wire.send(requestOf(method, path, body, headers));
    await this.until(() => wire.hasEnded);
    return wire.answer!;
  }

  /** Begins a pull, which reaches the server before time moves on. */
  async pull(fields: unknown, headers?: string[]): Promise<Wire> {
    const wire = await this.open();
    wire.send(requestOf("POST", "/api/pull", JSON.stringify(fields), headers));
    await this.settle();
    return wire;
  }

  /** Pulls a model to the end. */
  async finish(model: string): Promise<Wire> {
    const wire = await this.pull({ model });
    await this.passUntil(() => wire.hasEnded);
    return wire;
  }

  /** Leaves a pull, of which the server learns before time moves on. */
  async leave(wire: Wire): Promise<void> {
    const before = this.server.pulls();
    wire.close();
    await this.until(() => this.server.pulls() < before);
    await this.settle();
  }

  /** Begins a pull, and leaves it after some time. Returns the bytes of a layer that it was told. */
  async visitFor(milliseconds: number, layer: Layer): Promise<number> {
    const wire = await this.pull({ model: this.server.model });
    await this.pass(milliseconds);
    await this.leave(wire);
    return wire.of(layer).at(-1)?.completed ?? 0;
  }

  /** Begins a pull. Returns the bytes that a layer of it begins with. */
  async resumed(layer: Layer): Promise<number> {
    const wire = await this.pull({ model: this.server.model });
    await this.until(() => wire.of(layer).length > 0);
    return wire.of(layer)[0]?.completed ?? 0;
  }

  /** Lets the server's time pass. */
  async pass(milliseconds: number): Promise<void> {
    await this.clock.advance(milliseconds);
    await this.settle();
  }

  /** Lets the server's time pass until something is the case, or a pull would have ended. */
  async passUntil(isSo: () => boolean): Promise<void> {
    const end = this.clock.now() + PULL_MS;
    while (!isSo() && this.clock.now() < end) await this.pass(200);
  }

  /** Waits for something that does not take the server any time. */
  async until(isSo: () => boolean): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!isSo()) {
      if (performance.now() > end) throw new Error(`Waited in vain until ${isSo}`);
      await new Promise<void>(soon);
    }
  }
}
