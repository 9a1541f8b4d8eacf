/**
 * Shows that an endpoint that the mock lacks is told from a path that leads nowhere.
 *
 * @module
 */

import { assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "node:test";
import { mockOfSmall } from "../test_helpers.ts";

/** Endpoints that Ollama has and the mock has not. */
const MISSING = {
  POST: [
    "/api/chat",
    "/api/generate",
    "/api/embed",
    "/api/embeddings",
    "/api/blobs/sha256:a",
    "/api/me",
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
  ],
  GET: ["/api/status"],
  DELETE: ["/api/user/keys/abc"],
} as const;

async function answer(method: string, path: string) {
  const response = await mockOfSmall().fetch(`http://localhost${path}`, { method });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("An endpoint that Ollama has and the mock has not", () => {
  it("is named, with what adds it", async () => {
    for (const [method, paths] of Object.entries(MISSING)) {
      for (const path of paths) {
        const { status, headers, text } = await answer(method, path);
        assertStrictEquals(status, 501, path);
        assertStrictEquals(headers.get("Content-Type"), "application/json; charset=utf-8");
        const { error } = JSON.parse(text);
        assertStringIncludes(
          error,
          `The mock has no ${method} ${path}: to add it, give the mock a`,
        );
        assertStringIncludes(error, "createMockServer({ fallback })");
      }
    }
  });

  it("refuses other methods as the real server does", async () => {
    for (const [path, allowed] of [["/api/chat", "POST"], ["/api/blobs/a", "HEAD, POST"]]) {
      const { status, headers, text } = await answer("GET", path!);
      assertEquals([status, text], [405, "405 method not allowed"]);
      assertStrictEquals(headers.get("Allow"), allowed);
    }
  });

  it("is elsewhere where there is a slash too many", async () => {
    const { status, headers } = await answer("POST", "/api/chat/");
    assertEquals([status, headers.get("Location")], [307, "/api/chat"]);
  });
});

describe("A path that is like one of an endpoint", () => {
  it("leads nowhere", async () => {
    for (
      const path of [
        "/api/chats",
        "/api/blobs/",
        "/api/blobs/a/b",
        "/v1",
        "/api/chat%2f..",
        "/v1/models/a%2fb",
        "/%",
      ]
    ) {
      assertEquals((await answer("POST", path)).status, 404, path);
    }
  });
});
