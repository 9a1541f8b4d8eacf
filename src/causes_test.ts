import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { causeOfAnswer, causeOfError, causeOfFailure } from "./causes.ts";

/** Checks a table: words or a status, the reason that is found, and whether it may pass. */
type Rows<Key> = readonly [key: Key, reason: string | undefined, retryable: boolean][];

/** What servers say, as it is told in their sources and in public reports. */
const SAID: Rows<string> = [
  ["max retries exceeded: EOF", "transfer-failed", true],
  ["max retries exceeded: unexpected EOF", "transfer-failed", true],
  [
    'max retries exceeded: Get "https://x/": dial tcp: lookup x: no such host',
    "transfer-failed",
    true,
  ],
  ["max retries exceeded: write /m/blobs/x: no space left on device", "disk-full", false],
  ["EOF", "transfer-failed", true],
  ["read tcp 10.0.0.1:5->1.1.1.1:443: read: connection reset by peer", "transfer-failed", true],
  ["context canceled", "transfer-failed", true],
  ["context deadline exceeded (Client.Timeout exceeded while reading)", "transfer-failed", true],
  ["net/http: timeout awaiting response headers", "transfer-failed", true],
  ["stream error: stream ID 5; INTERNAL_ERROR; received from peer", "transfer-failed", true],
  [
    "digest mismatch, file must be downloaded again: want sha256:aa, got sha256:bb",
    "digest-mismatch",
    true,
  ],
  ["pull model manifest: file does not exist", "model-not-found", false],
  ["model 'llama9' not found", "model-not-found", false],
  ['model "llama9" not found, try pulling it first', "model-not-found", false],
  [
    'pull model manifest: 404: {"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}',
    "model-not-found",
    false,
  ],
  ["invalid model name", "invalid-name", false],
  ['use either :local or :cloud, not both: "x:local:cloud"', "invalid-name", false],
  ["insecure protocol http", "insecure-registry", false],
  [
    'pull model manifest: Get "https://r:5000/v2/": http: server gave HTTP response to HTTPS client',
    "insecure-registry",
    false,
  ],
  [
    "pull model manifest: 412: \n\nThe model you are attempting to pull requires a newer version of Ollama.",
    "server-too-old",
    false,
  ],
  [
    "this model requires MLX support, but the MLX runtime is not available",
    "model-unsupported",
    false,
  ],
  ["write blob: no space left on device", "disk-full", false],
  ["write C:\\m\\x: There is not enough space on the disk.", "disk-full", false],
  ["open /m/blobs/sha256-aa-partial: permission denied", "storage-denied", false],
  ["open C:\\m: Access is denied.", "storage-denied", false],
  [
    'pull model manifest: 401: {"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
    "unauthorized",
    false,
  ],
  ['pull model manifest: 403: {"error":"no"}', "forbidden", false],
  ["pull model manifest: 429: too many requests", "rate-limited", true],
  ["pull model manifest: 400: bad", "registry-refused", false],
  ["pull model manifest: 503: ", "registry-unreachable", true],
  [
    'pull model manifest: Get "https://registry/v2/": net/http: TLS handshake timeout',
    "registry-unreachable",
    true,
  ],
  [
    'pull model manifest: Get "https://registry/v2/": dial tcp: lookup registry: no such host',
    "registry-unreachable",
    true,
  ],
  ["model registry unavailable", "registry-unreachable", true],
  [
    'pull model manifest: Get "https://r/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    "certificate",
    false,
  ],
];

describe("causeOfError", () => {
  it("knows what servers say", () => {
    for (const [words, reason, retryable] of SAID) {
      const cause = causeOfError(words);
      assertEquals([cause.reason, cause.retryable], [reason, retryable], words);
    }
  });

  it("takes what it does not know for something that does not pass", () => {
    for (const words of ["", "something else", "EOFs", "disk"]) {
      assertEquals(causeOfError(words), { retryable: false });
    }
  });
});

