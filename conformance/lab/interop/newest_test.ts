import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { SERVER_VERSION } from "../../../mock/endpoints/neighbours.ts";
import { readRecordings } from "../recordings/recording.ts";
import { compareNewest, type ListCommand, newestVersion } from "./newest.ts";
import { CURRENT_VERSION } from "./servers/reference.ts";

/** A command that prints something, as `go list` would. */
const printing = (text: string): ListCommand => ({
  program: "sh",
  args: ["-c", 'printf "%s\\n" "$0"', text],
});

describe("the newest version", () => {
  it("is the largest by its numbers, wherever it is listed", async () => {
    const parts = fc.array(fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(parts, async (versions) => {
        const listed = versions.map((numbers) => `v${numbers.join(".")}`).join(" ");
        const largest = versions.reduce((a, b) => isLess(a, b) ? b : a);
        assertEquals(await newestVersion(printing(`example.com/m ${listed}`)), largest.join("."));
      }),
      { numRuns: 20 },
    );
  });

  it("is never a preview", async () => {
    const listed = printing(
      "example.com/m v0.9.0 v0.10.0 v0.11.0-rc1 v0.11.0-0.20260101000000-abcd",
    );
    assertEquals(await newestVersion(listed), "0.10.0");
  });

  it("is not known where it cannot be had", async () => {
    const commands = [
      { program: "no-such-program", args: [] },
      { program: "sh", args: ["-c", "echo example.com/m v1.0.0; exit 1"] },
      printing("example.com/m"),
      printing(""),
    ];
    for (const command of commands) assertEquals(await newestVersion(command), undefined);
  });

  it("is said to be that of the mock, or not", () => {
    const start = "The newest version of ollama serve that Go lists is";
    assertEquals(compareNewest(undefined), "");
    assertEquals(
      compareNewest("0.34.1", "0.34.1"),
      `${start} 0.34.1: the mock was compared with it\n`,
    );
    assertEquals(
      compareNewest("0.9.9", "0.34.1"),
      `${start} 0.9.9: the mock was compared with 0.34.1, which is newer\n`,
    );
    assertStringIncludes(
      compareNewest("0.100.0", "0.34.1"),
      `${start} 0.100.0: the mock was compared with 0.34.1 only. Set CURRENT_VERSION`,
    );
  });
});

describe("the version that the mock was compared with", () => {
  it("is the one that it tells, and the one that was recorded", async () => {
    const today = (await readRecordings()).find(({ dialect }) => dialect === "v0.33")!;
    assertEquals(SERVER_VERSION, CURRENT_VERSION);
    assertEquals(today.server, `ollama serve ${CURRENT_VERSION}`);
  });
});

/** Whether a version is older than another one. */
function isLess(a: readonly number[], b: readonly number[]): boolean {
  const index = a.findIndex((number, index) => number !== b[index]);
  return index !== -1 && a[index]! < b[index]!;
}
