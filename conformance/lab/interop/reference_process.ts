/**
 * The reference server as a local process: on a free loopback port, with an empty models folder, and without
 * access to other machines.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** How to run it. */
export interface ReferenceOptions {
  /** The path of the program. */
  readonly program: string;
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A proxy that does not exist: requests to other machines end here. */
const NOWHERE = "http://127.0.0.1:9";

/** How long it may take to listen, in milliseconds. */
const START_TIMEOUT_MS = 30_000;

/** How many characters of its output are shown if it does not start. */
const SHOWN_CHARACTERS = 2_000;

/** The reference server. It is started on first use, and again after a crash. */
export class ReferenceProcess {
  readonly #options: ReferenceOptions;
  #folder: string | undefined;
  #child: ChildProcess | undefined;
  #url = "";
  #ended: Promise<void> = Promise.resolve();

  /**
   * Stores how to run it.
   *
   * @param options How to run it.
   */
  constructor(options: ReferenceOptions) {
    this.#options = options;
  }

  /** Resolves when it is no longer running. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Its address, once it listens. */
  async url(): Promise<string> {
    if (!this.#isRunning) this.#url = await this.#start();
    return this.#url;
  }

  /** Ends it, and deletes what it has downloaded. */
  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    child?.kill("SIGKILL");
    await this.#ended;
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  get #isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  async #start(): Promise<string> {
    const { program, env = {} } = this.#options;
    this.#folder ??= await mkdtemp(join(tmpdir(), "reference-"));
    const child = spawn(program, ["serve"], {
      cwd: this.#folder,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: this.#folder,
        OLLAMA_MODELS: join(this.#folder, "models"),
        OLLAMA_HOST: "127.0.0.1:0",
        OLLAMA_NO_CLOUD: "1",
        HTTP_PROXY: NOWHERE,
        HTTPS_PROXY: NOWHERE,
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once("error", () => resolve()); // it was never there
      child.once("exit", () => resolve());
    });
    return await addressOf(child);
  }
}

/** Waits until a server reports its address. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail("does not listen");
    }, START_TIMEOUT_MS);
    const fail = (what: string) => {
      clearTimeout(timer);
      reject(new Error(`The server ${what}: ${output.slice(-SHOWN_CHARACTERS)}`));
    };
    const read = (text: string) => {
      if (output.length < SHOWN_CHARACTERS * 10) output += text;
      const [, address] = /Listening on (127\.0\.0\.1:\d+)/.exec(output) ?? [];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(`http://${address}`);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", read);
    }
    child.once("error", (error) => fail(`cannot be run (${error.message})`));
    child.once("exit", (code, signal) => fail(`has ended (${code ?? signal})`));
  });
}
