/**
 * The reverse proxies: where the addresses are in their configurations, and how to start them as processes
 * of this machine, with nothing outside a folder of their own.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { ToolName } from "../tools.ts";

/** Where a proxy listens, whom it asks, and the folder with its files. */
export interface Place {
  /** The port that it listens on. */
  readonly port: number;
  /** The port of the server behind it. */
  readonly upstreamPort: number;
  /** Its folder. */
  readonly folder: string;
  /** The path of its configuration, with the addresses put in. */
  readonly configuration: string;
}

/** A reverse proxy. */
export interface Proxy {
  /** Its name. */
  readonly name: string;
  /** The program. */
  readonly tool: ToolName;
  /** The file in `conformance/proxies/` that people copy. */
  readonly file: string;
  /** What a configuration has in place of the addresses of a test: all of it, and no more, is replaced. */
  readonly addresses: (place: Place) => Readonly<Record<string, string>>;
  /** The main file around the configuration, where that is not all that the proxy reads. */
  readonly frame?: (place: Place) => string;
  /** The arguments that start it in the foreground with its main file. */
  readonly args: (mainFile: string, place: Place) => readonly string[];
}

/** The proxy that is run together with the implementations. */
export const nginx: Proxy = {
  name: "nginx",
  tool: "nginx",
  file: "nginx.conf",
  addresses: ({ port, upstreamPort }) => ({
    "listen 80;": `listen 127.0.0.1:${port};`,
    "//127.0.0.1:11434;": `//127.0.0.1:${upstreamPort};`,
  }),
  frame: ({ folder, configuration }) => `
daemon off;
pid ${folder}/pid;
error_log stderr;
${isRoot ? "user root;" : ""}
events {}
http {
    access_log off;
    ${temporaryPaths(folder)}
    include ${configuration};
}
`,
  args: (mainFile) => ["-c", mainFile],
};

/** The folders that nginx wants to write to, whatever is sent. */
function temporaryPaths(folder: string): string {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(" ");
}

const isRoot = process.getuid?.() === 0;

const haproxy: Proxy = {
  name: "HAProxy",
  tool: "haproxy",
  file: "haproxy.cfg",
  addresses: ({ port, upstreamPort }) => ({
    "bind *:80\n": `bind 127.0.0.1:${port}\n`,
    " 127.0.0.1:11434": ` 127.0.0.1:${upstreamPort}`,
  }),
  args: (mainFile) => ["-db", "-f", mainFile],
};

const caddy: Proxy = {
  name: "Caddy",
  tool: "caddy",
  file: "Caddyfile",
  addresses: ({ port, upstreamPort }) => ({
    "\n:80": `\n:${port}`,
    "127.0.0.1:11434": `127.0.0.1:${upstreamPort}`,
  }),
  frame: ({ configuration }) => `
{
	admin off
	default_bind 127.0.0.1
}
import ${configuration}
`,
  args: (mainFile) => ["run", "--config", mainFile, "--adapter", "caddyfile"],
};

/** The modules that Apache needs, of which Debian has these turned on, and people turn on the last two. */
const APACHE_MODULES = ["mpm_event", "authz_core", "proxy", "proxy_http"];

const apache: Proxy = {
  name: "Apache",
  tool: "apache",
  file: "apache.conf",
  addresses: ({ port, upstreamPort }) => ({
    "<VirtualHost *:80>": `<VirtualHost *:${port}>`,
    "127.0.0.1:11434": `127.0.0.1:${upstreamPort}`,
  }),
  frame: ({ folder, port, configuration }) => `
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
ServerName localhost
Listen 127.0.0.1:${port}
${APACHE_MODULES.map((name) => `LoadModule ${name}_module ${modulePath(name)}`).join("\n")}
User nobody
Group nogroup
Include ${configuration}
`,
  args: (mainFile) => ["-DFOREGROUND", "-f", mainFile],
};

/** Where Debian has a module of Apache. */
function modulePath(name: string): string {
  return `/usr/lib/apache2/modules/mod_${name}.so`;
}

const varnish: Proxy = {
  name: "Varnish",
  tool: "varnish",
  file: "varnish.vcl",
  addresses: ({ upstreamPort }) => ({
    '.port = "11434"': `.port = "${upstreamPort}"`,
  }),
  args: (mainFile, { port, folder }) => [
    ...["-F", "-a", `127.0.0.1:${port}`, "-f", mainFile],
    ...["-n", join(folder, "work"), "-s", "malloc,16m"],
  ],
};

/** All of them. */
export const proxies: readonly Proxy[] = [nginx, haproxy, caddy, apache, varnish];

/** The path of a configuration that people copy. */
export function copiedPath({ file }: Proxy): string {
  return fileURLToPath(new URL(`../../../proxies/${file}`, import.meta.url));
}

/** The path of a configuration that a proxy's documentation starts from. */
export function defaultPath(file: string): string {
  return fileURLToPath(new URL(`defaults/${file}`, import.meta.url));
}

/**
 * A configuration with the addresses of a test.
 *
 * @throws If it lacks one of the addresses that are to be replaced, or has it more than once.
 */
export function withAddresses(text: string, addresses: Readonly<Record<string, string>>): string {
  return Object.entries(addresses).reduce((text, [from, to]) => {
    const parts = text.split(from);
    if (parts.length === 1) {
      throw new Error(`The configuration has no ${JSON.stringify(from)} to be replaced`);
    }
    return parts.join(to);
  }, text);
}
