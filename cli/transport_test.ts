/**
 * Shows that the command waits for silent servers, and reaches this machine directly.
 *
 * @module
 */

import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { PullError, pullModel, type PullRequestInit } from "../mod.ts";
import { PULL_LINES, sendLines, serve, withServer } from "./test_helpers.ts";
import { goAroundProxy, requestByNode } from "./transport.ts";

const init = (more: Partial<PullRequestInit> = {}): PullRequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", "x-a": "b" },
  body: '{"a":"ü"}',
  signal: new AbortController().signal,
  redirect: "manual",
  ...more,
});

describe("requestByNode", () => {
  it("makes the request, and gives status, headers and body as they come", async () => {
    let arrived: unknown[] = [];
    await withServer((response, request) => {
      const { method, url, headers } = request;
      arrived = [method, url, headers["content-type"], headers["x-a"], headers["content-length"]];
      response.writeHead(404, "Not Here", [["X-C", "1"], ["X-C", "2"], ["X-D", "3"]].flat());
      response.write("so ");
      response.end("what");
    }, async ({ url, bodies }) => {
      const response = await requestByNode(`${url}/api/pull?x=1`, init());
      assertEquals(arrived, ["POST", "/api/pull?x=1", "application/json", "b", "10"]);
      assertEquals(bodies, [{ a: "ü" }]);
      assertEquals([response.status, response.statusText], [404, "Not Here"]);
      assertEquals([response.headers.get("x-c"), response.headers.get("x-d")], ["1, 2", "3"]);
      assertEquals(await response.text(), "so what");
    });
  });

  it("follows no redirect, and knows answers without a body", async () => {
    for (const status of [302, 204, 304]) {
      await withServer((response) => {
        response.writeHead(status, { location: "/elsewhere" }).end();
      }, async ({ url }) => {
        const response = await requestByNode(url, init());
        assertEquals([response.status, await response.text()], [status, ""]);
        assertEquals(response.headers.get("location"), "/elsewhere");
      });
    }
  });

  it("ends with the reason of the signal, before the answer and after it", async () => {
    for (const answer of ["none", "a start"]) {
      const left = new AbortController();
      let noteClosed = () => {};
      const closed = new Promise<void>((resolve) => noteClosed = resolve);
      await withServer((response) => {
        response.on("close", noteClosed);
        if (answer !== "none") response.write(PULL_LINES[0]);
        setImmediate(() => left.abort("enough"));
      }, async ({ url }) => {
        const pulling = pullModel("a", { host: url, fetch: requestByNode, signal: left.signal });
        assertEquals(await pulling.catch((reason) => reason), "enough");
        await closed;
      });
    }
  });

  it("is a transport for a pull", async () => {
    await withServer(sendLines(PULL_LINES), async ({ url }) => {
      const phases: string[] = [];
      await pullModel("a", {
        host: url,
        fetch: requestByNode,
        onProgress: ({ phase }) => phases.push(phase),
      });
      assertEquals(phases.at(-1), "success");
    });
  });

  it("fails as `fetch` does where nobody listens, and where a connection breaks", async () => {
    const gone = await serve(() => {});
    await gone.close();
    const error = await assertRejects(
      () => pullModel("a", { host: gone.url, fetch: requestByNode }),
      PullError,
    );
    assertEquals([error.code, error.reason], ["network", "refused"]);
    await withServer((response) => {
      response.write(PULL_LINES[0], () => response.destroy());
    }, async ({ url }) => {
      const error = await assertRejects(
        () => pullModel("a", { host: url, fetch: requestByNode }),
        PullError,
        "The connection broke",
      );
      assertEquals([error.code, error.retryable], ["network", true]);
    });
  });
});

describe("goAroundProxy", () => {
  it("adds this machine to the hosts without a proxy, once, and no other", () => {
    const env: Record<string, string | undefined> = { NO_PROXY: "a.test" };
    for (
      const url of ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://[::1]", "http://b.test"]
    ) {
      goAroundProxy(new URL(url), env);
    }
    assertEquals(env, { NO_PROXY: "a.test,127.0.0.1,[::1]", no_proxy: "127.0.0.1,[::1]" });
  });
});
