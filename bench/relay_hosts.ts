/**
 * Starts the processes in which a relay is measured: Deno, or workerd with a Durable Object.
 *
 * @module
 */

import { TextLineStream } from "@std/streams";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { Inspector } from "./inspector.ts";
import { cpuClockOf, findWorkerd, residentBytesOf } from "./processes.ts";
import type { HandlerOptions } from "./relay_handlers.ts";
import { ENV, ROOT } from "./runtimes.ts";

/** A process that serves viewers, and what it uses. */
export interface Host extends AsyncDisposable {
  /** Its address. */
  readonly url: string;
  /** The CPU time that it has used, in milliseconds. */
  cpuMs(): number;
  /** Its resident memory, in bytes. */
  residentBytes(): number;
  /** The size of V8's heap after a collection, in bytes. */
  heapBytes(): Promise<number>;
}

/** Starts a process that serves viewers. */
export type StartHost = (options: HandlerOptions) => Promise<Host>;

/** Finds the first match in some output. Goes on reading, so that the process never has to wait. */
async function findIn(output: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const lines = output.pipeThrough(new TextDecoderStream()).pipeThrough<string>(
    new TextLineStream(),
  );
  const reader = lines.getReader();
  for (let printed = "";;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`A process ended before it printed ${pattern}: ${printed}`);
    printed += `${value}\n`;
    const found = value.match(pattern)?.[0];
    if (found === undefined) continue;
    reader.releaseLock();
    void lines.pipeTo(new WritableStream());
    return found;
  }
}

/** Starts `Deno.serve` in a process of its own. */
export async function startInDeno(options: HandlerOptions): Promise<Host> {
  const script = join(ROOT, "bench/relay_server.ts");
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--no-check", "--inspect=127.0.0.1:0", script],
      JSON.stringify(options),
    ],
    cwd: ROOT,
    env: ENV,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const [inspectorUrl, url] = await Promise.all([
    findIn(child.stderr, /ws:\S+/),
    findIn(child.stdout, /http:\S+/),
  ]);
  const inspector = await Inspector.connect(inspectorUrl);
  return {
    url,
    cpuMs: cpuClockOf(child.pid),
    residentBytes: () => residentBytesOf(child.pid),
    heapBytes: () => inspector.heapBytes(),
    async [Symbol.asyncDispose]() {
      inspector[Symbol.dispose]();
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

/** Returns what starts workerd with the Worker in a file. */
export function workerdStarter(script: string): StartHost {
  return async (options) => {
    const name = "relay";
    const miniflare = new Miniflare({
      name,
      modules: [{ type: "ESModule", path: "worker.mjs", contents: await readFile(script, "utf8") }],
      compatibilityDate: "2026-07-01",
      bindings: { OPTIONS: { ...options } },
      durableObjects: { HUBS: "Hub" },
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }], // past Miniflare's own Worker
      inspectorPort: 0,
    });
    await miniflare.ready;
    const url = await miniflare.unsafeGetDirectURL(name);
    const inspectorUrl = await miniflare.getInspectorURL();
    inspectorUrl.pathname = `core:user:${name}`; // as Miniflare calls it
    const inspector = await Inspector.connect(inspectorUrl);
    const pid = findWorkerd();
    return {
      url: url.origin,
      cpuMs: cpuClockOf(pid),
      residentBytes: () => residentBytesOf(pid),
      heapBytes: () => inspector.heapBytes(),
      async [Symbol.asyncDispose]() {
        inspector[Symbol.dispose]();
        await miniflare.dispose();
      },
    };
  };
}
