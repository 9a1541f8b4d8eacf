/**
 * Shows that models are listed as clients of OpenAI's API expect it, as the real server does.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import { mockOfSmall, pullText } from "../test_helpers.ts";

async function get(server: ReturnType<typeof mockOfSmall>, path: string, method = "GET") {
  const response = await server.fetch(new URL(path, "http://localhost"), { method });
  return [response.status, await response.text()];
}

/** A mock that has pulled two models, the second one after more than a second. */
async function mockOfTwo() {
  const server = mockOfSmall();
  server.registry.publish({ name: "space/other:1b", layers: [{ size: 200_000_000 }] });
  await pullText(server);
  await pullText(server, "space/other:1b");
  return server;
}

const SMALL = '{"id":"small:latest","object":"model","created":1746405464,"owned_by":"library"}';
const OTHER = '{"id":"space/other:1b","object":"model","created":1746405466,"owned_by":"space"}';

describe("The models of /v1/models", () => {
  it("are those that were pulled, the latest first", async () => {
    const server = await mockOfTwo();
    const list = `{"object":"list","data":[${OTHER},${SMALL}]}\n`;
    assertEquals(await get(server, "/v1/models"), [200, list]);
    const { headers } = await server.fetch("http://localhost/v1/models");
    assertStrictEquals(headers.get("Content-Type"), "application/json");
  });

  it("are null if there are none", async () => {
    assertEquals(await get(mockOfSmall(), "/v1/models"), [200, '{"object":"list","data":null}\n']);
  });

  it("have the name by which they were asked for when one is asked for", async () => {
    const server = await mockOfTwo();
    assertEquals(await get(server, "/v1/models/small:latest"), [200, `${SMALL}\n`]);
    assertEquals(await get(server, "/v1/models/SMALL"), [
      200,
      `${SMALL.replace("small:latest", "SMALL")}\n`,
    ]);
  });

  it("are not found, or invalid, in the words of OpenAI's API", async () => {
    const server = mockOfSmall();
    assertEquals(await get(server, "/v1/models/small"), [
      404,
      `{"error":{"message":"model 'small:latest' not found","type":"not_found_error","param":null,"code":null}}\n`,
    ]);
    assertEquals(await get(server, "/v1/models/a%20b"), [
      400,
      '{"error":{"message":"invalid model name","type":"invalid_request_error","param":null,"code":null}}\n',
    ]);
  });

  it("cannot be requested with a slash in the name, encoded or not, or with another method", async () => {
    const server = await mockOfTwo();
    const notFound = [404, "404 page not found"];
    assertEquals(await get(server, "/v1/models/space/other:1b"), notFound);
    assertEquals(await get(server, "/v1/models/space%2Fother:1b"), notFound);
    assertEquals(await get(server, "/v1/models/small", "DELETE"), [405, "405 method not allowed"]);
    assertEquals(await get(server, "/v1/models/small", "HEAD"), [405, ""]);
    assertEquals(await get(server, "/v1/models", "HEAD"), [405, ""]);
  });
});
