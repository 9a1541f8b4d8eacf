import { spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { type Processes, realProcesses, watchParents } from "./parent_watch.ts";

/** Processes of a test: this one's parent is 20, whose parent is 10. */
class TestProcesses implements Processes {
  readonly running = new Set([10, 20]);
  now = 20;
  parent = () => this.now;
  parentOf = (pid: number) => Promise.resolve(pid === 20 ? 10 : undefined);
  isRunning = (pid: number) => this.running.has(pid);
}

async function watch(env: Record<string, string>, processes: Processes) {
  let look: (() => void) | undefined;
  let gone = 0;
  const stop = await watchParents({
    env,
    processes,
    repeat: (callback) => {
      look = callback;
      return () => look = undefined;
    },
    onGone: () => gone++,
  });
  return { look: () => look?.(), gone: () => gone, isLooking: () => look !== undefined, stop };
}

describe("watchParents", () => {
  it("reports once that the parent has ended", async () => {
    const processes = new TestProcesses();
    const { look, gone, isLooking } = await watch({}, processes);
    look();
    assertEquals(gone(), 0);
    processes.now = 1; // handed over
    look();
    look();
    assertEquals([gone(), isLooking()], [1, false]);
  });

  it("reports that npm has ended even if its shell waits, and looks for a shell behind npm only", async () => {
    for (const [env, expected] of [[{ npm_command: "exec" }, 1], [{}, 0]] as const) {
      const processes = new TestProcesses();
      const { look, gone } = await watch(env, processes);
      processes.running.delete(10);
      look();
      assertEquals(gone(), expected);
    }
  });

  it("ignores detached processes, and those whose ancestors are unknown", async () => {
    const detached = new TestProcesses();
    detached.now = 1;
    assertEquals((await watch({ npm_command: "exec" }, detached)).isLooking(), false);
    const secret = new TestProcesses();
    secret.parentOf = () => Promise.resolve(undefined);
    const { look, gone } = await watch({ npm_command: "exec" }, secret);
    look();
    assertEquals(gone(), 0);
  });

  it("asks the system", async () => {
    assertEquals(realProcesses.parent(), process.ppid);
    assertEquals(await realProcesses.parentOf(process.pid), process.ppid);
    assertEquals(await realProcesses.parentOf(2 ** 22 + 1), undefined);
    assertEquals(realProcesses.isRunning(process.pid), true);
    const child = spawn("true");
    await new Promise((resolve) => child.once("close", resolve));
    assertEquals(realProcesses.isRunning(child.pid!), false);
  });
});
