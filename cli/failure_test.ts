import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { PullError, type PullErrorCode, type PullErrorDetails } from "../mod.ts";
import { ADVICE, type Attempt } from "./advice.ts";
import { describeFailure } from "./failure.ts";

const attempt: Attempt = {
  model: "llama3.2",
  host: new URL("http://127.0.0.1:1"),
  again: "ollama-pull pull llama3.2",
  hasBytes: true,
};

function describeError(
  code: PullErrorCode,
  message: string,
  { model = attempt.model, ...details }: PullErrorDetails & { model?: string } = {},
): string {
  return describeFailure(new PullError(code, message, details), { ...attempt, model });
}

describe("describeFailure", () => {
  it("says in the same words of each runtime that a connection was refused", () => {
    for (
      const words of [
        "tcp: Connection refused (os 1)",
        "connect ECONNREFUSED 127.0.0.1:1",
        "ECONNREFUSED: Unable to connect. Is the computer able to access the url?",
      ]
    ) {
      assertEquals(
        describeError("network", `Cannot reach http://127.0.0.1:1: ${words}`, {
          reason: "refused",
        }),
        "Cannot reach http://127.0.0.1:1: connection refused. Is Ollama running there? Start it with " +
          "`ollama serve`, or give its address with --host or OLLAMA_HOST",
      );
    }
  });

  it("leaves out that Deno was sending a request", () => {
    assertStringIncludes(
      describeError(
        "network",
        "Cannot reach https://h:1: error sending request for url (https://h:1/api/pull): client error " +
          "(Connect): invalid peer certificate: UnknownIssuer",
        { reason: "certificate" },
      ),
      "Cannot reach https://h:1: invalid peer certificate: UnknownIssuer. To trust",
    );
  });

  it("says in short words that a side has no TLS", () => {
    const message = "Cannot reach https://h:1: write EPROTO 80:SSL routines:wrong version number:";
    assertStringIncludes(
      describeError("network", message, { reason: "tls-mismatch" }),
      "Cannot reach https://h:1: only one side uses TLS. That port speaks TLS: use",
    );
  });

  it("gives the command that resumes a pull that broke", () => {
    assertEquals(
      describeError("truncated", "The stream broke."),
      "The stream broke. What was downloaded is kept; to resume, run: ollama-pull pull llama3.2",
    );
  });

  it("names a model that the registry does not have", () => {
    assertEquals(
      describeError("server", "pull model manifest: file does not exist", {
        model: "lama",
        reason: "model-not-found",
      }),
      'Model "lama" not found: pull model manifest: file does not exist. ' +
        "Check its name and tag at https://ollama.com/library",
    );
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
    const body = { signin_url: `https://${nasty}` };
    for (const code of codes as PullErrorCode[]) {
      for (const reason of [undefined, ...Object.keys(ADVICE)]) {
        const text = describeError(code, nasty, { model: nasty, reason, body });
        // deno-lint-ignore no-control-regex
        assertEquals(/[\x00-\x1f\x7f-\x9f\u202e]/.test(text), false, JSON.stringify(text));
      }
    }
    assertEquals(describeFailure(new TypeError(nasty), attempt).includes("\n"), false);
  });
});
