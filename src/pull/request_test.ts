import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import type { PullModelOptions } from "./options.ts";
import { planRequest } from "./request.ts";

const { signal } = new AbortController();

/** The request for a model, as `fetch` gets it. */
function requestFor(options: PullModelOptions) {
  const { url, init } = planRequest("llama3.2", options);
  return { url: url.href, ...init(signal) };
}

describe("the address of a request", () => {
  it("is the endpoint below the path of the host", () => {
    const addresses: [host: string | URL | undefined, url: string][] = [
      [undefined, "http://127.0.0.1:11434/api/pull"],
      ["", "http://127.0.0.1:11434/api/pull"],
      ["localhost:8080", "http://localhost:8080/api/pull"],
      ["https://example.com/ollama", "https://example.com/ollama/api/pull"],
      ["https://example.com/ollama/", "https://example.com/ollama/api/pull"],
      [new URL("http://[::1]:1/"), "http://[::1]:1/api/pull"],
      ["http://me:secret@example.com/?token=secret", "http://example.com/api/pull"],
    ];
    for (const [host, url] of addresses) assertEquals(requestFor({ host }).url, url);
  });

  it("is the given path instead of the default one", () => {
    const host = "http://localhost/ollama";
    for (const path of ["/api/pull/0", "api/pull/0"]) {
      assertEquals(requestFor({ host, path }).url, "http://localhost/ollama/api/pull/0");
    }
    assertEquals(requestFor({ host, path: undefined }).url, "http://localhost/ollama/api/pull");
  });
});

describe("the headers of a request", () => {
  it("are a plain object, which a wrapper of fetch can spread", () => {
    const { headers, method } = requestFor({ headers: { "X-Trace": "1" } });
    assertEquals({ method, ...headers }, {
      "method": "POST",
      "accept": "application/x-ndjson",
      "content-type": "application/json",
      "x-trace": "1",
    });
  });

  it("are accepted in every form, and only the caller's content type is replaced", () => {
    const given = { "accept": "*/*", "authorization": "Bearer a", "content-type": "text/plain" };
    const expected = { ...given, "content-type": "application/json" };
    const forms: PullModelOptions["headers"][] = [
      given,
      new Headers(given),
      Object.entries(given) as [string, string][],
    ];
    for (const headers of forms) {
      assertEquals(requestFor({ headers, host: "http://me:pw@localhost" }).headers, expected);
    }
  });

  it("ask for one object if the server should not stream", () => {
    assertEquals(requestFor({ stream: false }).headers["accept"], "application/json");
  });

  it("have the user name and password of the host, whatever characters these have", () => {
    const text = fc.string({ unit: "grapheme" });
    fc.assert(fc.property(text, text, (username, password) => {
      const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
      const { headers } = requestFor({ host: `http://${login}@localhost` });
      const authorization = headers["authorization"];
      if (username + password === "") return assertEquals(authorization, undefined);
      const bytes = Uint8Array.from(atob(authorization!.slice(6)), (byte) => byte.charCodeAt(0));
      assertEquals(new TextDecoder().decode(bytes), `${username}:${password}`);
    }));
  });

  it("keep a stray percent sign in a password", () => {
    const { headers } = requestFor({ host: "http://me:50%@localhost" });
    assertEquals(headers["authorization"], `Basic ${btoa("me:50%")}`);
  });

  it("name the header that cannot be sent, what is wrong with it, and not its value", () => {
    const bad: [headers: Record<string, string>, message: RegExp][] = [
      [{ "X-Key": "a\nb" }, /^Cannot send the header "X-Key": its value has a character/],
      [{ "X-Key": "\u20ac" }, /^Cannot send the header "X-Key": its value has a character/],
      [{ "X Key": "a" }, /^Cannot send the header "X…": .* it has " "$/],
      [{ "X-Key: value": "a" }, /^Cannot send the header "X-Key…": .* it has ":"$/],
      [{ "": "a" }, /^Cannot send the header "…": .* it is empty$/],
    ];
    for (const [headers, message] of bad) {
      assertMatch(assertThrows(() => requestFor({ headers }), TypeError).message, message);
    }
  });
});

describe("the body of a request", () => {
  it("has the model, and the other options", () => {
    const bodies: [options: PullModelOptions, body: unknown][] = [
      [{}, { model: "llama3.2", name: "llama3.2", stream: true }],
      [{ insecure: true }, { model: "llama3.2", name: "llama3.2", insecure: true, stream: true }],
      [{ insecure: false, stream: false }, {
        model: "llama3.2",
        name: "llama3.2",
        insecure: false,
        stream: false,
      }],
      [{ insecure: undefined, stream: undefined }, {
        model: "llama3.2",
        name: "llama3.2",
        stream: true,
      }],
    ];
    for (const [options, body] of bodies) assertEquals(JSON.parse(requestFor(options).body), body);
  });

  it("requires a valid model name", () => {
    const bad: [model: unknown, message: RegExp][] = [
      [
        undefined,
        /^Cannot pull a model of type undefined: it must be a name, such as "llama3\.2"$/,
      ],
      [["a"], /^Cannot pull a model of type object: it must be a name/],
      ["", /^Cannot use the model name "": the model is missing/],
      [" ", /^Cannot use the model name " ": the model is missing/],
      ["a b", /^Cannot use the model name "a b": the model contains " "/],
      ["x:local:cloud", /^Cannot use the model name "x:local:cloud"/],
    ];
    for (const [model, message] of bad) {
      const error = assertThrows(() => planRequest(model as string, {}), TypeError);
      assertMatch(error.message, message);
    }
  });
});