describe("causeOfAnswer", () => {
  it("goes by the words of the server, whatever the status", () => {
    for (const [words, reason, retryable] of SAID) {
      for (const status of [400, 500, 503]) {
        const cause = causeOfAnswer(status, words);
        assertEquals([cause.reason, cause.retryable], [reason, retryable], words);
      }
    }
  });

  it("goes by the status where there are none, or none that it knows", () => {
    const rows: Rows<number> = [
      [301, "redirected", false],
      [400, undefined, false],
      [401, "unauthorized", false],
      [403, "forbidden", false],
      [404, "wrong-address", false],
      [405, "wrong-address", false],
      [407, "proxy-unauthorized", false],
      [408, "overloaded", true],
      [413, undefined, false],
      [425, "overloaded", true],
      [429, "rate-limited", true],
      [500, undefined, true],
      [501, "wrong-address", false],
      [502, "overloaded", true],
      [503, "overloaded", true],
      [524, "overloaded", true],
      [599, "overloaded", true],
    ];
    for (const [status, reason, retryable] of rows) {
      for (const words of [undefined, "", "who knows"]) {
        const cause = causeOfAnswer(status, words);
        assertEquals([cause.reason, cause.retryable], [reason, retryable], `${status}`);
      }
    }
  });
});

describe("causeOfFailure", () => {
  it("knows what Deno, Bun, Node and browsers say", () => {
    const deno = (words: string) =>
      "TypeError  fetch failed\nError  error sending request for url (https://certificate.test:1/api): " +
      `client error (Connect): ${words}`;
    const node = (words: string) => `TypeError  fetch failed\n${words}`;
    const rows: Rows<string> = [
      [node("Error ECONNREFUSED connect ECONNREFUSED ::1:43999"), "refused", true],
      [deno("tcp connect error: Connection refused (os error 111)"), "refused", true],
      [
        "TypeError ECONNREFUSED ECONNREFUSED: Unable to connect. Is the computer …",
        "refused",
        true,
      ],

      [node("Error ENOTFOUND getaddrinfo ENOTFOUND no.host"), "name-not-resolved", true],
      [
        deno("dns error: failed to lookup address information: Name or service not known"),
        "name-not-resolved",
        true,
      ],
      ["TypeError ENOTFOUND getaddrinfo ENOTFOUND no.host", "name-not-resolved", true],

      [node("Error DEPTH_ZERO_SELF_SIGNED_CERT self-signed certificate"), "certificate", false],
      [deno("invalid peer certificate: UnknownIssuer"), "certificate", false],
      ["TypeError DEPTH_ZERO_SELF_SIGNED_CERT self signed certificate", "certificate", false],
      ["Error CERT_HAS_EXPIRED expired", "certificate", false],

      [
        node(
          "Error ERR_SSL_WRONG_VERSION_NUMBER 80:error:0A00010B:SSL routines:wrong version number",
        ),
        "tls-mismatch",
        false,
      ],
      [
        "Error EPROTO write EPROTO 80:error:0A00010B:SSL:wrong version number",
        "tls-mismatch",
        false,
      ],
      [deno("received corrupt message of type InvalidContentType"), "tls-mismatch", false],
      ["TypeError EPROTO EPROTO: The TLS handshake failed. Does …", "tls-mismatch", false],
      [
        node("HTTPParserError  Response does not match the HTTP/1.1 protocol (Expected HTTP/)"),
        "tls-mismatch",
        false,
      ],
      ["Error HPE_INVALID_CONSTANT Parse Error: Expected HTTP/", "tls-mismatch", false],
      [deno("invalid HTTP version parsed"), "tls-mismatch", false],

      [
        'NotCapable  Requires net access to "h:1", run again with the --allow-net flag',
        "not-permitted",
        false,
      ],

      [node("Error  bad port"), undefined, false],
      ["TypeError  Fetch failed: Requests to port 1 are blocked", undefined, false],

      [
        node("HeadersTimeoutError UND_ERR_HEADERS_TIMEOUT Headers Timeout Error"),
        "runtime-limit",
        true,
      ],
      [node("BodyTimeoutError UND_ERR_BODY_TIMEOUT Body Timeout Error"), "runtime-limit", true],
      ["TimeoutError  The operation timed out.", "runtime-limit", true],

      [node("SocketError UND_ERR_SOCKET other side closed"), undefined, true],
      [deno("connection closed before message completed"), undefined, true],
      ["TypeError ECONNRESET ECONNRESET: The socket connection was closed …", undefined, true],
      ["Error ECONNRESET socket hang up", undefined, true],
      ["TypeError  Failed to fetch", undefined, true],
    ];
    for (const [text, reason, retryable] of rows) {
      const cause = causeOfFailure(text);
      assertEquals([cause.reason, cause.retryable], [reason, retryable], text);
    }
  });
});
