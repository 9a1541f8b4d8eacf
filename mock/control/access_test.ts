/**
 * Shows that only programs of the same machine can steer a mock.
 *
 * @module
 */

import { assertMatch, assertStrictEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { networkInterfaces } from "node:os";
import { describe, it } from "node:test";
import { createMockServer } from "../mod.ts";
import { isForControl, refusalOf } from "./access.ts";

const refuse = (url: string, headers: Record<string, string> = {}, peer?: string) =>
  refusalOf(new Request(url, { headers }), peer);

const OWN = "http://127.0.0.1:11434/__mock/setup";

describe("refusalOf", () => {
  it("lets programs of the same machine in", () => {
    for (const host of ["127.0.0.1:1", "[::1]:1", "localhost", "127.8.9.1", "mock.localhost:80"]) {
      for (const peer of [undefined, "127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
        assertStrictEquals(refuse(`http://${host}/__mock/setup`, {}, peer), undefined);
      }
    }
  });

  it("lets no other machine in", () => {
    for (
      const peer of ["192.168.0.7", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "1127.0.0.1", ""]
    ) {
      assertMatch(refuse(OWN, {}, peer) ?? "", /^it came from /);
    }
  });

  it("lets nobody in who calls it by a name that may lead to it from anywhere", () => {
    for (
      const host of ["evil.example", "192.168.0.7", "localhost.evil.example", "127.0.0.1.nip.io"]
    ) {
      assertMatch(refuse(`http://${host}:11434/__mock/setup`) ?? "", /^it was sent to /);
    }
  });

  it("lets no page of another origin in, whatever that is", () => {
    fc.assert(
      fc.property(fc.webUrl(), (url) => {
        const { origin } = new URL(url);
        assertMatch(refuse(OWN, { Origin: origin }) ?? "", /^it came from a page of /);
      }),
      { numRuns: 30 },
    );
    for (const origin of ["null", "http://127.0.0.1:3000", "http://localhost:11434", "file://"]) {
      assertStringIncludes(refuse(OWN, { Origin: origin }) ?? "", `a page of ${origin}`);
    }
    assertStrictEquals(refuse(OWN, { Origin: "http://127.0.0.1:11434" }), undefined);
  });

  it("lets no page in by a request that has no origin, such as one for a picture", () => {
    for (const site of ["cross-site", "same-site"]) {
      assertMatch(refuse(OWN, { "Sec-Fetch-Site": site }) ?? "", /^it came from a page: /);
    }
    for (const site of ["none", "same-origin"]) {
      assertStrictEquals(refuse(OWN, { "Sec-Fetch-Site": site }), undefined);
    }
  });

  it("lets nobody in through a proxy", () => {
    for (const name of ["Forwarded", "X-Forwarded-For", "Via"]) {
      assertStringIncludes(refuse(OWN, { [name]: "x" }) ?? "", `(header ${name})`);
    }
  });
});

describe("isForControl", () => {
  it("knows the paths below its own", () => {
    const isOf = (path: string) => isForControl(new URL(path, "http://localhost"));
    for (const path of ["/__mock", "/__mock/", "/__mock/setup?x=1"]) {
      assertStrictEquals(isOf(path), true);
    }
    for (const path of ["/", "/__mocks/setup", "/api/__mock/setup"]) {
      assertStrictEquals(isOf(path), false);
    }
  });
});

describe("A mock that listens to other machines", () => {
  /** An address of this machine that is not a loopback one, as other machines know it. */
  const address = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  const isDeno = "Deno" in globalThis;

  const ask = async (url: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { headers });
    await response.body?.cancel();
    return response.status;
  };

  it("is steered by programs of its own machine, and by no page", async () => {
    await using server = createMockServer({ control: true });
    const { url } = await server.listen({ hostname: "0.0.0.0" });
    const setup = `http://127.0.0.1:${new URL(url).port}/__mock/setup`;
    assertStrictEquals(await ask(setup), 200);
    assertStrictEquals(await ask(setup, { Origin: "http://a.example" }), 403);
  });

  it("lets them pull, and steers for none of them", {
    skip: (isDeno && "in Deno, tests may talk to loopback addresses alone") ||
      (address === undefined && "this machine has no other address"),
  }, async () => {
    await using server = createMockServer({ control: true });
    const { url } = await server.listen({ hostname: "0.0.0.0" });
    const { port } = new URL(url);
    assertStrictEquals(await ask(`http://${address}:${port}/api/version`), 200);
    assertStrictEquals(await ask(`http://${address}:${port}/__mock/setup`), 403);
  });

  it("has no control interface unless asked", async () => {
    const server = createMockServer();
    assertStrictEquals((await server.fetch("http://localhost/__mock/setup")).status, 404);
  });
});
