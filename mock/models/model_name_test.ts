import { assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import { modelKey, parseModelName, shortName } from "./model_name.ts";

describe("Names of models", () => {
  it("are read, and shown without what goes without saying", () => {
    for (
      const [text, short] of [
        ["X", "X:latest"],
        ["__proto__", "__proto__:latest"],
        ["registry.ollama.ai/library/x", "x:latest"],
        ["http://h:1/a/b", "h:1/a/b:latest"],
        ["x:cloud", "x:cloud"],
        ["x:local", "x:local"],
      ] as const
    ) {
      assertEquals(shortName(parseModelName(text)!), short);
    }
  });

  it("are refused where the real server refuses them, tricks with paths among them", () => {
    for (const text of ["", " ", "../x", "h/../b", "a%2fb", "a\\b", "a\0b", "x\n", "x:y:z"]) {
      assertStrictEquals(parseModelName(text), undefined, text);
    }
  });

  it("mean the same model in capitals and in small letters, and in long and in short", () => {
    const keyOf = (text: string) => modelKey(parseModelName(text)!);
    for (const same of ["Library/Llama3.2:LATEST", "Registry.Ollama.ai/library/llama3.2"]) {
      assertEquals(keyOf(same), keyOf("llama3.2"));
    }
    for (const other of ["space/llama3.2", "host/library/llama3.2", "llama3.2:1b"]) {
      assertNotEquals(keyOf(other), keyOf("llama3.2"));
    }
  });
});
