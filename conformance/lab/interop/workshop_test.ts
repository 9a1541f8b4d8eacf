import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuildPlan, Workshop } from "./workshop.ts";

/** Does something in a folder that is removed afterwards. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "workshop-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A build that adds a line to a file each time that it is made. */
function countingPlan(log: string, more: Partial<BuildPlan> = {}): BuildPlan {
  const command = ["sh", "-c", `echo built >> '${log}' && pwd > where`];
  return { name: "thing", steps: () => [{ command }], ...more };
}

const linesOf = async (file: string) => (await readFile(file, "utf8")).trim().split("\n").length;

describe("a workshop", () => {
  it("builds a thing once, for all callers and later runs", async () => {
    await inFolder(async (folder) => {
      const plan = countingPlan(join(folder, "log"));
      const workshop = new Workshop(join(folder, "builds"));
      const [one, other] = await Promise.all([workshop.build(plan), workshop.build(plan)]);
      const tomorrow = await new Workshop(join(folder, "builds")).build(plan);
      assertEquals([one, one], [other, tomorrow]);
      assertEquals(await linesOf(join(folder, "log")), 1);
    });
  });

  it("builds it again when its sources or its steps have changed", async () => {
    await inFolder(async (folder) => {
      const log = join(folder, "log");
      const sources = join(folder, "sources");
      await mkdir(join(sources, "deep"), { recursive: true });
      const build = async (text: string, plan = countingPlan(log, { sources })) => {
        await writeFile(join(sources, "deep/file"), text);
        return await new Workshop(join(folder, "builds")).build(plan);
      };
      const [first, second] = [await build("1"), await build("2")];
      assertNotEquals(first, second);
      assertEquals(await build("1"), first);
      assertEquals(await readFile(join(second, "src/deep/file"), "utf8"), "2");
      const steps = () => [{ command: ["touch", "made"], cwd: "src", env: { UNUSED: "1" } }];
      const third = await build("2", { name: "thing", sources, steps });
      assertEquals((await readdir(join(third, "src"))).sort(), ["deep", "made"]);
      assertEquals(await linesOf(log), 2);
    });
  });

  it("says which step has failed and what it has printed, and tries again next time", async () => {
    await inFolder(async (folder) => {
      const flag = join(folder, "flag");
      const command = ["sh", "-c", `echo 'no luck' >&2; test -e '${flag}'`];
      const plan: BuildPlan = { name: "thing", steps: () => [{ command }] };
      const error = await assertRejects(() => new Workshop(folder).build(plan), Error) as Error;
      assertStringIncludes(error.message, "exit 1\nno luck");
      await writeFile(flag, "");
      await new Workshop(folder).build(plan);
    });
  });

  it("says that a program is not there", async () => {
    await inFolder(async (folder) => {
      const plan = { name: "thing", steps: () => [{ command: ["no-such-program"] }] };
      await assertRejects(() => new Workshop(folder).build(plan), Error, "no-such-program: ");
    });
  });
});
