import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import type { PullProgress } from "../mod.ts";
import { PullSummary } from "./summary.ts";
import { downloading, step } from "./test_helpers.ts";

/** What is said of a pull that took some seconds and showed some snapshots. */
function summarize(seconds: number, snapshots: readonly PullProgress[], retries = 0): string {
  let time = 5_000;
  const summary = new PullSummary("a\x1b[2J", () => time);
  for (const progress of snapshots) summary.add(progress);
  for (let count = 0; count < retries; count++) summary.addRetry();
  time += seconds * 1000;
  return String(summary);
}

describe("PullSummary", () => {
  it("has the size, the time, the speed and the retries", () => {
    const snapshots = [downloading([[0, 2e9]]), downloading([[2e9, 2e9]])];
    assertEquals(summarize(38, snapshots), "a: 2.0 GB in 38 s, 53 MB/s");
    assertEquals(summarize(38, snapshots, 1), "a: 2.0 GB in 38 s, 53 MB/s, 1 retry");
    assertEquals(summarize(38, snapshots, 2), "a: 2.0 GB in 38 s, 53 MB/s, 2 retries");
  });

  it("does not count as speed what was there before", () => {
    const snapshots = [downloading([[1e9, 2e9]]), downloading([[2e9, 2e9], [5, 5]])];
    assertEquals(
      summarize(10, snapshots),
      "a: 2.0 GB in 10 s, 100 MB/s, 1.0 GB already present",
    );
  });

  it("claims no speed where there was nothing to download, or no time", () => {
    assertEquals(summarize(1, [downloading([[2e9, 2e9]])]), "a: 2.0 GB, ready in 1 s");
    assertEquals(summarize(1, [step("success", "success")]), "a: ready in 1 s");
    assertEquals(summarize(0, [downloading([[0, 9]]), downloading([[9, 9]])]), "a: 9 B in 0 s");
  });

  it("knows whether the server has said anything, and whether it has anything", () => {
    const summary = new PullSummary("a", () => 0);
    assertEquals([summary.hasBegun, summary.hasBytes], [false, false]);
    summary.add(downloading([[0, 9]]));
    assertEquals([summary.hasBegun, summary.hasBytes], [true, false]);
    summary.add(downloading([[1, 9]]));
    assertEquals(summary.hasBytes, true);
  });
});
