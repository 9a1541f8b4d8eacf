import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { isSameModel, ModelName, parseModelName, parsePlainName } from "./model_name.ts";

/** Names with their short form, or `undefined` if they are invalid: asked of the reference's own code. */
const NAMES: Readonly<Record<string, string | undefined>> = {
  "127.0.0.1:5000/a/b": "127.0.0.1:5000/a/b:latest",
  "://h/a/b": "h/a/b:latest",
  "X": "X:latest",
  "__proto__": "__proto__:latest",
  "_x": "_x:latest",
  "a/b": "a/b:latest",
  "a/b.c:d": "a/b.c:d",
  "a_b/c": "a_b/c:latest",
  "constructor": "constructor:latest",
  "ftp://h/a/b": "h/a/b:latest",
  "h.:-/a/b": "h.:-/a/b:latest",
  "h/library/b": "h/library/b:latest",
  "h:/a/b": "h:/a/b:latest",
  "h:80/a/b:c": "h:80/a/b:c",
  "h:p/a/b": "h:p/a/b:latest",
  "http:///a/b": "a/b:latest",
  "http://h:1/a/b": "h:1/a/b:latest",
  "https://h:1/a/b:c": "h:1/a/b:c",
  "llama3.2:1b": "llama3.2:1b",
  "registry.ollama.ai/library/x": "x:latest",
  "Registry.Ollama.AI/Library/X:y": "X:y",
  "registry.ollama.ai/a/x": "a/x:latest",
  "x-": "x-:latest",
  "x.": "x.:latest",
  " x\n": "x:latest",
  "x:cloud": "x:cloud",
  "x:CLOUD": "x:cloud",
  "x:20b:cloud": "x:20b-cloud",
  "x:20b-cloud": "x:20b-cloud",
  "x:20B-CLOUD": "x:20B-cloud",
  "x: cloud": "x:cloud",
  "x: 20b-cloud": "x:20b-cloud",
  "x:local": "x:latest",
  "x:20b:Local": "x:20b",
  "x:20b-local": "x:20b-local",
  "x-cloud": "x-cloud:latest",
  "h:80/a/x-cloud": "h:80/a/x-cloud:latest",
  "x-cloud:local": "x-cloud:latest",
  "cloud": "cloud:latest",
  "h:80/a/x:cloud": "h:80/a/x:cloud",
  "http://h/a/x:local": "h/a/x:latest",
  "": undefined,
  " ": undefined,
  "%2e%2e": undefined,
  "-x": undefined,
  "..": undefined,
  "../../etc/passwd": undefined,
  "./x": undefined,
  ".x": undefined,
  "/x": undefined,
  ":": undefined,
  "::1/a/b": undefined,
  ":cloud": undefined,
  ":local": undefined,
  ":x": undefined,
  "[::1]:80/a/b": undefined,
  "a\u0000b": undefined,
  "a.b/c": undefined,
  "a//b": undefined,
  "a/b/c/d": undefined,
  "a/b/c:d/e": undefined,
  "a\\b": undefined,
  "h/../b": undefined,
  "http://a/b": undefined,
  "http://h/a/b/c": undefined,
  "http://h://x/a/b": undefined,
  "http://x": undefined,
  "x y": undefined,
  "x :cloud": undefined,
  "x/": undefined,
  "x:": undefined,
  "x:-cloud": undefined,
  "x:..": undefined,
  "x:1/y": undefined,
  "x:y:z": undefined,
  "x:y-cloud:cloud": undefined,
  "x:cloud:cloud": undefined,
  "x:cloud:local": undefined,
  "x:local:cloud": undefined,
  "x@sha256:abc": undefined,
  "~x": undefined,
  "é": undefined,
};

const VALID_NAMES = Object.keys(NAMES).filter((name) => NAMES[name] !== undefined);

const first = fc.constantFrom(..."azAZ09_");
const part = (other: string, longest: number) =>
  fc.tuple(first, fc.string({ unit: fc.constantFrom(...other), maxLength: longest - 1 }))
    .map(([first, rest]) => first + rest);
const host = part("azAZ09_-.:", 350);
const namespace = part("azAZ09_-", 80);
const model = part("azAZ09_-.", 80);
/** Tags that say nothing of where the model runs, nor may when something is put before them. */
const tag = part("azAZ09_-.", 80);
const scheme = fc.constantFrom("http", "https");
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** Texts that look like names, most of them invalid. */
const nearlyName = fc.array(
  fc.oneof(
    fc.constantFrom(":", "/", "://", "-", ".", "@", "x", "cloud", "local", "http", "y".repeat(80)),
    fc.string({ unit: "binary", maxLength: 2 }),
  ),
  { maxLength: 8 },
).map((pieces) => pieces.join(""));

