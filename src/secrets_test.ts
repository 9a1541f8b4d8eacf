/**
 * Shows that what a caller has entrusted to the client, credentials in an address and headers, is in
 * nothing that may end up in a log: no error, none of the errors that led to it, and no property of
 * any of them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { PullError, type PullErrorCode } from "./errors.ts";
import { fetchManifest } from "./pull/manifest.ts";
import type { FetchManifestOptions } from "./pull/manifest_options.ts";
import { pull } from "./pull/pull.ts";
import type { PullOptions } from "./pull/options.ts";
import { lines, outcomeOf, rejectionOf, VirtualClock } from "./stream_test_helpers.ts";

const SECRET = "hunter2";
const BASE64_OF_SECRET = btoa(`:${SECRET}`).slice(4, -4);

const HEADERS = { Authorization: `Bearer ${SECRET}`, "X-Key": SECRET, Cookie: `a=${SECRET}` };

/** An address with all that people put into one. */
const address = (host: string) => `http://me:${SECRET}@${host}/ollama?key=${SECRET}#${SECRET}`;

/** All that can be read off an error: its own properties, hidden ones too, and those of its causes. */
function everythingIn(value: unknown, seen: Set<unknown> = new Set()): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (seen.has(value)) return "";
  seen.add(value);
  const inner = Reflect.ownKeys(value).map((key) => Reflect.get(value, key));
  return [String(value), ...inner.map((part) => everythingIn(part, seen))].join("\n");
}

function requireNoSecret(error: unknown, where: string): void {
  const text = everythingIn(error);
  for (const secret of [SECRET, BASE64_OF_SECRET]) {
    assert(!text.includes(secret), `${where}: ${text}`);
  }
}

/** An address at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const breaking = () =>
  new ReadableStream({
    pull() {
      throw new TypeError("reset");
    },
  });

/** One way for a pull to fail for each code that there is, and how it is brought about. */
const FAILURES: Readonly<Record<PullErrorCode, () => Promise<Response>>> = {
  "http": () => Promise.resolve(new Response("<html>", { status: 502 })),
  "server": () => Promise.resolve(new Response(lines({ error: "disk full" }))),
  "malformed": () => Promise.resolve(new Response("<html>\n")),
  "line-too-long": () => Promise.resolve(new Response("x".repeat(2_000_000))),
  "truncated": () => Promise.resolve(new Response('{"status":"pul')),
  "stalled": () => new Promise(() => {}),
  "network": () => Promise.resolve(new Response(breaking())),
};

const TOKEN = JSON.stringify({ token: SECRET });

/** Asks for a token, and then answers those who have one. */
const guarded = (answer: () => Response) => (url: string, init: RequestInit) => {
  if (url.includes("/token")) return Promise.resolve(new Response(TOKEN));
  const isKnown = new Headers(init.headers).get("authorization") === `Bearer ${SECRET}`;
  const headers = { "www-authenticate": `Bearer realm="https://localhost/token?key=${SECRET}"` };
  return Promise.resolve(isKnown ? answer() : new Response(null, { status: 401, headers }));
};

const redirectTo = (location: string) =>
  Promise.resolve(new Response(null, { status: 307, headers: { location } }));

/** Ways in which a manifest cannot be had, most of them after a token was fetched. */
const MANIFEST_FAILURES: Readonly<Record<string, NonNullable<FetchManifestOptions["fetch"]>>> = {
  "http": guarded(() => new Response(null, { status: 404 })),
  "malformed": guarded(() => new Response("<html>")),
  "too long": guarded(() => new Response("x".repeat(5_000_000))),
  "broken": guarded(() => new Response(breaking())),
  "stalled": () => new Promise(() => {}),
  "unreachable": (url) => Promise.reject(new TypeError(`Cannot fetch ${url}`)),
  "a token that is none": (url) =>
    url.includes("/token")
      ? Promise.resolve(new Response(JSON.stringify({ token: `${SECRET} ${SECRET}` })))
      : guarded(() => new Response())(url, {}),
  "a token server that is unreachable": (url) =>
    url.includes("/token")
      ? Promise.reject(new TypeError(`Cannot fetch ${url}`))
      : guarded(() => new Response())(url, {}),
  "a realm that may not be used": () => {
    const headers = { "www-authenticate": `Bearer realm="http://me:${SECRET}@a.test/?${SECRET}"` };
    return Promise.resolve(new Response(null, { status: 401, headers }));
  },
  "a redirect that may not be followed": () => redirectTo(`http://a.test/?key=${SECRET}`),
  "an unusable redirect": () => redirectTo(`https://me:${SECRET}@a.test/`),
  "redirects without end": (url) => redirectTo(`${url.split("?")[0]}?key=${SECRET}`),
};

describe("a secret", () => {
  for (const [code, fetch] of Object.entries(FAILURES)) {
    it(`is in no error ${code}, nor in what onRetry gets`, async () => {
      for (const headers of [HEADERS, {}]) {
        const clock = new VirtualClock();
        const told: unknown[] = [];
        const options: PullOptions = {
          ...clock,
          fetch,
          headers,
          host: address("localhost:11434"),
          stallTimeoutMs: 1000,
          retries: 2,
          onRetry: (error) => told.push(error),
        };
        const outcome = outcomeOf(pull("m", options));
        await clock.advance(60_000);
        const { failure } = await outcome;
        assertEquals((failure?.error as { code?: unknown }).code, code);
        for (const error of [...told, failure?.error]) requireNoSecret(error, code);
      }
    });
  }

  it("is in no error of the runtime's own fetch, which shows addresses", async () => {
    const told: unknown[] = [];
    const { failure } = await outcomeOf(pull("m", {
      host: address(`127.0.0.1:${await closedPort()}`),
      headers: HEADERS,
      retries: 1,
      sleep: () => Promise.resolve(),
      onRetry: (error) => told.push(error),
    }));
    assertEquals((failure?.error as { code?: unknown }).code, "network");
    for (const error of [...told, failure?.error]) requireNoSecret(error, "network");
  });

  it("is in no error about an option", () => {
    const unusable: PullOptions[] = [
      { host: `ftp://me:${SECRET}@localhost` },
      { host: `me:${SECRET}@localhost:port` },
      { host: `http://me:${SECRET}@local host` },
      { host: `http://me:${SECRET}@localhost:99999` },
      { headers: { Authorization: `Bearer ${SECRET}\n${SECRET}` } },
      { headers: { Authorization: `Bearer ${SECRET}\0` } },
      { headers: { Authorization: `Bearer ${SECRET}\u20ac` } },
      { headers: { [`X ${SECRET}`]: "a" } },
      { layers: [{ digest: "", size: 1 }], host: address("localhost") },
    ];
    for (const [index, options] of unusable.entries()) {
      let thrown: unknown;
      try {
        pull("m", options);
      } catch (error) {
        thrown = error;
      }
      assert(thrown instanceof TypeError, `options ${index} are taken`);
      requireNoSecret(thrown, `options ${index}`);
    }
  });

  for (const [failure, fetch] of Object.entries(MANIFEST_FAILURES)) {
    it(`is in no error of a manifest: ${failure}`, async () => {
      for (const headers of [HEADERS, {}]) {
        const clock = new VirtualClock();
        const registry = address("localhost:5000").replace("http:", "https:");
        const failed = rejectionOf(fetchManifest("m", { ...clock, fetch, headers, registry }));
        await clock.advance(60_000);
        const error = await failed;
        assert(error instanceof PullError, String(error));
        requireNoSecret(error, failure);
      }
    });
  }
});
