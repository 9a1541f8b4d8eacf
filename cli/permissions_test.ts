import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describeDenial, isGranted } from "./permissions.ts";

/** An error as Deno throws it. */
function denial(message: string): Error {
  return Object.assign(new Error(message), { name: "NotCapable" });
}

const requires = (kind: string, thing = "") =>
  denial(`Requires ${kind} access${thing}, run again with the --allow-${kind} flag`);

describe("describeDenial", () => {
  it("says what cannot be done, and which flag lets it be done", () => {
    const rows = [
      [
        requires("env", ' to "TERM_PROGRAM"'),
        "Cannot read the environment variable TERM_PROGRAM: run it with --allow-env=TERM_PROGRAM",
      ],
      [requires("env"), "Cannot read the environment variables: run it with --allow-env"],
      [
        requires("net", ' to "127.0.0.1:11434"'),
        "Cannot use the network address 127.0.0.1:11434: run it with --allow-net=127.0.0.1:11434",
      ],
      [
        requires("net", ' to "127.0.0.1:0"'),
        "Cannot use the network address 127.0.0.1: run it with --allow-net=127.0.0.1",
      ],
      [
        requires("read", ' to "/tmp/a b"'),
        "Cannot read /tmp/a b: run it with '--allow-read=/tmp/a b'",
      ],
      [requires("read", " to <CWD>"), "Cannot read <CWD>: run it with '--allow-read=<CWD>'"],
      [requires("write", ' to "/a"'), "Cannot write /a: run it with --allow-write=/a"],
      [requires("run", ' to "ps"'), "Cannot run ps: run it with --allow-run=ps"],
      [
        requires("sys", ' to "hostname"'),
        "Cannot ask the system for hostname: run it with --allow-sys=hostname",
      ],
      [denial("Something new"), "Something new"],
    ] as const;
    for (const [error, line] of rows) assertEquals(describeDenial(error), line);
  });

  it("finds the permission in what an error was caused by, and nothing in other errors", () => {
    const cause = requires("net", ' to "h:1"');
    const outer = new TypeError("Cannot reach http://h:1", { cause: new Error("a", { cause }) });
    assertEquals(describeDenial(outer), describeDenial(cause));
    for (const other of [new Error("Requires env access"), "NotCapable", undefined]) {
      assertEquals(describeDenial(other), undefined);
    }
  });

  it("is one line that is safe for a terminal, whatever the words", () => {
    const kind = fc.constantFrom("env", "net", "read", "write", "run", "sys", "new");
    fc.assert(fc.property(kind, fc.string({ unit: "binary" }), (kind, thing) => {
      const line = describeDenial(requires(kind, ` to "${thing}"`));
      assert(line !== undefined && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(line), line);
    }));
  });
});

describe("isGranted", () => {
  it("is true where everything is allowed", () => {
    assertEquals(isGranted({ name: "env", variable: "TERM" }), true);
  });
});
