/**
 * A registry of npm on loopback, for packages of this scope alone: as a release publishes there, and as
 * users install from there. It is Verdaccio. All other packages come from where npm has them from anyway.
 *
 *     npm publish ──▶ registry ──▶ npm install, npx, bun add
 *
 * @module
 */

import { TextLineStream } from "@std/streams";
import { join } from "node:path";
import { readDenoConfig } from "../project.ts";
import { Consumer } from "./consumer.ts";

/** The newest Verdaccio that runs in Node 20. */
const VERDACCIO = "verdaccio@6.8.0";

/** What Verdaccio asks for is broken in the newest version of one of its packages. */
const OVERRIDES = { "node-fetch": "2.7.0" };

const [SCOPE] = (await readDenoConfig()).name.split("/");

/** Serves packages of the scope to anybody, and takes them from whoever is logged in. */
const SERVE = `
const { runServer } = require("verdaccio");
const folder = __dirname;
runServer({
  self_path: folder,
  configPath: folder + "/config.yaml",
  storage: folder + "/storage",
  auth: { htpasswd: { file: folder + "/htpasswd" } },
  packages: { "${SCOPE}/*": { access: "$all", publish: "$authenticated" } },
  web: { enable: false },
  log: { type: "file", path: folder + "/log", level: "warn" },
}).then((server) =>
  server.listen(0, "127.0.0.1", () => console.log(server.address().port))
);
`;

/** A registry. */
export interface NpmRegistry {
  /** The address. */
  readonly url: string;
  /** The `.npmrc` of a user. */
  readonly userConfig: string;
  /** The `.npmrc` of somebody who may publish. */
  readonly publisherConfig: string;
  /** Ends it, and removes what it holds. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes a publisher known to a registry, and returns its token. */
async function register(url: string): Promise<string> {
  const response = await fetch(`${url}-/user/org.couchdb.user:publisher`, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: "publisher", password: crypto.randomUUID() }),
  });
  const { token, error } = await response.json();
  if (!token) throw new Error(`Cannot register at ${url}: ${error}`);
  return token;
}

/** Starts a registry without packages. */
export async function startNpmRegistry(): Promise<NpmRegistry> {
  const home = await Consumer.create();
  await home.write({
    "package.json": { private: true, overrides: OVERRIDES },
    "serve.cjs": SERVE,
  });
  const options = ["--no-audit", "--no-fund", "--loglevel=error"];
  await home.outputOf(["npm", "install", ...options, VERDACCIO]);
  const args = [join(home.folder, "serve.cjs")];
  const server = new Deno.Command("node", { args, stdin: "null", stdout: "piped" }).spawn();
  const lines = server.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  const port = Number((await lines.read()).value);
  const url = `http://127.0.0.1:${port}/`;
  const userConfig = `${SCOPE}:registry=${url}\n`;
  return {
    url,
    userConfig,
    publisherConfig: `${userConfig}//127.0.0.1:${port}/:_authToken=${await register(url)}\n`,
    async [Symbol.asyncDispose]() {
      server.kill();
      await lines.cancel();
      await server.status;
      await home[Symbol.asyncDispose]();
    },
  };
}
