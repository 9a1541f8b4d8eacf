/**
 * Helpers for the tests of the command line: a terminal emulator as the screen, a process context whose time
 * the test controls, and a server with prepared answers. Not part of any package.
 *
 * @module
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { assert } from "@std/assert";
import xterm from "@xterm/headless";
import type { PullProgress } from "../mod.ts";
import type { CommandContext, Output } from "./command.ts";
import { MANIFEST_TIMEOUT_MS } from "./commands/pull_run.ts";
import { isLoopback } from "./host.ts";

/** A standard stream that keeps what is written. */
export class Recorder implements Output {
  /** All that was written. */
  text = "";
  /** Called after each write. */
  onWrite = (): void => {};

  write(text: string): void {
    this.text += text;
    this.onWrite();
  }

  /** The output, line by line. */
  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

/** A terminal. It wraps, scrolls and reflows as xterm does. */
export class Screen extends Recorder {
  readonly isTTY = true;
  readonly #terminal: InstanceType<typeof xterm.Terminal>;

  constructor(columns: number, rows: number) {
    super();
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      allowProposedApi: true,
      convertEol: true,
    });
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  override write(text: string): void {
    super.write(text);
    this.#terminal.write(text);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#parsed();
    this.#terminal.resize(columns, rows);
  }

  /** The visible lines, without blank ones at the end. */
  async look(): Promise<string[]> {
    await this.#parsed();
    const { active } = this.#terminal.buffer;
    const lines = Array.from({ length: this.rows }, (_, row) => {
      return active.getLine(active.baseY + row)?.translateToString(true) ?? "";
    });
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  /** How many lines have scrolled out of view. */
  async scrolled(): Promise<number> {
    await this.#parsed();
    return this.#terminal.buffer.active.baseY;
  }

  /** Whether the cursor is visible, according to the last output. */
  get showsCursor(): boolean {
    return this.text.lastIndexOf("\x1b[?25l") <= this.text.lastIndexOf("\x1b[?25h");
  }

  #parsed(): Promise<void> {
    return new Promise((resolve) => this.#terminal.write("", resolve));
  }
}

/** An unavailable registry, so that tests do not reach the real one. */
export const NO_REGISTRY = "http://127.0.0.1:1";

/** A process context whose time stands still until the test moves it. */
export class TestContext<Stdout extends Output = Recorder> implements CommandContext {
  readonly stdout: Stdout;
  readonly stderr = new Recorder();
  readonly invocation = "ollama-pull";
  readonly env: Record<string, string | undefined> = { OLLAMA_PULL_REGISTRY: NO_REGISTRY };
  /** The addresses of all requests. */
  readonly requests: string[] = [];
  /** The waits so far, in milliseconds. */
  readonly waits: number[] = [];
  readonly interruption = new AbortController();
  /** The time in milliseconds. */
  time = 0;
  /** The callbacks of intervals. */
  readonly callbacks = new Set<() => void>();
  /** The callback for the end of standard input. */
  readonly inputCallbacks = new Set<() => void>();
  /** The callback before the process exits. */
  readonly holds = new Set<() => void>();

  constructor(stdout: Stdout) {
    this.stdout = stdout;
  }

  get signal(): AbortSignal {
    return this.interruption.signal;
  }

  /** Tests may talk only to this machine; this catches wrong addresses. */
  readonly fetch: CommandContext["fetch"] = (url, init) => {
    assert(isLoopback(new URL(url)), `A test wants to talk to ${url}`);
    this.requests.push(url);
    return fetch(url, init);
  };

  readonly now = () => this.time;

  /** Waits before retries end at once; waits for a time limit never end. */
  readonly sleep = (milliseconds: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    this.waits.push(milliseconds);
    if (milliseconds < 60_000 && milliseconds !== MANIFEST_TIMEOUT_MS) {
      this.time += milliseconds;
      return Promise.resolve();
    }
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  };

  onInputEnd(callback: () => void): () => void {
    this.inputCallbacks.add(callback);
    return () => this.inputCallbacks.delete(callback);
  }

  repeat(callback: () => void): () => void {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }

  holdTerminal(release: () => void): () => void {
    this.holds.add(release);
    return () => this.holds.delete(release);
  }

  /** Lets enough time pass for the next redraw. */
  tick(): void {
    for (const callback of this.callbacks) callback();
  }
}

/** A digest that starts with a number. */
export function digestOf(index: number): string {
  return `sha256:${String(index).padStart(12, "0")}${"a".repeat(52)}`;
}

/** A snapshot of a download whose layers have the given completed and total bytes. */
export function downloading(
  layers: readonly (readonly [completed: number, total: number])[],
  more: Partial<PullProgress> = {},
): PullProgress {
  const completed = layers.reduce((sum, [bytes]) => sum + bytes, 0);
  const total = layers.reduce((sum, [, size]) => sum + size, 0);
  return {
    phase: "downloading",
    status: "pulling",
    completed,
    total,
    totalIsKnown: true,
    fraction: total === 0 ? 0 : Math.min(completed / total, 1 - Number.EPSILON),
    layers: layers.map(([completed, total], index) => ({
      digest: digestOf(index),
      completed,
      total,
      done: completed === total,
    })),
    ...more,
  };
}

/** A snapshot of a phase before or after the download. */
export function step(phase: PullProgress["phase"], status: string): PullProgress {
  const fraction = phase === "success" ? 1 : 0;
  return { phase, status, completed: 0, total: 0, totalIsKnown: false, fraction, layers: [] };
}

/** The lines of a successful pull. */
export const PULL_LINES: readonly string[] = [
  { status: "pulling manifest" },
  { status: "pulling 000000000000", digest: digestOf(0), total: 1000, completed: 400 },
  { status: "verifying sha256 digest" },
  { status: "writing manifest" },
  { status: "success" },
].map((line) => `${JSON.stringify(line)}\n`);

/** A server on loopback. */
export interface TestServer {
  /** Its address. */
  readonly url: string;
  /** The bodies of requests with a body. */
  readonly bodies: unknown[];
  /** Stops it. */
  close(): Promise<void>;
}

/** Starts a server that answers with a function. */
export async function serve(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<TestServer> {
  const bodies: unknown[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => body += chunk);
    request.on("end", () => {
      if (body !== "") bodies.push(JSON.parse(body));
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}`, bodies, close };
}

/** An answer that sends lines and ends. */
export function sendLines(lines: readonly string[]): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(200, { "Content-Type": "application/x-ndjson" });
    for (const line of lines) response.write(line);
    response.end();
  };
}

/** Runs a function with a server, and always stops the server afterwards. */
export async function withServer(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  use: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await serve(answer);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}
