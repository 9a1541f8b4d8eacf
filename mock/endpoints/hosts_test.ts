/**
 * Shows for which addresses a mock answers in process.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { ConfigurationError } from "../configuration_error.ts";
import { createMockServer } from "../server.ts";
import { Hosts } from "./hosts.ts";

const has = (name: string, url: string) => new Hosts([name]).has(new URL(url));

describe("The hosts of a mock", () => {
  it("are all by default", () => {
    fc.assert(fc.property(fc.webUrl(), (url) => new Hosts(undefined).has(new URL(url))));
  });

  it("have any port without one, and that one with it", () => {
    const ports = fc.integer({ min: 1, max: 65_535 });
    fc.assert(fc.property(fc.domain(), ports, ports, (domain, port, other) => {
      assertStrictEquals(has(domain, `http://${domain}:${port}/api/pull`), true);
      assertStrictEquals(has(`${domain}:${port}`, `http://${domain}:${port}/`), true);
      assertStrictEquals(has(`${domain}:${port}`, `http://${domain}:${other}/`), port === other);
      assertStrictEquals(has(`x.${domain}`, `http://${domain}/`), false);
    }));
  });

  it("may be IP addresses, in any case, at the port of the scheme", () => {
    assertEquals(has("[::1]:11434", "http://[0:0:0:0:0:0:0:1]:11434"), true);
    assertEquals(has("127.0.0.1", "http://127.0.0.1:1"), true);
    assertEquals(has("Ollama.Test:80", "http://OLLAMA.test/"), true);
    assertEquals(has("ollama.test:443", "https://ollama.test/"), true);
    assertEquals(has("ollama.test:80", "https://ollama.test/"), false);
  });

  it("are rejected if they are invalid", () => {
    const wrong = ["", "http://localhost", "localhost/api", "a b", "a:b", "a:99999", "u@a", "::1"];
    for (const name of wrong) {
      assertThrows(
        () => createMockServer({ hosts: [name] }),
        ConfigurationError,
        `Cannot use the host ${JSON.stringify(name)} in hosts: it must be a host with or without`,
      );
    }
    assertThrows(() => createMockServer({ hosts: [] }), ConfigurationError, "name at least one");
  });
});

describe("A mock with hosts", () => {
  it("answers for them alone, and says so", async () => {
    const server = createMockServer({ hosts: ["ollama.test", "localhost:11434"] });
    assertEquals((await server.fetch("http://ollama.test:1/api/version")).status, 200);
    await assertRejects(
      () => server.fetch("http://localhost:8000/api/version?token=x"),
      TypeError,
      "Cannot fetch http://localhost:8000: the mock answers only for ollama.test, localhost:11434, as " +
        "its option `hosts` says; add the address there, or give the mock a `fallback`",
    );
    assertEquals(server.requests.length, 1);
  });

  it("hands on what is for others, even at a path of its own", async () => {
    const server = createMockServer({
      hosts: ["ollama.test"],
      fallback: ({ url }) => new Response(`not for ${url}`),
    });
    const response = await server.fetch("https://example.com/api/version");
    assertEquals(await response.text(), "not for https://example.com/api/version");
    assertEquals(server.requests.map(({ path, outcome }) => [path, outcome]), [
      ["/api/version", "finished"],
    ]);
    assertEquals((await server.fetch("http://ollama.test/api/version")).status, 200);
  });

  it("answers at any address when it listens", async () => {
    await using server = createMockServer({ hosts: ["ollama.test"] });
    const { url } = await server.listen();
    assertEquals(await (await fetch(url)).text(), "Ollama is running");
  });
});
