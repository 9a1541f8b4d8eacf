import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { outcomeOf, pullErrorOf } from "../stream_test_helpers.ts";
import type { PullOptions, PullRequestInit } from "./options.ts";
import { pull } from "./pull.ts";
import { DONE } from "./test_helpers.ts";

const HOST = "http://a.test:1";

/** Servers by address, each of which redirects or pulls; and what they were asked. */
function serversOf(routes: Record<string, [status: number, location: string] | "pull">) {
  const asked: { url: string; init: PullRequestInit }[] = [];
  const fetch = (url: string, init: PullRequestInit) => {
    asked.push({ url, init });
    const route = routes[url];
    if (route === undefined) throw new Error(`Nobody is at ${url}`);
    if (route === "pull") return new Response(DONE);
    const [status, location] = route;
    return new Response("moved", { status, headers: { Location: location } });
  };
  return { asked, fetch };
}

const failureOf = (routes: Parameters<typeof serversOf>[0], options: PullOptions = {}) =>
  pullErrorOf(pull("m", { host: HOST, fetch: serversOf(routes).fetch, ...options }));

describe("a redirect", () => {
  it("is followed with the same request, if that stays a POST", async () => {
    for (const status of [307, 308]) {
      const { asked, fetch } = serversOf({
        [`${HOST}/api/pull`]: [status, "/b/api/pull"],
        [`${HOST}/b/api/pull`]: [status, "https://c.test/api/pull"],
        "https://c.test/api/pull": "pull",
      });
      const { values } = await outcomeOf(pull("m", { host: HOST, fetch }));
      assertEquals(values.at(-1)?.phase, "success");
      assertEquals(asked.length, 3);
      for (const { init } of asked) {
        assertEquals([init.method, init.redirect], ["POST", "manual"]);
        assertEquals(init.body, asked[0]!.init.body);
      }
    }
  });

  it("sends the caller's headers until a redirect leaves the origin, and never after that", async () => {
    const { asked, fetch } = serversOf({
      [`${HOST}/api/pull`]: [307, "/b"],
      [`${HOST}/b`]: [307, "https://a.test:1/c"],
      "https://a.test:1/c": [307, `${HOST}/d`],
      [`${HOST}/d`]: "pull",
    });
    const headers = { Cookie: "secret", "X-Key": "secret" };
    const host = HOST.replace("//", "//user:secret@");
    await outcomeOf(pull("m", { host, headers, fetch }));
    const names = asked.map(({ init }) => Object.keys(init.headers).sort());
    const own = ["accept", "authorization", "content-type", "cookie", "x-key"];
    assertEquals(names, [own, own, ["accept", "content-type"], ["accept", "content-type"]]);
  });

  it("that would turn the pull into a GET is not followed: the error names the new address", async () => {
    for (const status of [301, 302, 303]) {
      const error = await failureOf({
        [`${HOST}/api/pull`]: [status, "https://user:secret@c.test/api/pull?key=secret"],
      }, { retries: 5 });
      assertEquals([error.code, error.status, error.reason], ["http", status, "redirected"]);
      assertEquals(
        error.message,
        `HTTP ${status}: ${HOST}/api/pull redirects to https://***@c.test/api/pull, where a POST would ` +
          "arrive as a GET: give https://***@c.test as the host",
      );
    }
  });

  it("to nowhere, or in a circle, fails", async () => {
    const wheres: [location: string, message: RegExp][] = [
      ["http://[", /redirects to an address that cannot be read$/],
      ["ftp://c.test/", /redirects to .*, which is not an address of HTTP$/],
      [`${HOST}/api/pull`, /after 10 redirects before it$/],
    ];
    for (const [location, message] of wheres) {
      const error = await failureOf({ [`${HOST}/api/pull`]: [307, location] });
      assertEquals([error.reason, error.retryable], ["redirected", false]);
      assertMatch(error.message, message);
    }
  });

  it("without an address is an answer like any other", async () => {
    const fetch = () => new Response(null, { status: 304 });
    const error = await pullErrorOf(pull("m", { host: HOST, fetch }));
    assertEquals([error.code, error.status], ["http", 304]);
  });
});

describe("a redirect in a browser, which does not say where to", () => {
  const opaque = () => Object.defineProperty(Response.error(), "type", { value: "opaqueredirect" });

  it("is left to the browser if the request has nothing secret", async () => {
    const redirects: string[] = [];
    const fetch = (_: string, { redirect }: PullRequestInit) => {
      redirects.push(redirect);
      return redirect === "manual" ? opaque() : new Response(DONE);
    };
    const { values } = await outcomeOf(pull("m", { host: HOST, fetch }));
    assertEquals(values.at(-1)?.phase, "success");
    assertEquals(redirects, ["manual", "follow"]);
  });

  it("is not followed with headers of the caller", async () => {
    let requests = 0;
    const fetch = () => (requests++, opaque());
    const error = await pullErrorOf(
      pull("m", { host: HOST, fetch, headers: { "X-Key": "secret" } }),
    );
    assertEquals([error.reason, error.retryable, requests], ["redirected", false, 1]);
    assert(!error.message.includes("secret"));
  });
});