const anyName = fc.oneof(nearlyName, fc.constantFrom(...VALID_NAMES), model);

/** A name, or the message about it. */
function parse(text: string): ModelName | string {
  try {
    return parseModelName(text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return error.message;
  }
}

function messageAbout(text: string): string {
  const message = parse(text);
  if (typeof message !== "string") throw new Error(`${JSON.stringify(text)} is valid`);
  return message;
}

const partsOf = ({ host, namespace, model, tag }: ModelName) => [host, namespace, model, tag];

describe("parseModelName", () => {
  it("returns the given parts, and the defaults of the others", () => {
    const written = fc.oneof(
      fc.record({ model, tag: optional(tag) }),
      fc.record({ namespace, model, tag: optional(tag) }),
      fc.record({ scheme: optional(scheme), host, namespace, model, tag: optional(tag) }),
    ) as fc.Arbitrary<Record<string, string | undefined>>;
    fc.assert(fc.property(written, ({ scheme, host, namespace, model, tag }) => {
      const text = (scheme === undefined ? "" : `${scheme}://`) +
        [host, namespace, model].filter((part) => part !== undefined).join("/") +
        (tag === undefined ? "" : `:${tag}`);
      assertEquals({ ...parseModelName(text) }, {
        scheme: scheme ?? "https",
        host: host ?? "registry.ollama.ai",
        namespace: namespace ?? "library",
        model: model!,
        tag: tag ?? "latest",
        source: undefined,
      });
    }));
  });

  it("uses the defaults for an empty scheme or host", () => {
    const { scheme, host } = parseModelName(":///a/b");
    assertEquals([scheme, host], ["https", "registry.ollama.ai"]);
  });

  it("returns a name, or says in one short line why not", () => {
    fc.assert(
      fc.property(nearlyName, (text) => {
        const name = parse(text);
        if (typeof name !== "string") return assert(name instanceof ModelName);
        assertMatch(name, /^Cannot use the model name "\P{Cc}*": \P{Cc}+$/u);
        assert(name.length < 700, `${name.length}`);
      }),
      { numRuns: 1000 },
    );
  });

  it("returns the same parts for the short form of a name", () => {
    fc.assert(
      fc.property(anyName, (text) => {
        const name = parse(text);
        if (typeof name === "string") return;
        const again = parseModelName(String(name)) as ModelName;
        assertEquals(String(again), String(name));
        assertEquals(partsOf(again).join().toLowerCase(), partsOf(name).join().toLowerCase());
      }),
      { numRuns: 1000 },
    );
  });

  it("ignores white space around a name", () => {
    const space = fc.string({
      unit: fc.constantFrom(" ", "\t", "\n", "\r", "\u00a0"),
      maxLength: 3,
    });
    fc.assert(fc.property(space, fc.constantFrom(...VALID_NAMES), space, (before, text, after) => {
      assertEquals(parse(before + text + after), parse(text));
    }));
  });

  it("knows where a model runs by the end of its name, however its tag is written", () => {
    fc.assert(fc.property(namespace, model, optional(tag), (namespace, model, tag) => {
      const tagless = `${namespace}/${model}`;
      const text = tag === undefined ? tagless : `${tagless}:${tag}`;
      const cloudTag = tag === undefined ? "cloud" : `${tag}-cloud`;
      if (cloudTag.length > 80) return;
      const cloud = parseModelName(`${text}:cloud`);
      assertEquals([cloud.source, cloud.tag], ["cloud", cloudTag]);
      assertEquals(parseModelName(`${tagless}:${cloudTag}`), cloud);
      const local = parseModelName(`${text}:local`);
      assertEquals([local.source, local.tag], ["local", tag ?? "latest"]);
    }));
  });

  it("reads, shows and refuses names as the reference does", () => {
    for (const [text, short] of Object.entries(NAMES)) {
      const name = parse(text);
      assertEquals(
        typeof name === "string" ? undefined : String(name),
        short,
        JSON.stringify(text),
      );
    }
  });

  it("says which part is wrong, and what is allowed", () => {
    const form = "the form is [host[:port]/][namespace/]model[:tag]";
    const scheme = "a scheme must be followed by host, namespace and model, such as " +
      "https://host/namespace/model";
    const twice = 'it says twice where the model runs; write either ":cloud" or ":local", once';
    const messages: Record<string, string> = {
      "": `the model is missing; ${form}`,
      "x/": `the model is missing; ${form}`,
      "x:": `the tag is missing; ${form}`,
      "/x": `the namespace is missing; ${form}`,
      "/x/y": `the host is missing; ${form}`,
      "a/b/c/d": `it has too many slashes; ${form}`,
      "http://x": scheme,
      "http://x/y": scheme,
      "x:local:cloud": twice,
      "x:y-cloud:local": twice,
      "h~/a/b": 'the host contains "~"; it may contain a-z, A-Z, 0-9, "_", "-", "." and ":"',
      "a.b/c": 'the namespace contains "."; it may contain a-z, A-Z, 0-9, "_" and "-"',
      "é": 'the model contains "é"; it may contain a-z, A-Z, 0-9, "_", "-" and "."',
      "x:y z": 'the tag contains " "; it may contain a-z, A-Z, 0-9, "_", "-" and "."',
      "-x": 'the model must begin with a letter, a digit or "_"',
      "x:.y": 'the tag must begin with a letter, a digit or "_"',
      "x@sha256:abc": 'the model contains "@"; it may contain a-z, A-Z, 0-9, "_", "-" and "."',
    };
    for (const [text, problem] of Object.entries(messages)) {
      assertEquals(
        messageAbout(text),
        `Cannot use the model name ${JSON.stringify(text)}: ${problem}`,
      );
    }
  });

  it("has a limit for the length of each part", () => {
    const name = (host: number, namespace: number, model: number, tag: number) =>
      parse(
        `${"h".repeat(host)}/${"n".repeat(namespace)}/${"m".repeat(model)}:${"t".repeat(tag)}`,
      );
    assert(name(350, 80, 80, 80) instanceof ModelName);
    assertMatch(String(name(351, 80, 80, 80)), /: the host is longer than 350 characters$/);
    assertMatch(String(name(350, 81, 80, 80)), /: the namespace is longer than 80 characters$/);
    assertMatch(String(name(350, 80, 81, 80)), /: the model is longer than 80 characters$/);
    assertMatch(String(name(350, 80, 80, 81)), /: the tag is longer than 80 characters$/);
  });

  it("rejects anything but a string", () => {
    const missing = undefined as unknown as string;
    assertThrows(
      () => parseModelName(missing),
      TypeError,
      'The model name must be a string such as "llama3.2", not undefined',
    );
  });

  it("shows no password", () => {
    for (const text of ["http://me:hunter2@h/a/b", "me:hunter2@h/a/b", "http://a@me:hunter2@h/x"]) {
      const message = messageAbout(text);
      assert(message.includes("***@h/"), message);
      assert(!message.includes("hunter2"), message);
    }
  });

  it("takes time in proportion to the text", () => {
    for (const text of [":", "/", "://", "-cloud", ":cloud", " ", "@"]) {
      const startedAt = performance.now();
      parse(`x${text.repeat(300_000)}x`);
      assert(performance.now() - startedAt < 2_000, `${text} takes too long`);
    }
  });
});

describe("parsePlainName", () => {
  it("reads the end of a name as part of the tag, and white space as part of the name", () => {
    assertEquals(parsePlainName("x:local").tag, "local");
    assertEquals(parsePlainName("x:20b-CLOUD").tag, "20b-CLOUD");
    assertThrows(() => parsePlainName("x:20b:cloud"), TypeError, 'the model contains ":"');
    assertThrows(() => parsePlainName(" x"), TypeError, 'the model contains " "');
  });
});

describe("isSameModel", () => {
  it("is an equivalence of names", () => {
    fc.assert(
      fc.property(anyName, anyName, anyName, (a, b, c) => {
        assert(isSameModel(a, a));
        assertEquals(isSameModel(a, b), isSameModel(b, a));
        if (isSameModel(a, b)) assertEquals(isSameModel(a, c), isSameModel(b, c));
      }),
      { numRuns: 1000 },
    );
  });

  it("is true exactly for names whose parts differ at most in case", () => {
    const name = fc.constantFrom(...VALID_NAMES);
    fc.assert(
      fc.property(name, name, (a, b) => {
        const [one, other] = [a, b].map((text) => partsOf(parseModelName(text)));
        const isSame = one!.every((part, index) =>
          part.toLowerCase() === other![index]!.toLowerCase()
        );
        assertEquals(isSameModel(a, b), isSame);
        assert(isSameModel(a, a.toUpperCase()));
        assert(isSameModel(a, String(parseModelName(a))));
      }),
      { numRuns: 1000 },
    );
  });

  it("ignores explicit defaults", () => {
    for (
      const same of [
        "x:latest",
        "library/x",
        "registry.ollama.ai/library/X:LATEST",
        " x",
        "x:local",
      ]
    ) {
      assert(isSameModel("x", same), same);
    }
    for (const other of ["x:1b", "me/x", "h/library/x", "x:cloud", "y", ""]) {
      assert(!isSameModel("x", other), other);
    }
    assert(isSameModel("gpt-oss:20b:cloud", "gpt-oss:20b-cloud"));
  });

  it("equates invalid names only if they are identical", () => {
    assert(isSameModel("a b", "a b"));
    assert(!isSameModel("a b", "A b"));
    assert(!isSameModel("", " "));
  });
});
