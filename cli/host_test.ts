import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "./command.ts";
import { chooseHost, parseHost, showHost } from "./host.ts";

const parse = (text: string) => parseHost(text, "OLLAMA_HOST").href;

function assertAddresses(addresses: Record<string, string>): void {
  for (const [text, expected] of Object.entries(addresses)) {
    assertEquals(parse(text), expected, JSON.stringify(text));
  }
}

describe("parseHost", () => {
  it("has Ollama's default", () => {
    assertAddresses({ "": "http://127.0.0.1:11434/", "  ": "http://127.0.0.1:11434/" });
  });

  it("takes a name, a port, or both", () => {
    assertAddresses({
      "example.com": "http://example.com:11434/",
      "localhost": "http://localhost:11434/",
      "example.com:56789": "http://example.com:56789/",
      "1.2.3.4": "http://1.2.3.4:11434/",
      "1.2.3.4:80": "http://1.2.3.4/",
      ":56789": "http://127.0.0.1:56789/",
    });
  });

  it("takes a URL, whose default port is that of its scheme", () => {
    assertAddresses({
      "http://1.2.3.4": "http://1.2.3.4/",
      "https://1.2.3.4": "https://1.2.3.4/",
      "HTTPS://Example.com": "https://example.com/",
      "https://1.2.3.4:4321": "https://1.2.3.4:4321/",
      "http://": "http://127.0.0.1/",
      "https://:8443": "https://127.0.0.1:8443/",
      "ollama.com": "https://ollama.com/",
    });
  });

  it("keeps a path, for servers behind a proxy", () => {
    assertAddresses({
      "example.com/ollama": "http://example.com:11434/ollama",
      "example.com:56789/": "http://example.com:56789/",
      "https://example.com/ollama/": "https://example.com/ollama/",
    });
  });

  it("takes IPv6, with and without brackets", () => {
    assertAddresses({
      "[::1]": "http://[::1]:11434/",
      "::1": "http://[::1]:11434/",
      "[0001:002:003:0004::1]:56789": "http://[1:2:3:4::1]:56789/",
      "https://[::1]/path": "https://[::1]/path",
    });
  });

  it("connects to this machine where the address means all of its addresses", () => {
    assertAddresses({
      "0.0.0.0": "http://127.0.0.1:11434/",
      "0.0.0.0:8080": "http://127.0.0.1:8080/",
      "http://0.0.0.0:11434": "http://127.0.0.1:11434/",
      "[::]": "http://[::1]:11434/",
      "[::]:8080": "http://[::1]:8080/",
    });
  });

  it("passes over quotes and space around an address", () => {
    assertAddresses({
      " 1.2.3.4 ": "http://1.2.3.4:11434/",
      '"1.2.3.4"': "http://1.2.3.4:11434/",
      "'1.2.3.4'": "http://1.2.3.4:11434/",
      ' " 1.2.3.4 " ': "http://1.2.3.4:11434/",
    });
  });

  it("keeps a login", () => {
    assertAddresses({
      "https://me:secret@example.com": "https://me:secret@example.com/",
      "me:secret@example.com": "http://me:secret@example.com:11434/",
    });
  });

  it("says in one line what is not an address", () => {
    const wrong = [
      ":70000",
      ":0",
      ":-1",
      "host:",
      "host:port",
      "ftp://example.com",
      "unix:///run/ollama.sock",
      "a b",
      "http://[::1",
      "https://exa mple.com",
      "\x1b[2J\nhost:x",
    ];
    for (const text of wrong) {
      const error = assertThrows(() => parse(text), UsageError, "OLLAMA_HOST is not an address");
      // deno-lint-ignore no-control-regex
      assertEquals(/[\x00-\x1f]/.test(error.message), false);
    }
  });

  it("does not tell a password", () => {
    const error = assertThrows(() => parse("me:secret@example.com:x"), UsageError);
    assertEquals(error.message.includes("secret"), false);
    assertEquals(showHost(new URL("http://me:secret@h:1/p/")), "http://me:***@h:1/p");
  });
});

describe("chooseHost", () => {
  it("prefers --host to OLLAMA_HOST, even to one that is wrong", () => {
    assertEquals(chooseHost(":1", ":x").href, "http://127.0.0.1:1/");
    assertEquals(chooseHost(undefined, ":2").href, "http://127.0.0.1:2/");
    assertEquals(chooseHost(undefined, undefined).href, "http://127.0.0.1:11434/");
    assertThrows(() => chooseHost(":x", ":2"), UsageError, "--host is not");
  });
});
