import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { layerName } from "./layer_name.ts";

describe("layerName", () => {
  it("leaves out percentages, amounts, speeds and times", () => {
    const names: [words: string, name: string][] = [
      ["downloading 5%", "downloading …"],
      ["downloading 45.3 % of a.gguf", "downloading … of a.gguf"],
      ["a.gguf: 45% (1.2 GB/4.7 GB, 3.4 MB/s, 1m25s)", "a.gguf: … (…/…, …, …)"],
      ["45% (1.2/4.7 GiB at 3 MBps) eta 00:12", "… (… at …) eta …"],
      ["524288 of 4194304 bytes in 1h20m", "… in …"],
      ["12kb, 12 KB, 12 KiB", "…, …, …"],
    ];
    for (const [words, name] of names) assertEquals(layerName(words), name);
  });

  it("keeps all other numbers", () => {
    const names = [
      "pulling part 2 of 3",
      "downloading a.gguf (1/4)",
      "model-00001-of-00002.safetensors",
      "llama3.2:3b q4_K_M",
      "qwen2.5 72b",
      "smollm 135m",
      "pulling 8eeb52dfb3bb",
      "pulling 123456789012",
      "sha256:12s",
      "v1.5%",
    ];
    for (const name of names) assertEquals(layerName(name), name);
  });

  it("is the same for any amounts", () => {
    const words = fc.constantFrom("downloading", "a.gguf:", "(part 2 of 3)", "eta", "-");
    const amounts = fc.constantFrom("#%", "# %", "# GB", "#/# MiB", "# of # bytes", "#KB/s", "#s");
    const templates = fc.array(fc.oneof(words, amounts), { maxLength: 6 });
    const digits = fc.integer({ min: 1, max: 9999 });
    fc.assert(fc.property(templates, digits, digits, (template, one, other) => {
      const fill = (number: number) => template.join(" ").replaceAll("#", String(number));
      assertEquals(layerName(fill(one)), layerName(fill(other)));
    }));
  });
});
