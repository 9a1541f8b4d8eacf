/**
 * A reverse proxy as a process of this machine: on a free port of the loopback interface, with all its files
 * in a folder of its own.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { tools } from "../tools.ts";
import { type Place, type Proxy, withAddresses } from "./proxies.ts";

/** A proxy that runs. */
export interface RunningProxy {
  /** Its address. */
  readonly url: string;
  /** Ends it, and removes its files. */
  readonly close: () => Promise<void>;
}

/** How long it may take until it listens, and until it has ended. */
const START_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 3_000;

/** How often to look whether it listens. */
const POLL_MS = 50;

/** How much of what it has printed is shown when it does not start. */
const SHOWN_CHARACTERS = 2_000;

/**
 * Starts a proxy in front of a server.
 *
 * @param proxy The proxy.
 * @param source The path of its configuration, whose addresses are replaced and nothing else.
 * @param upstreamPort The port of the server.
 */
export async function startProxy(
  proxy: Proxy,
  source: string,
  upstreamPort: number,
): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), "proxy-"));
  await chmod(folder, 0o755); // what is started as root goes on as a user that has less
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const configuration = join(folder, basename(source));
    const place: Place = { port: await findPort(), upstreamPort, folder, configuration };
    const child = spawn(
      tools[proxy.tool].program,
      [...proxy.args(await writeFiles(proxy, source, place), place)],
      { cwd: folder, env: environmentIn(folder), stdio: ["ignore", "pipe", "pipe"] },
    );
    const close = async () => {
      await end(child);
      await removeFolder();
    };
    await isListening(child, place.port).catch(async (error) => {
      await close();
      throw error;
    });
    return { url: `http://127.0.0.1:${place.port}`, close };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

/** What a proxy gets of the environment: its home is its folder. */
function environmentIn(folder: string): Record<string, string> {
  const { PATH = "" } = process.env;
  return { PATH, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
}

/** Writes the configuration, and the main file around it. Returns the path of the main file. */
async function writeFiles(proxy: Proxy, source: string, place: Place): Promise<string> {
  const text = await readFile(source, "utf8");
  await writeFile(place.configuration, withAddresses(text, proxy.addresses(place)));
  if (!proxy.frame) return place.configuration;
  const mainFile = join(place.folder, "main");
  await writeFile(mainFile, proxy.frame(place));
  return mainFile;
}

/** A port that is free, since a proxy does not tell which one it was given. */
function findPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Waits until a proxy listens on its port. */
async function isListening(child: ChildProcess, port: number): Promise<void> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      if (output.length < SHOWN_CHARACTERS * 10) output += text;
    });
  }
  let problem = "";
  child.once("error", (error) => problem = `cannot be run (${error.message})`);
  child.once("exit", (code, signal) => problem = `has ended (${code ?? signal})`);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!await canConnect(port)) {
    if (performance.now() > deadline) problem = "does not listen";
    if (problem !== "") {
      throw new Error(`The proxy ${problem}: ${output.slice(-SHOWN_CHARACTERS)}`);
    }
    await sleep(POLL_MS);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (can: boolean) => {
      socket.destroy();
      resolve(can);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** Ends a process, by force where it does not heed the request. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    // Deno does not send a second signal by `kill` of the child.
    const timer = setTimeout(() => process.kill(child.pid!, "SIGKILL"), END_TIMEOUT_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
