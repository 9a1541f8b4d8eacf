import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { PullError, type PullErrorCode } from "../mod.ts";
import { type Attempt, describeFailure } from "./failure.ts";

const attempt: Attempt = { model: "llama3.2", again: "ollama-pull pull llama3.2" };

function describeError(
  code: PullErrorCode,
  message: string,
  { status, ...more }: Partial<Attempt> & { status?: number } = {},
): string {
  return describeFailure(new PullError(code, message, { status }), { ...attempt, ...more });
}

describe("describeFailure", () => {
  it("asks whether Ollama is running when it cannot be reached", () => {
    const text = describeError(
      "network",
      "Cannot reach http://127.0.0.1:1: tcp: Connection refused (os 1)",
    );
    assertEquals(
      text,
      "Cannot reach http://127.0.0.1:1: connection refused. Is Ollama running there? Start it with " +
        "`ollama serve`, or give its address with --host or OLLAMA_HOST",
    );
  });

  it("gives the command that resumes a pull that broke", () => {
    for (const code of ["network", "truncated", "stalled"] as const) {
      assertEquals(
        describeError(code, "The connection broke."),
        "The connection broke. What was downloaded is kept; to resume, run: ollama-pull pull llama3.2",
      );
    }
  });

  it("names a model that the library does not have", () => {
    assertEquals(
      describeError("server", "pull model manifest: file does not exist", { model: "lama" }),
      'Model "lama" not found: pull model manifest: file does not exist. ' +
        "Check its name and tag at https://ollama.com/library",
    );
  });

  it("does not take another missing file for a missing model", () => {
    const text = describeError("server", "open /models/blobs/x: file does not exist");
    assertStringIncludes(text, "The server's log says more");
  });

  it("tells what to do about each HTTP status", () => {
    const advice: [number, string, string][] = [
      [400, "HTTP 400 Bad Request: invalid model name", "Check the model's name"],
      [401, "HTTP 401 Unauthorized", "--host http://USER:PASSWORD@"],
      [404, "HTTP 404 Not Found", "Check --host and OLLAMA_HOST"],
      [500, "HTTP 500: insecure protocol http", "--insecure"],
      [500, "HTTP 500: oops", "ollama-pull pull llama3.2"],
      [502, 'HTTP 502 Bad Gateway, not from Ollama: "<html>', "A proxy"],
      [429, "HTTP 429 Too Many Requests", "--host"],
    ];
    for (const [status, message, part] of advice) {
      assertStringIncludes(describeError("http", message, { status }), part);
    }
  });

  it("doubts the address when the answer is not Ollama's", () => {
    for (const code of ["malformed", "line-too-long"] as const) {
      assertStringIncludes(describeError(code, "Line 1 is not JSON"), "--host and OLLAMA_HOST");
    }
  });

  it("is one line without escape sequences, whatever the server says", () => {
    const codes = [
      "http",
      "server",
      "malformed",
      "line-too-long",
      "truncated",
      "stalled",
      "network",
    ];
    const nasty = "\x1b[2J\x1b]0;x\x07a\r\nb\x9b31m\u202e";
    for (const code of codes as PullErrorCode[]) {
      const text = describeError(code, nasty, { model: nasty });
      // deno-lint-ignore no-control-regex
      assertEquals(/[\x00-\x1f\x7f-\x9f\u202e]/.test(text), false, JSON.stringify(text));
    }
    assertEquals(describeFailure(new TypeError(nasty), attempt).includes("\n"), false);
  });
});
