import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import { PullError } from "../errors.ts";
import { rejectionOf, TestSource, utf8, watchedSignal } from "../stream_test_helpers.ts";
import { cancelPull } from "./cancel_pull.ts";

const RELAY = "https://relay.test/api";

describe("cancelling a pull of a relay", () => {
  it("tells whether there was one", async () => {
    const requests: string[] = [];
    const answers = [
      new Response(null, { status: 204 }),
      Response.json({ error: "Nobody pulls a/b", code: "unknown-pull" }, { status: 404 }),
    ];
    const fetch = (url: string, { method }: RequestInit) => {
      requests.push(`${method} ${url}`);
      return answers.shift()!;
    };
    assertEquals(await cancelPull(RELAY, "a/b", { fetch }), true);
    assertEquals(await cancelPull(RELAY, "a/b", { fetch }), false);
    const request = `DELETE ${RELAY}/pulls/a%2Fb`;
    assertEquals(requests, [request, request]);
  });

  it("does not read the rest of the answer", async () => {
    const { stream, cancels } = new TestSource(utf8("{}"));
    await cancelPull(RELAY, "m", { fetch: () => new Response(stream) });
    assertEquals(cancels.length, 1);
  });

  it("fails where the relay refuses, or is none", async () => {
    for (const [status, reason] of [[403, "forbidden"], [404, "wrong-address"]] as const) {
      const fetch = () => new Response("<h1>No</h1>", { status });
      const error = await assertRejects(() => cancelPull(RELAY, "m", { fetch }), PullError);
      assertEquals([error.code, error.reason], ["http", reason]);
    }
  });

  it("ends when its signal aborts, and keeps no listener", async () => {
    const { controller, signal, listeners } = watchedSignal();
    const fetch = () => new Promise<Response>(() => {});
    const failure = rejectionOf(cancelPull(RELAY, "m", { fetch, signal }));
    controller.abort("enough");
    assertStrictEquals(await failure, "enough");
    assertStrictEquals(await rejectionOf(cancelPull(RELAY, "m", { fetch, signal })), "enough");
    assertEquals(listeners.size, 0);
  });
});
