/**
 * A program like an editor extension, which must be a single CommonJS file. It prints the last
 * snapshot of a pull, and the result of running some rules. This file is copied, as `uses.ts` is.
 *
 * @module
 */

import { pull, type PullProgress } from "@ollama-pull/kit";
import { mockServer, runServerConformance } from "@ollama-pull/kit/conformance";
import { createMockServer } from "@ollama-pull/kit/mock";

/** The function that editors call. (CommonJS allows `await` only inside a function.) */
async function activate(): Promise<void> {
  const { fetch } = createMockServer({ models: ["llama3.2"] });
  let last: PullProgress | undefined;
  for await (const progress of pull("llama3.2", { fetch })) last = progress;
  const report = await runServerConformance(mockServer(), { rules: ["S-SEQ-1"], runs: 2 });
  console.log(JSON.stringify({ last, verdict: report.results[0]?.verdict }));
}

void activate();
