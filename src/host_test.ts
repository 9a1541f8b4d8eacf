import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { hideSecrets, parseHost, showHost } from "./host.ts";

const SECRET = "hunter2";

const numberOfPort = fc.integer({ min: 1, max: 65_535 });
const scheme = fc.constantFrom(undefined, "http", "https", "HTTP", "Https");
const login = fc.constantFrom(undefined, "me", "me:secret", "me:p%2Fw", ":", "m@e:s@crt");
/** Hosts as people write them, with the `hostname` of their URL. */
const name = fc.constantFrom<[text: string, hostname: string]>(
  ["", "127.0.0.1"],
  ["localhost", "localhost"],
  ["Example.com", "example.com"],
  ["my_server-2", "my_server-2"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["192.168.0.5", "192.168.0.5"],
  ["0.0.0.0", "127.0.0.1"],
  ["[::]", "[::1]"],
  ["[0001:002::1]", "[1:2::1]"],
);
const path = fc.constantFrom("", "/", "/ollama", "/a/b/", "/@scope/x");

/** The message about an address, or `undefined` if it can be used. */
function messageAbout(address: string): string | undefined {
  try {
    parseHost(address);
    return undefined;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    assertEquals(error.cause, undefined);
    return error.message;
  }
}

function assertAddresses(addresses: Record<string, string>): void {
  for (const [text, expected] of Object.entries(addresses)) {
    assertEquals(parseHost(text).href, expected, JSON.stringify(text));
  }
}

describe("parseHost", () => {
  it("reads every combination of scheme, login, host, port and path", () => {
    fc.assert(fc.property(
      scheme,
      login,
      name,
      fc.option(numberOfPort, { nil: undefined }),
      path,
      (scheme, login, [name, hostname], port, path) => {
        const text = (scheme === undefined ? "" : `${scheme}://`) +
          (login === undefined ? "" : `${login}@`) + name +
          (port === undefined ? "" : `:${port}`) + path;
        const expectedScheme = scheme?.toLowerCase() ?? "http";
        const expectedPort = port ?? (scheme === undefined ? 11434 : "");
        const expected = new URL(`${expectedScheme}://${hostname}:${expectedPort}${path}`);

        const url = parseHost(text);
        const shown = { ...showParts(url), path: url.pathname };
        assertEquals(shown, { ...showParts(expected), path: expected.pathname });
        const [username, password] = new URL(`http://${login ?? ""}@h`).href.slice(7, -3).split(
          ":",
        );
        assertEquals([url.username, url.password], [username, password ?? ""]);
      },
    ));
  });

  it("accepts any text or says why not, and keeps any URL", () => {
    const text = fc.array(
      fc.oneof(
        fc.constantFrom(
          "http",
          "://",
          ":",
          "/",
          "@",
          "[",
          "]",
          "?",
          "#",
          "\\",
          "%",
          "h",
          "::1",
          "80",
        ),
        fc.string({ unit: "binary", maxLength: 3 }),
      ),
      { maxLength: 10 },
    ).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (text) => {
        const message = messageAbout(text);
        if (message !== undefined) {
          return assertMatch(message, /^Cannot use the host "\P{Cc}*": \P{Cc}+$/u);
        }
        const url = parseHost(text);
        assertMatch(url.protocol, /^https?:$/);
        assertEquals([url.hostname === "", url.search, url.hash], [false, "", ""]);
        assertEquals(parseHost(url).href, url.href);
      }),
      { numRuns: 1000 },
    );
  });

  it("shows no password, wherever it is and whatever it contains", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab1:/?#@[]%\\ .\n"), maxLength: 6 });
    const start = fc.constantFrom("", "http://", "https://", "ftp://");
    const end = fc.constantFrom("h", "h:x", "a b", "h/p", "h:70000", "[::1", "");
    fc.assert(
      fc.property(start, text, text, end, (start, before, after, end) => {
        const address = `${start}me:${before}${SECRET}${after}@${end}`;
        assertEquals(messageAbout(address)?.includes(SECRET) ?? false, false);
        assertEquals(hideSecrets(address).includes(SECRET), false);
      }),
      { numRuns: 1000 },
    );
  });

  it("shows no query and no fragment", () => {
    const separator = fc.constantFrom("?", "#");
    fc.assert(fc.property(separator, fc.string(), fc.string(), (separator, before, after) => {
      const message = messageAbout(`h:x/p${separator}${before}${SECRET}${after}`);
      assertEquals(message!.includes(SECRET), false);
    }));
  });

  it("has Ollama's default", () => {
    assertEquals(parseHost().href, "http://127.0.0.1:11434/");
    assertEquals(parseHost(undefined).href, "http://127.0.0.1:11434/");
    assertAddresses({
      "": "http://127.0.0.1:11434/",
      " \n": "http://127.0.0.1:11434/",
      '""': "http://127.0.0.1:11434/",
    });
  });

  it("uses Ollama's port without a scheme, and the scheme's port with one", () => {
    assertAddresses({
      "example.com": "http://example.com:11434/",
      "1.2.3.4:80": "http://1.2.3.4/",
      ":56789": "http://127.0.0.1:56789/",
      "http://1.2.3.4": "http://1.2.3.4/",
      "https://1.2.3.4": "https://1.2.3.4/",
      "http://": "http://127.0.0.1/",
      "https://:8443": "https://127.0.0.1:8443/",
      "http:8080": "http://http:8080/",
    });
  });

  it("treats a backslash as a slash, as URLs do", () => {
    assertAddresses({ "h\\x": "http://h:11434/x" });
  });

  it("takes only ollama.com to mean https", () => {
    assertAddresses({
      "ollama.com": "https://ollama.com/",
      "ollama.com:8080": "http://ollama.com:8080/",
      "http://ollama.com": "http://ollama.com/",
    });
  });

  it("accepts IPv6 addresses with and without brackets", () => {
    assertAddresses({
      "[::1]": "http://[::1]:11434/",
      "::1": "http://[::1]:11434/",
      "::1/path": "http://[::1]:11434/path",
      "[0001:002:003:0004::1]:56789": "http://[1:2:3:4::1]:56789/",
      "https://[::1]/path": "https://[::1]/path",
    });
  });

  it("connects to this machine if the address means all its addresses", () => {
    assertAddresses({
      "0.0.0.0:8080": "http://127.0.0.1:8080/",
      "http://0.0.0.0:11434/p": "http://127.0.0.1:11434/p",
      "::": "http://[::1]:11434/",
      "[::]:8080": "http://[::1]:8080/",
      "[::ffff:0.0.0.0]": "http://127.0.0.1:11434/",
    });
    assertEquals(parseHost(new URL("http://0.0.0.0:1")).href, "http://127.0.0.1:1/");
  });

  it("ignores white space and quotes around an address", () => {
    for (const text of [" 1.2.3.4\n", '"1.2.3.4"', "'1.2.3.4'", ' " 1.2.3.4 " ']) {
      assertEquals(parseHost(text).href, "http://1.2.3.4:11434/", text);
    }
    assertEquals(parseHost(new URL("http://h/'")).href, "http://h/'");
  });

  it("says what is wrong, and what to write instead", () => {
    const messages: Record<string, string> = {
      "ftp://x": "the scheme must be http or https, such as http://127.0.0.1:11434",
      "unix:///run/ollama.sock": "the scheme must be http or https, such as http://127.0.0.1:11434",
      "://x": "the scheme must be http or https, such as http://127.0.0.1:11434",
      "http:/x": "two slashes must follow the scheme, such as http://127.0.0.1:11434",
      "https:x": "two slashes must follow the scheme, such as http://127.0.0.1:11434",
      "8080": 'a port needs a colon before it, such as ":8080"',
      "http://8080/p": 'a port needs a colon before it, such as ":8080"',
      "x:": 'the port after ":" is missing; write it, such as :11434, or leave out the ":"',
      "x:y": "the port must be a number, such as :11434",
      ":-1": "the port must be a number, such as :11434",
      "x:65536": "the port must be from 1 to 65535",
      ":0": "the port must be from 1 to 65535",
      "a b": "it contains white space or a control character; in a path or a password, " +
        "percent-encode it, such as %20",
      "a\tb": "it contains white space or a control character; in a path or a password, " +
        "percent-encode it, such as %20",
      "a<b": "the host name is neither a valid domain name nor a valid IP address",
      "1.2.3.256": "the host name is neither a valid domain name nor a valid IP address",
      "::1:11434": "what has brackets or several colons must be an IPv6 address, such as ::1, or " +
        "[::1]:11434 with a port",
      "[::1": "what has brackets or several colons must be an IPv6 address, such as ::1, or " +
        "[::1]:11434 with a port",
      "fe80::1%eth0": "a URL cannot contain the zone of an IPv6 address, such as %eth0",
    };
    for (const [text, problem] of Object.entries(messages)) {
      assertEquals(messageAbout(text), `Cannot use the host ${JSON.stringify(text)}: ${problem}`);
    }
  });

  it("says what to do about a password that must be percent-encoded", () => {
    const problem = 'percent-encode "/", "?", "#" and "\\" in a user name or password, such as ' +
      '%2F for "/"';
    assertEquals(messageAbout("http://me:a/b@h"), `Cannot use the host "http://***@h": ${problem}`);
    assertEquals(messageAbout("me:a?b@h"), `Cannot use the host "***": ${problem}`);
  });

  it("quotes the start of a long address", () => {
    const message = messageAbout(`${"x".repeat(100_000)}:y`)!;
    assertEquals(
      message,
      `Cannot use the host "${"x".repeat(80)}…": the port must be a number, such as :11434`,
    );
    assert(messageAbout("9".repeat(100_000))!.length < 300);
  });

  it("takes time in proportion to the text", () => {
    for (const text of ['"', " ", ":", "[", "@", "/", "http://"]) {
      const startedAt = performance.now();
      messageAbout(`x${text.repeat(300_000)}x`);
      assert(performance.now() - startedAt < 2_000, `${text} takes too long`);
    }
  });
});

/** Where a URL leads. */
function showParts({ protocol, hostname, port }: URL): Record<string, string> {
  return { protocol, hostname, port };
}

describe("showHost", () => {
  it("shows an address without user name, password, query and fragment", () => {
    const shown: Record<string, string> = {
      "http://127.0.0.1:11434": "http://127.0.0.1:11434",
      "https://h/p/": "https://h/p",
      [`http://me:${SECRET}@h:1/p/?key=${SECRET}#${SECRET}`]: "http://***@h:1/p",
      [`http://${SECRET}@h`]: "http://***@h",
      [`http://:${SECRET}@[::1]:80`]: "http://***@[::1]",
    };
    for (const [href, expected] of Object.entries(shown)) {
      assertEquals(showHost(new URL(href)), expected);
    }
  });
});

describe("hideSecrets", () => {
  it("keeps everything that is not secret", () => {
    for (const text of ["", "h", "http://h:x", "::", "ftp://h/p", "http:h"]) {
      assertEquals(hideSecrets(text), text);
    }
  });
});
