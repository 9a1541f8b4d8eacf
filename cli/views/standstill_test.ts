import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { downloading, step } from "../test_helpers.ts";
import { Standstill } from "./standstill.ts";

describe("Standstill", () => {
  /** For how long nothing came, each time after a number of milliseconds. */
  function measure(note: (standstill: Standstill, index: number) => void, times: number[]) {
    let time = 0;
    const standstill = new Standstill(() => time);
    return times.map((milliseconds, index) => {
      time += milliseconds;
      note(standstill, index);
      return standstill.seconds;
    });
  }

  it("is reported from three seconds on, whether the server is silent or repeats itself", () => {
    const expected = [undefined, 3, 12];
    assertEquals(measure(() => {}, [2_999, 1, 9_500]), expected);
    const stuck = downloading([[10, 20]]);
    assertEquals(measure((standstill) => standstill.note(stuck), [0, 3_000, 9_500]), [
      undefined,
      3,
      12,
    ]);
  });

  it("ends with a byte, another step, or another attempt", () => {
    const bytes = (standstill: Standstill, index: number) =>
      standstill.note(downloading([[index, 20]]));
    assertEquals(measure(bytes, [0, 5_000, 5_000]), [undefined, undefined, undefined]);
    const steps = (standstill: Standstill, index: number) =>
      standstill.note(step("verifying", `step ${index}`));
    assertEquals(measure(steps, [0, 5_000, 5_000]), [undefined, undefined, undefined]);
    assertEquals(measure((standstill) => standstill.restart(), [0, 5_000]), [undefined, undefined]);
  });
});
