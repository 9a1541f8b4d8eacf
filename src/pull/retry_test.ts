import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { PullError, type PullErrorCode } from "../errors.ts";
import { isTransient, retryDelayMs } from "./retry.ts";

/** An HTTP error with what the server says. */
const http = (status: number, error?: string) =>
  new PullError("http", `HTTP ${status} Weird: model reason`, {
    status,
    body: error === undefined ? "<html>" : { error },
  });

describe("isTransient", () => {
  it("goes by the code, and by the status and the words of an HTTP error", () => {
    const codes: [code: PullErrorCode, transient: boolean][] = [
      ["network", true],
      ["truncated", true],
      ["stalled", true],
      ["server", false],
      ["malformed", false],
      ["line-too-long", false],
      ["http", false],
    ];
    for (const [code, transient] of codes) {
      assertEquals(isTransient(new PullError(code, "model 'x' not found")), transient, code);
    }
  });

  it("takes a 5xx for transient, unless the server refuses the model for good", () => {
    const cases: [status: number, words: string | undefined, transient: boolean][] = [
      [500, undefined, true],
      [502, undefined, true],
      [500, "model runner has unexpectedly stopped", true],
      [503, "model registry unavailable", true],
      [503, "insecure connection to upstream timed out", true],
      [500, 'pull model manifest: Get "https://x/": net/http: TLS handshake timeout', true],
      [500, "pull model manifest: file does not exist", false],
      [500, "pull model manifest: 412: a newer version of Ollama is required", false],
      [500, "pull model manifest: 429: too many requests", true],
      [500, "model 'x' not found", false],
      [500, 'model "x" not found, try pulling it first', false],
      [500, "insecure protocol http", false],
      [400, "invalid model name", false],
      [404, undefined, false],
    ];
    for (const [status, words, transient] of cases) {
      assertEquals(isTransient(http(status, words)), transient, `${status} ${words}`);
    }
  });
});

describe("retryDelayMs", () => {
  it("doubles from one second up to thirty, and varies by at most a half", () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.double({ min: 0, max: 1, noNaN: true }), (n, random) => {
        const delay = retryDelayMs(n, random);
        const longest = retryDelayMs(n, 0);
        assert(delay <= longest && delay >= longest / 2, `${delay} of ${longest}`);
      }),
    );
    assertEquals([0, 1, 2, 4, 5, 6, 2_000].map((n) => retryDelayMs(n, 0)), [
      1_000,
      2_000,
      4_000,
      16_000,
      30_000,
      30_000,
      30_000,
    ]);
  });
});
