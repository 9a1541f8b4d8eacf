/**
 * A pull for programs: one JSON object per line, each with the name of its model.
 *
 *     {"model":"llama3.2","phase":"downloading","completed":500,…,"layers":[{"digest":"sha256:…",…}]}
 *     {"model":"llama3.2","retry":{"attempt":2,"delayMs":1000,"error":{"name":"PullError",…}}}
 *     {"model":"llama3.2","error":{"name":"PullError",…},"advice":"…"}
 *
 * @module
 */

import { PullError, type PullLayer, type PullProgress, type PullRetry } from "../../mod.ts";
import { escapeControls } from "../../src/text.ts";
import type { Output } from "../command.ts";
import type { ProgressView } from "./view.ts";

/** Writes snapshots: the first one completely, later ones only with the layers that have changed. */
export class JsonView implements ProgressView {
  readonly #stdout: Output;
  readonly #model: string;
  #layers: readonly PullLayer[] = [];

  /** Writes the progress and the outcome of a model to an output. */
  constructor(stdout: Output, model: string) {
    this.#stdout = stdout;
    this.#model = model;
  }

  show({ layers, ...progress }: PullProgress): void {
    // Snapshots share unchanged layers.
    const changed = layers.filter((layer, index) => layer !== this.#layers[index]);
    this.#layers = layers;
    writeJson(this.#stdout, {
      model: this.#model,
      ...progress,
      ...(changed.length > 0 && { layers: changed }),
    });
  }

  retry({ attempt, delayMs, error }: PullRetry): void {
    writeJson(this.#stdout, { model: this.#model, retry: { attempt, delayMs, error } });
  }

  note(): void {}

  end(): void {}
}

/** Writes why a pull has failed, and what to do. */
export function writeJsonFailure(
  stdout: Output,
  { model, error, advice }: { model: string; error: unknown; advice: string },
): void {
  const { name, message } = error instanceof Error
    ? error
    : { name: "Error", message: String(error) };
  writeJson(stdout, {
    model,
    error: error instanceof PullError ? error : { name, message },
    advice,
  });
}

/** Writes an object as a line. */
export function writeJson(stdout: Output, value: object): void {
  stdout.write(`${escapeControls(JSON.stringify(value))}\n`);
}
