/**
 * Shows that the mock tells which blobs are there, as the real server does.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { A, B, beginPull, C, D, mockOfSmall, pullText } from "../test_helpers.ts";

async function head(server: ReturnType<typeof mockOfSmall>, digest: string) {
  const init = { method: "HEAD" };
  const { status, headers } = await server.fetch(`http://localhost/api/blobs/${digest}`, init);
  return [status, headers.get("Content-Length"), headers.get("Content-Type")];
}

const JSON_TYPE = "application/json; charset=utf-8";

describe("A blob", () => {
  it("is there once it was downloaded, and no longer once no model has it", async () => {
    const server = mockOfSmall();
    assertEquals(await head(server, A), [404, "102", JSON_TYPE]);
    await pullText(server);
    for (const digest of [A, B, C, A.replace(":", "-")]) {
      assertEquals(await head(server, digest), [200, null, null]);
    }
    assertEquals((await head(server, D))[0], 404);
    const body = JSON.stringify({ model: "small" });
    await server.fetch("http://localhost/api/delete", { method: "DELETE", body });
    assertEquals((await head(server, A))[0], 404);
  });

  it("is not there while a part of it is missing", async () => {
    const server = mockOfSmall();
    const reader = await beginPull(server, 3);
    await reader.cancel();
    assertEquals((await head(server, A))[0], 404);
    assertEquals((await head(server, B))[0], 404);
  });

  it("has a digest with 64 digits", async () => {
    const server = mockOfSmall();
    for (const digest of ["sha256:x", "x", `${A}0`, A.replace("sha256", "md5")]) {
      assertEquals(await head(server, digest), [400, "33", JSON_TYPE]);
    }
  });

  it("is not sent", async () => {
    const server = mockOfSmall();
    await pullText(server);
    const response = await server.fetch(`http://localhost/api/blobs/${A}`);
    assertEquals([response.status, response.headers.get("Allow")], [405, "HEAD, POST"]);
  });
});
