import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { modelKey, parseModelName, shortName } from "./model_name.ts";

/** Names, and how the real server shows them: asked of its own code. */
const VALID: readonly [text: string, short: string][] = [
  ["127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b:latest"],
  ["://h/a/b", "h/a/b:latest"],
  ["X", "X:latest"],
  ["__proto__", "__proto__:latest"],
  ["_x", "_x:latest"],
  ["a/b", "a/b:latest"],
  ["a/b.c", "a/b.c:latest"],
  ["a/b:c", "a/b:c"],
  ["a_b/c", "a_b/c:latest"],
  ["constructor", "constructor:latest"],
  ["ftp://h/a/b", "h/a/b:latest"],
  ["h.:-/a/b", "h.:-/a/b:latest"],
  ["h/a/b", "h/a/b:latest"],
  ["h:/a/b", "h:/a/b:latest"],
  ["h:80/a/b", "h:80/a/b:latest"],
  ["h:80/a/b:c", "h:80/a/b:c"],
  ["h:p/a/b", "h:p/a/b:latest"],
  ["http:///a/b", "a/b:latest"],
  ["http://h/a/b", "h/a/b:latest"],
  ["http://h:1/a/b", "h:1/a/b:latest"],
  ["https://h:1/a/b:c", "h:1/a/b:c"],
  ["llama3.2", "llama3.2:latest"],
  ["llama3.2:1b", "llama3.2:1b"],
  ["localhost/a/b:t", "localhost/a/b:t"],
  ["x", "x:latest"],
  ["x-", "x-:latest"],
  ["x.", "x.:latest"],
  ["x:cloud", "x:cloud"],
];

/** What the real server refuses. */
const INVALID: readonly string[] = [
  "",
  " ",
  "%2e%2e",
  "-x",
  ".",
  "..",
  "../../etc/passwd",
  "../x",
  "./x",
  ".x",
  "/x",
  ":",
  "::1/a/b",
  ":x",
  "[::1]:80/a/b",
  "a\u0000b",
  "a%2fb",
  "a.b/c",
  "a//b",
  "a/b/c/d",
  "a/b/c:d/e",
  "a\\b",
  "h/../b",
  "h/a/..",
  "h/a/..:x",
  "http://a/b",
  "http://h://x/a/b",
  "http://x",
  "x\n",
  "x y",
  "x/",
  "x:",
  "x:..",
  "x:.y",
  "x:1/y",
  "x:y:z",
  "x@sha256:abc",
  "x~",
  "~x",
  "é",
];

describe("Names of models", () => {
  it("are read in all forms, and shown without what goes without saying", () => {
    for (const [text, short] of VALID) {
      assertStrictEquals(shortName(parseModelName(text)!), short);
    }
  });

  it("are refused where the real server refuses them, tricks with paths among them", () => {
    for (const text of INVALID) assertStrictEquals(parseModelName(text), undefined, text);
  });

  it("have parts that may be so long and no longer", () => {
    const name = (host: number, namespace: number, model: number, tag: number) =>
      parseModelName(
        `${"h".repeat(host)}/${"n".repeat(namespace)}/${"m".repeat(model)}:${"t".repeat(tag)}`,
      );
    assert(name(350, 80, 80, 80));
    assertStrictEquals(name(351, 80, 80, 80), undefined);
    assertStrictEquals(name(350, 81, 80, 80), undefined);
    assertStrictEquals(name(350, 80, 81, 80), undefined);
    assertStrictEquals(name(350, 80, 80, 81), undefined);
  });

  it("have a namespace and a tag without saying so", () => {
    assertEquals(parseModelName("llama3.2"), {
      scheme: undefined,
      host: undefined,
      namespace: "library",
      model: "llama3.2",
      tag: "latest",
    });
    assertEquals(parseModelName("http://host:5000/space/name:tag"), {
      scheme: "http",
      host: "host:5000",
      namespace: "space",
      model: "name",
      tag: "tag",
    });
  });

  it("mean the same model in capitals and in small letters, and in long and in short", () => {
    const keyOf = (text: string) => modelKey(parseModelName(text)!);
    assertStrictEquals(keyOf("Library/Llama3.2:LATEST"), keyOf("llama3.2"));
    assert(keyOf("space/llama3.2") !== keyOf("llama3.2"));
    assert(keyOf("host/library/llama3.2") !== keyOf("llama3.2"));
    assert(keyOf("llama3.2:1b") !== keyOf("llama3.2"));
  });

  it("are the same when they are read as they are shown", () => {
    const part = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,9}$/);
    const optional = fc.option(part, { nil: undefined });
    fc.assert(fc.property(optional, optional, part, optional, (host, namespace, model, tag) => {
      const path = [host && `${host}:80`, host ? namespace ?? "space" : namespace, model];
      const text = path.filter(Boolean).join("/") + (tag ? `:${tag}` : "");
      const name = parseModelName(text)!;
      assertStrictEquals(modelKey(parseModelName(shortName(name))!), modelKey(name));
    }));
  });
});
