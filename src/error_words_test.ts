import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { errorWords, failureWords, titleOfPage } from "./error_words.ts";
import { encodeStatus, toPullStatus } from "./status.ts";

/** What servers send when something fails, by who does so, and the words in it. */
const SHAPES: [who: string, value: Record<string, unknown>, words: string][] = [
  ["Ollama", { error: "disk full" }, "disk full"],
  ["Ollama, with no words", { error: "" }, ""],
  ["OpenAI", { error: { message: "disk full", type: "server_error" } }, "disk full"],
  ["FastAPI", { detail: "disk full" }, "disk full"],
  ["FastAPI, a list", { detail: [{ loc: ["body", 0], msg: "a" }, { msg: "b" }] }, "a; b"],
  ["FastAPI, an object", { detail: { message: "disk full" } }, "disk full"],
  ["a registry", { errors: [{ code: "DENIED", message: "disk full" }] }, "disk full"],
  ["a registry, with a code only", { errors: [{ code: "DENIED" }] }, "DENIED"],
  ["a gateway", { message: "disk full" }, "disk full"],
  ["a gateway, with a status", { status: "error", message: "disk full" }, "disk full"],
  ["a flag", { error: true, message: "disk full" }, "disk full"],
];

describe("errorWords", () => {
  it("finds the innermost words in every known shape", () => {
    for (const [who, value, words] of SHAPES) assertEquals(errorWords(value), words, who);
  });

  it("finds nothing if there are no words, whatever else is sent", () => {
    for (const value of [undefined, null, 5, [], {}, { error: null }, { errors: [{}] }, [[5]]]) {
      assertEquals(errorWords(value), undefined);
    }
  });

  it("returns a string or undefined for any JSON, however deep", () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 9 }), (value) => {
      const words = errorWords(value);
      return words === undefined || typeof words === "string";
    }));
    const deep = JSON.parse(`${'{"error":'.repeat(9_999)}"x"${"}".repeat(9_999)}`);
    assertEquals(errorWords(deep), undefined);
  });
});

describe("failureWords", () => {
  it("recognizes every shape in a stream, and the status keeps all fields", () => {
    for (const [who, value, words] of SHAPES) {
      assertEquals(failureWords(value), words, who);
      const status = toPullStatus(value)!;
      assertEquals([status.kind, status.kind === "error" && status.message], ["error", words], who);
      assertEquals(encodeStatus(status), value, who);
    }
  });

  it("does not mistake a status with a message for a failure", () => {
    const statuses = [
      { status: "success", message: "done" },
      { status: "verifying sha256 digest", detail: "of 5 layers" },
      { digest: "sha256:aaaa", message: "slow" },
      { status: "success", error: null, errors: [] },
      { object: "list", data: [] },
    ];
    for (const status of statuses) assertEquals(failureWords(status), undefined);
  });
});

describe("titleOfPage", () => {
  it("returns the title of a page, or its first heading", () => {
    const pages = [
      ["<!DOCTYPE html>\n<html><head><title>Log\n in</title>", "Log in"],
      ['<html><title lang="en">Log in', "Log in"],
      ["  <HTML><body><h1>502 Bad Gateway</h1>", "502 Bad Gateway"],
      ["<html><body>nothing", ""],
      ["<?xml version='1.0'?><html/>", ""],
    ];
    for (const [page, title] of pages) assertEquals(titleOfPage(page!), title);
  });

  it("does not mistake anything else for a page", () => {
    for (const text of ["", "Ollama is running", "<p>", "{}", "< html>", "a <html>"]) {
      assertEquals(titleOfPage(text), undefined);
    }
  });
});
