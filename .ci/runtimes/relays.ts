/**
 * The servers in the guide to the relay: each runs as a user would run it, in a project that has installed
 * the package, and is watched over the network.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { createMockServer, type PullHold } from "../../mock/mod.ts";
import { cancelPull, watchPull } from "../../src/relay/mod.ts";
import { PullError } from "../../mod.ts";
import { readText } from "../project.ts";
import { namedModules } from "../readme.ts";
import type { Command, Consumer } from "./consumer.ts";

const GUIDE = "src/relay/README.md";

/** The address at which a server says that it serves. */
async function addressOf(child: Deno.ChildProcess): Promise<string> {
  let output = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The server printed no address, but ${output}`);
    output += value;
    const [, port, path] =
      /(?:Listening on|Relays at) http:\/\/[^\s/]+:(\d+)(\S*)\s/.exec(output) ?? [];
    if (port) return `http://127.0.0.1:${port}${path}`;
  }
}

/**
 * Tries a server of the guide.
 *
 * @param consumer Where the package is installed, with what the server needs besides.
 * @param name That of the server, such as `bun.js`.
 * @param run The command that runs a module, such as `bun run`.
 */
export async function tryRelay(
  consumer: Consumer,
  name: string,
  run: Command,
): Promise<void> {
  const { "allow.js": allow, [name]: server } = namedModules(await readText(GUIDE));
  await consumer.write({ "allow.js": allow!, [name]: server! });
  const ollama = createMockServer({ models: ["llama3.2", "mistral"], bytesPerSecond: 1e12 });
  await using listener = await ollama.listen();
  const hold = ollama.hold();
  const child = consumer.start([...run, name], {
    OLLAMA_HOST: listener.url,
    PORT: "0",
    DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
    NO_COLOR: "1",
  });
  try {
    await watchTogether(await addressOf(child), hold);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  assertEquals(ollama.requests.map(({ outcome }) => outcome), ["finished"]);
}

/** Watches one pull as several viewers, one of whom leaves, and tries what is not allowed. */
async function watchTogether(relay: string, hold: PullHold): Promise<void> {
  const names = ["llama3.2", "library/llama3.2", "llama3.2:latest"];
  const streams = names.map((model) => watchPull(relay, model, { start: true }));
  const joined = streams.map(async (stream) => {
    const reader = stream.getReader();
    await reader.read();
    reader.releaseLock();
  });
  await Promise.all(joined);
  await streams.pop()!.cancel(); // the pull goes on without it
  hold.release();
  for (const stream of streams) {
    let phase;
    for await ({ phase } of stream);
    assertEquals(phase, "success");
  }
  const refused = await assertRejects(async () => {
    for await (const _ of watchPull(relay, "mistral", { start: true }));
  }, PullError);
  assertEquals(refused.status, 403);
  await assertRejects(() => cancelPull(relay, "llama3.2"), PullError, "403");
}
