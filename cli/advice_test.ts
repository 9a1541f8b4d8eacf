import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { PullError, type PullErrorCode, type PullErrorDetails } from "../mod.ts";
import { ADVICE, adviseOn, type Attempt } from "./advice.ts";

const RESUME = "What was downloaded is kept; to resume, run: ollama-pull pull llama3.2";
const AGAIN = "To try again, run: ollama-pull pull llama3.2";
const NOT_FOUND = "pull model manifest: file does not exist";

/** What a pull was, and what went wrong; what is left out is as in {@link advise}. */
interface Case extends Partial<Omit<Attempt, "host">>, PullErrorDetails {
  readonly code?: PullErrorCode;
  readonly message?: string;
  readonly host?: string;
}

function advise(given: Case): string {
  const {
    code = "server",
    message = "a message",
    host = "http://127.0.0.1:11434",
    model = "llama3.2",
    again = "ollama-pull pull llama3.2",
    hasBytes = false,
    ...details
  } = given;
  const error = new PullError(code, message, details);
  return adviseOn(error, { model, again, hasBytes, host: new URL(host) });
}

/** A failure, and a part of what to do about it. */
const ROWS: readonly [failure: Case, advice: string][] = [
  [{ reason: "model-not-found", message: NOT_FOUND }, "https://ollama.com/library"],
  [{ reason: "model-not-found", model: "me/own:7b" }, "https://ollama.com/me"],
  [{ reason: "model-not-found", model: "hf.co/a/b:Q4" }, "https://huggingface.co/a/b: "],
  [{ reason: "model-not-found", model: "r.test:5000/a/b" }, "at r.test:5000"],
  [{ reason: "invalid-name", code: "http", status: 400 }, "it must be like llama3.2"],
  [{ reason: "model-unsupported" }, "Choose another model or tag"],
  [{ reason: "model-unsupported", model: "hf.co/a/b" }, "quantization"],
  [{ reason: "server-too-old" }, "https://ollama.com/download"],
  [{ reason: "disk-full", hasBytes: true }, "kept; to resume, then run: "],
  [{ reason: "storage-denied" }, "OLLAMA_MODELS"],
  [
    {
      reason: "unauthorized",
      code: "http",
      body: { signin_url: "https://ollama.com/connect?a=b" },
    },
    "Sign in at https://ollama.com/connect?a=b, then run: ollama-pull pull llama3.2",
  ],
  [{ reason: "unauthorized", body: { signin_url: "\x1b[2J" } }, "ollama signin"],
  [{ reason: "unauthorized", message: "pull model manifest: 401: {}" }, "ollama signin"],
  [{ reason: "unauthorized", model: "hf.co/a/b" }, "https://huggingface.co/settings/keys"],
  [
    { reason: "unauthorized", code: "http", status: 401, body: { detail: "Not authenticated" } },
    'Send a key that the server knows: --header "Authorization: Bearer KEY"',
  ],
  [
    { reason: "unauthorized", code: "http", status: 401, body: "<html>" },
    "Log in with --host http://USER:PASSWORD@ADDRESS",
  ],
  [
    { reason: "unauthorized", code: "http", host: "http://me:x@h" },
    "Check the user name and password",
  ],
  [{ reason: "proxy-unauthorized", code: "http", host: "http://h:1" }, "NO_PROXY=h"],
  [{ reason: "forbidden", code: "http", status: 403 }, "OLLAMA_ORIGINS"],
  [{ reason: "forbidden", code: "http", status: 403, body: { detail: "no" } }, "--header"],
  [{ reason: "forbidden", model: "me/own" }, "https://ollama.com/me"],
  [{ reason: "rate-limited", code: "http", status: 429 }, `wait a while. ${AGAIN}`],
  [{ reason: "overloaded", code: "http", status: 502 }, "could not reach Ollama"],
  [{ reason: "overloaded", code: "http", status: 524, hasBytes: true }, `bypass it. ${RESUME}`],
  [{ reason: "registry-unreachable" }, "HTTPS_PROXY"],
  [{ reason: "registry-refused", hasBytes: true }, "Check its name and tag"],
  [{ reason: "insecure-registry", code: "http", status: 500 }, "add --insecure"],
  [{ reason: "digest-mismatch", hasBytes: true }, "downloads it again; run: ollama-pull"],
  [{ reason: "transfer-failed", hasBytes: true }, RESUME],
  [{ reason: "not-running" }, AGAIN],
  [{ reason: "wrong-address", code: "http", status: 404 }, "--host and OLLAMA_HOST"],
  [{ reason: "redirected", code: "http", status: 302 }, "--host"],
  [{ reason: "refused", code: "network" }, "`ollama serve`"],
  [{ reason: "refused", code: "network", host: "http://10.0.0.9" }, "OLLAMA_HOST=0.0.0.0"],
  [{ reason: "name-not-resolved", code: "network" }, "Check the name of the host"],
  [
    { reason: "certificate", code: "network" },
    "DENO_CERT=ca.pem in Deno, NODE_EXTRA_CA_CERTS=ca.pem",
  ],
  [{ reason: "certificate" }, "--insecure"],
  [
    { reason: "tls-mismatch", code: "network", host: "https://h:1/a" },
    "That port does not speak TLS: use --host http://h:1/a",
  ],
  [
    { reason: "tls-mismatch", code: "http", status: 400, host: "http://me:secret@h:1" },
    "That port speaks TLS: use --host https://***@h:1",
  ],
  [{ reason: "tls-mismatch" }, "scheme of the registry"],
  [{ reason: "not-permitted", code: "network", host: "http://h:1" }, "--allow-net=h:1"],
  [{ reason: "runtime-limit", code: "network", hasBytes: true }, RESUME],

  [
    { code: "network", message: "Cannot reach http://h: other side closed" },
    "(otherwise add https://)? To try",
  ],
  [{ code: "network", message: "Cannot reach http://h: bad port", retryable: false }, "--host"],
  [{ code: "network", message: "The connection broke: reset", hasBytes: true }, RESUME],
  [{ code: "truncated", hasBytes: true }, RESUME],
  [{ code: "stalled" }, AGAIN],
  [{ code: "malformed" }, "--host and OLLAMA_HOST"],
  [{ code: "line-too-long" }, "--host and OLLAMA_HOST"],
  [{ code: "server", hasBytes: true }, `The server's log may have details. ${RESUME}`],
  [{ code: "http", status: 500 }, AGAIN],
  [{ code: "server", reason: "constructor" }, "The server's log"],
];

describe("adviseOn", () => {
  for (const [failure, advice] of ROWS) {
    const { reason = failure.code, code = "server", status = "", model = "", host = "" } = failure;
    it(`helps after ${[reason, code, status, model, host].filter(Boolean).join(", ")}: ${advice}`, () => {
      assertStringIncludes(advise(failure), advice);
    });
  }

  it("has a test for each reason", () => {
    const tested = new Set(ROWS.map(([{ reason }]) => reason));
    assertEquals(Object.keys(ADVICE).filter((reason) => !tested.has(reason)), []);
  });

  it("does not say that anything is kept where nothing was downloaded", () => {
    for (const [failure] of ROWS) {
      assertEquals(advise({ ...failure, hasBytes: false }).includes("kept"), false, failure.reason);
    }
  });

  it("tells no password", () => {
    for (const [failure] of ROWS) {
      const host = (failure.host ?? "http://h").replace("//", "//me:hunter2@");
      assertEquals(advise({ ...failure, host }).includes("hunter2"), false, failure.reason);
    }
  });
});
