import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { PullError } from "../errors.ts";
import { findChallenge, readToken, tokenAddress } from "./token.ts";

const REGISTRY = new URL("https://registry.test/v2/library/m/manifests/latest");

/** A text in capital letters here and there. */
const anyCase = (text: string) =>
  fc.array(fc.boolean(), { minLength: text.length, maxLength: text.length }).map((capitals) =>
    Array.from(text, (letter, index) => capitals[index] ? letter.toUpperCase() : letter).join("")
  );

/** What a header can hold in quotes. */
const value = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
});

const space = fc.constantFrom("", " ", "\t", "  ");

/** A parameter as it may be written, quoted with as few or as many escapes as it may have. */
const parameter = (name: string, value: string) =>
  fc.record({ name: anyCase(name), before: space, after: space, escapesAll: fc.boolean() }).map(
    ({ name, before, after, escapesAll }) => {
      const escaped = value.replaceAll(escapesAll ? /[^]/g : /["\\]/g, "\\$&");
      return `${name}${before}=${after}"${escaped}"`;
    },
  );

/** Challenges of other schemes, which may stand before or after one for a token. */
const others = fc.constantFrom(
  [],
  ['Basic realm="https://a.test/token", charset="UTF-8"'],
  ["Negotiate"],
  ["Negotiate YWJj=="],
  ['Digest realm="Bearer realm=\\"x\\"", qop="auth, auth-int"', "Negotiate"],
);

const joined = fc.constantFrom(",", ", ", " , ", ",,  ");

describe("a challenge for a token", () => {
  it("is read however it is written, and whatever comes before and after it", () => {
    const cases = fc.record({
      realm: value,
      service: value,
      scopes: fc.array(fc.stringMatching(/^[!-~]+$/)),
    })
      .chain(({ realm, service, scopes }) =>
        fc.record({
          expected: fc.constant({ realm, service, scopes }),
          scheme: anyCase("bearer"),
          parameters: fc.tuple(
            parameter("realm", realm),
            parameter("service", service),
            parameter("scope", scopes.join(" ")),
            parameter("error", "invalid_token"),
          ).chain((all) => fc.shuffledSubarray(all, { minLength: all.length })),
          before: others,
          after: others,
          separator: joined,
        })
      );
    fc.assert(fc.property(cases, ({ expected, scheme, parameters, before, after, separator }) => {
      const challenge = `${scheme} ${parameters.join(separator)}`;
      const header = [...before, challenge, ...after].join(separator);
      assertEquals(findChallenge(header), expected, header);
    }));
  });

  it("is also read without quotes, and without service and scope", () => {
    assertEquals(findChallenge("Bearer realm=https://a.test/token,scope=a:b:pull"), {
      realm: "https://a.test/token",
      service: undefined,
      scopes: ["a:b:pull"],
    });
  });

  it("is the first one, if there are several", () => {
    const header = 'Bearer realm="https://a.test", Bearer realm="https://b.test"';
    assertStrictEquals(findChallenge(header)?.realm, "https://a.test");
  });

  it("is not found where there is none", () => {
    for (
      const header of [null, "", "Basic realm=x", 'Basic realm="Bearer realm=x"', "Bearer=x", "="]
    ) {
      assertStrictEquals(findChallenge(header), undefined, String(header));
    }
  });

  it("has no realm, if that cannot be read", () => {
    for (
      const header of [
        "Bearer",
        "bearer ,",
        'Bearer realm="https://a.test',
        "Bearer service=x",
        "Bearer x",
      ]
    ) {
      assertStrictEquals(findChallenge(header)?.realm, "", header);
    }
  });

  it("takes time proportional to the part of the header that is read", () => {
    const long = `${"Bearer ".padEnd(1_000_000, ", ")}realm="https://a.test"`;
    assertStrictEquals(findChallenge(long)?.realm, "");
  });

  it("is never an exception, whatever the header is", () => {
    const bits = fc.constantFrom(
      "Bearer",
      "realm",
      "=",
      '"',
      "\\",
      ",",
      " ",
      "x",
      "scope",
      "\u00ff",
    );
    fc.assert(fc.property(fc.array(bits), (parts) => void findChallenge(parts.join(""))));
  });
});

describe("the address of a token server", () => {
  const address = (realm: string, allowsHttp = false, scopes: string[] = [], service?: string) =>
    tokenAddress({ realm, service, scopes }, REGISTRY, allowsHttp);

  it("is the realm with service, each scope, and its own query", () => {
    const { origin, pathname, searchParams, hash } = address(
      "https://auth.test/token?a=b#c",
      false,
      ["repository:library/m:pull", "x y"],
      "a&b",
    );
    assertEquals([origin, pathname, hash], ["https://auth.test", "/token", ""]);
    assertEquals([...searchParams], [
      ["a", "b"],
      ["service", "a&b"],
      ["scope", "repository:library/m:pull"],
      ["scope", "x y"],
    ]);
  });

  it("has only the given parts", () => {
    assertStrictEquals(address("https://auth.test/token").href, "https://auth.test/token");
  });

  it("may be without TLS only if that is allowed", () => {
    assertStrictEquals(address("http://auth.test/token", true).href, "http://auth.test/token");
    const error = assertThrows(() => address("http://auth.test/token?key=hunter2"), PullError);
    assertEquals([error.code, error.message], [
      "malformed",
      "https://registry.test/v2/library/m/manifests/latest asks for a token from " +
      "http://auth.test/token, which has no TLS; insecure: true allows that",
    ]);
  });

  it("must not have another scheme", () => {
    for (
      const realm of [
        "",
        "/token",
        "My registry",
        "javascript:1",
        "file:///etc",
        "ftp://a.test",
        "//a.test",
        "https://me:hunter2@a.test/",
        "https://",
      ]
    ) {
      const error = assertThrows(
        () => address(realm, true),
        PullError,
        "which must be an https address",
      );
      assertStrictEquals(error.code, "malformed");
      assert(!error.message.includes("hunter2"), error.message);
    }
  });
});

describe("the answer of a token server", () => {
  it("has the token in one of two fields", () => {
    assertStrictEquals(readToken('{"token":"a.b-c_d~e+f/g=="}'), "a.b-c_d~e+f/g==");
    assertStrictEquals(readToken('{"access_token":"b","expires_in":300}'), "b");
    assertStrictEquals(readToken('{"token":"","access_token":"b"}'), "b");
    assertStrictEquals(readToken('{"token":"a","access_token":"b"}'), "a");
  });

  it("has none if it could not be sent", () => {
    for (
      const token of [
        '"a b"',
        '"a\\r\\nX-Key: b"',
        '"\u20ac"',
        '"\\u0000"',
        '""',
        "5",
        "null",
        '["a"]',
        "{}",
      ]
    ) {
      assertStrictEquals(readToken(`{"token":${token}}`), undefined, token);
    }
    for (const answer of ["", "{", "null", "5", "[]", '"a"', "<html>"]) {
      assertStrictEquals(readToken(answer), undefined, answer);
    }
  });
});
