import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "./command.ts";
import { chooseHost, isLoopback, parseHost } from "./host.ts";

describe("parseHost", () => {
  it("reads an address as the library does", () => {
    assertEquals(parseHost("example.com", "--host").href, "http://example.com:11434/");
  });

  it("says what is wrong with an address, and where that is from", () => {
    const error = assertThrows(() => parseHost("me:secret@h:x", "--host"), UsageError);
    assertEquals(
      error.message,
      '--host: Cannot use the host "***@h:x": the port must be a number, such as :11434',
    );
  });

  it("says so in one line that is safe for a terminal", () => {
    const error = assertThrows(() => parseHost("\x1b[2J\n\u202eh:x", "--host"), UsageError);
    assertEquals(/[\p{Cc}\p{Cf}]/u.test(error.message), false);
  });
});

describe("chooseHost", () => {
  it("prefers --host to OLLAMA_HOST, even to one that is wrong", () => {
    assertEquals(chooseHost(":1", { OLLAMA_HOST: ":x" }).href, "http://127.0.0.1:1/");
    assertEquals(chooseHost(undefined, { OLLAMA_HOST: ":2" }).href, "http://127.0.0.1:2/");
    assertEquals(chooseHost(undefined, {}).href, "http://127.0.0.1:11434/");
    assertThrows(() => chooseHost(":x", { OLLAMA_HOST: ":2" }), UsageError, "--host: ");
    assertThrows(() => chooseHost(undefined, { OLLAMA_HOST: ":x" }), UsageError, "OLLAMA_HOST: ");
  });

  it("takes a number for a port that lacks its colon", () => {
    assertThrows(
      () => chooseHost(undefined, { OLLAMA_HOST: "11434" }),
      UsageError,
      'OLLAMA_HOST: Cannot use the host "11434": a port needs a colon before it, such as ":11434"',
    );
  });
});

describe("isLoopback", () => {
  it("knows this machine by its names and addresses", () => {
    for (
      const host of ["", "localhost", ":1", "127.0.0.2", "[::1]", "0.0.0.0", "https://localhost"]
    ) {
      assertEquals(isLoopback(parseHost(host, "--host")), true, host);
    }
    for (const host of ["example.com", "127.0.0.1.test", "10.0.0.1", "[::2]", "localhost.test"]) {
      assertEquals(isLoopback(parseHost(host, "--host")), false, host);
    }
  });
});
