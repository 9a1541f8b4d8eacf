import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { type DialectName, dialects } from "../../src/dialects.ts";
import { shortName } from "../models/model_name.ts";
import type { MockServer } from "../options.ts";
import { createMockServer } from "../server.ts";
import { mockOfSmall, post, pullText, SMALL } from "../test_helpers.ts";
import { readName } from "./requested_name.ts";

/** The name that a server of a dialect reads, or why it does not. */
function read(text: string, dialect: DialectName): string {
  const name = readName(text, dialects[dialect]);
  return typeof name === "string" ? name : shortName(name);
}

const WITH_SOURCE = ["spec", "v0.5", "tensor", "v0.33"] as const;
const PLAIN = ["v0.1.0", "v0.1", "client2"] as const;

const space = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\v", "\u00a0"), maxLength: 3 });
const word = fc.stringMatching(/^[a-z0-9][a-z0-9.]{0,8}$/)
  .filter((text) => text !== "cloud" && text !== "local");

/** A source in any mix of capitals and small letters. */
const sourceOf = (source: string) =>
  fc.mixedCase(fc.constant(source)).filter((text) => text.toLowerCase() === source);

describe("The name in a request", () => {
  it("may end in where the model runs, and have white space around it", () => {
    fc.assert(
      fc.property(
        fc.record({ word, tag: word, before: space, after: space, cloud: sourceOf("cloud") }),
        sourceOf("local"),
        fc.constantFrom(...WITH_SOURCE),
        ({ word, tag, before, after, cloud }, local, dialect) => {
          const readAround = (text: string) => read(`${before}${text}${after}`, dialect);
          assertEquals(readAround(`${word}:${cloud}`), `${word}:cloud`);
          assertEquals(readAround(`${word}:${tag}:${cloud}`), `${word}:${tag}-cloud`);
          assertEquals(readAround(`${word}:${tag}-${cloud}`), `${word}:${tag}-cloud`);
          assertEquals(readAround(`${word}:${local}`), `${word}:latest`);
          assertEquals(readAround(`${word}:${tag}:${local}`), `${word}:${tag}`);
        },
      ),
    );
  });

  it("cannot say twice where the model runs", () => {
    for (const text of ["x:local:cloud", "x:cloud:local", "x:cloud:cloud", "x:1b-cloud:LOCAL"]) {
      for (const dialect of WITH_SOURCE) assertEquals(read(text, dialect), "conflicting", text);
    }
  });

  it("is as it is to servers that do not know where models run", () => {
    for (const dialect of PLAIN) {
      assertEquals(read("x:local", dialect), "x:local");
      for (const text of ["x:1b:cloud", "x:local:cloud", " x", "x\n", " "]) {
        assertEquals(read(text, dialect), "invalid", text);
      }
    }
  });

  it("is told from none at all", () => {
    assertEquals(WITH_SOURCE.map((dialect) => read(" \n", dialect)), Array(4).fill("missing"));
    assertEquals(PLAIN.map((dialect) => read("", dialect)), Array(3).fill("missing"));
  });
});

describe("A model that runs in a cloud", () => {
  const mockOfCloud = () =>
    createMockServer({
      models: [{ ...SMALL, name: "gpt-oss:20b-cloud" }, { ...SMALL, name: "gpt-oss:cloud" }],
      dialect: "v0.33",
    });

  it("is pulled, shown, copied and deleted by each of its names", async () => {
    for (const model of [" gpt-oss:20b:cloud\n", "gpt-oss:20b-CLOUD", "gpt-oss:Cloud"]) {
      const server = mockOfCloud();
      assertEquals(await statusOf(server, "/api/pull", { model, stream: false }), 200);
      assertEquals(await statusOf(server, "/api/show", { model }), 200);
      const creation = { model: "copy", from: model, stream: false };
      assertEquals(await statusOf(server, "/api/create", creation), 200);
      assertEquals(await statusOf(server, "/api/delete", { model }, "DELETE"), 200);
      assertEquals(await statusOf(server, "/api/show", { model }), 404);
    }
  });

  it("is told from one of this machine", async () => {
    assertStrictEquals(
      await pullText(mockOfCloud(), "gpt-oss:20b:local"),
      '{"status":"pulling manifest"}\n{"error":"pull model manifest: file does not exist"}\n',
    );
  });
});

describe("A request with a name that cannot be used", () => {
  it("is refused in the words of its endpoint", async () => {
    const twice = 'use either :local or :cloud, not both: "x:local:cloud"';
    const words = [
      ["/api/pull", "POST", twice, "invalid model name", "invalid model name"],
      ["/api/show", "POST", twice, "model is required", "invalid model name"],
      ["/api/delete", "DELETE", twice, "model is required", 'name "a\\u0085b\\x01" is invalid'],
    ] as const;
    for (const [path, method, ...errors] of words) {
      for (const [index, model] of [" x:local:cloud ", " ", "a\u0085b\u0001"].entries()) {
        const body = JSON.stringify({ model });
        const response = await mockOfSmall().fetch(`http://localhost${path}`, { method, body });
        assertEquals([response.status, await response.json()], [400, { error: errors[index] }]);
      }
    }
  });

  it("of a model to create from is refused in the same words always", async () => {
    for (const from of ["x:local:cloud", " ", "a b"]) {
      const response = await post(mockOfSmall(), "/api/create", { model: "copy", from });
      assertEquals(response.headers.get("Content-Type"), "application/json");
      assertEquals([response.status, await response.json()], [400, {
        error: "invalid model name",
      }]);
    }
  });
});

/** The status of an answer. */
async function statusOf(
  server: MockServer,
  path: string,
  body: unknown,
  method = "POST",
): Promise<number> {
  const response = await post(server, path, body, { method });
  await response.text();
  return response.status;
}
