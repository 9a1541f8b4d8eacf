/**
 * `pull --dry-run` and `pull --outdated`: compares models with the current versions in their registries, and
 * says what a pull would download. Nothing is pulled here.
 *
 *     list of the server, manifest of the registry ── examine ──▶ Finding ──▶ a line for each model
 *
 * @module
 */

import { type ManifestLayer, type ModelState, PullError } from "../../mod.ts";
import { formatBytes } from "../../src/amounts.ts";
import { isSameModel } from "../../src/model_name.ts";
import {
  fetchManifestDocument,
  readManifest,
  type RegistryDocument,
} from "../../src/pull/manifest.ts";
import { compareModel } from "../../src/pull/model_state.ts";
import { type ListedModel, ServerClient } from "../../src/pull/server.ts";
import { adviseOn } from "../advice.ts";
import { type CommandContext, EXIT, Interruption } from "../command.ts";
import { describeFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import { writeJson, writeJsonFailure } from "../views/json_view.ts";
import type { PullTask } from "./pull_run.ts";

/** Models to compare. */
export interface SurveyTask
  extends Pick<PullTask, "models" | "host" | "form" | "options" | "again"> {
  /** How to ask the registry. */
  readonly manifest: NonNullable<PullTask["manifest"]>;
  /** Whether only models with a newer version are of interest. If no model is named, all are compared. */
  readonly wantsOutdated: boolean;
}

/** The result of a survey. */
export interface Survey {
  /** The models that have a newer version. */
  readonly outdated: readonly string[];
  /** The exit code, if nothing is pulled afterwards. */
  readonly exitCode: number;
  /** Whether it was ended early. */
  readonly isCancelled: boolean;
}

/** How long the server and the registry may each take, in milliseconds. */
const SURVEY_TIMEOUT_MS = 60_000;

/** A layer of the newest version. */
interface FoundLayer extends ManifestLayer {
  /** Whether the server has it, if known. */
  readonly present?: boolean;
}

/** The result for a model. */
interface Finding {
  readonly model: string;
  readonly state: ModelState;
  /**
   * The size in bytes of the newest version, or of the installed one if the registry does not have the model.
   */
  readonly size?: number;
  /** How many bytes of the newest version the server lacks, if known. */
  readonly download?: number;
  /** Why it is left as it is, if so. */
  readonly reason?: "local" | "unknown-to-registry";
  /** The model that it was made from. */
  readonly parent?: string;
  /** The layers of the newest version. */
  readonly layers?: readonly FoundLayer[];
}

/** A failure to ask the registry. This machine asks it, not the server. */
class RegistryFailure extends Error {
  declare readonly cause: PullError;

  constructor(cause: PullError) {
    super(cause.message, { cause });
  }
}

/** Compares models, writes the results, and resolves to what a pull should continue with. */
export async function survey(task: SurveyTask, context: CommandContext): Promise<Survey> {
  return await new Surveyor(task, context).run();
}

class Surveyor {
  readonly #task: SurveyTask;
  readonly #context: CommandContext;
  readonly #findings: Finding[] = [];
  #exitCode: number = EXIT.success;

  constructor(task: SurveyTask, context: CommandContext) {
    this.#task = task;
    this.#context = context;
  }

  async run(): Promise<Survey> {
    const { models, wantsOutdated } = this.#task;
    try {
      const list = await this.#list();
      const names = models.length > 0
        ? models
        : list.filter(({ isCloud }) => !isCloud).map(({ name }) => name);
      for (const name of names) await this.#look(name, list);
      if (wantsOutdated) this.#sumUp(names.length);
    } catch (error) {
      return this.#explainEnd(error);
    }
    const outdated = this.#findings.filter(isToUpdate).map(({ model }) => model);
    return { outdated, exitCode: this.#exitCode, isCancelled: false };
  }

  /** The models on the server. Empty, after a message, if it cannot be asked. */
  async #list(): Promise<readonly ListedModel[]> {
    const server = this.#server();
    return await server.run(() => server.models());
  }

  async #look(model: string, list: readonly ListedModel[]): Promise<void> {
    const listed = list.find(({ name }) => isSameModel(name, model));
    try {
      const finding = await this.#examine(model, listed);
      this.#findings.push(finding);
      this.#tell(finding);
    } catch (error) {
      if (this.#context.signal.aborted) throw error;
      this.#explainFailure(error, model);
    }
  }

  async #examine(model: string, listed: ListedModel | undefined): Promise<Finding> {
    const { size, parent } = listed ?? {};
    const known = { model, ...(parent !== undefined && { parent }) };
    const document = await this.#fetchManifest(model, listed !== undefined);
    if (!document) {
      return {
        ...known,
        state: "present",
        reason: "unknown-to-registry",
        ...(size !== undefined && { size }),
      };
    }
    const server = this.#server();
    return await server.run(async () => {
      const state = listed ? await compareModel(server, listed, document) : "missing";
      const manifest = readManifest(document);
      const layers: FoundLayer[] = [];
      for (const layer of manifest.layers) {
        const present = state === "current" || await server.hasBlob(layer.digest);
        layers.push({ ...layer, ...(present !== undefined && { present }) });
      }
      const isTold = layers.every(({ present }) => present !== undefined);
      const download = sumOf(layers.filter(({ present }) => !present));
      return {
        ...known,
        state,
        size: manifest.size,
        ...(isTold && { download }),
        ...(state === "outdated" && parent !== undefined && { reason: "local" }),
        layers,
      };
    });
  }

  /**
   * The manifest of a model. `undefined` for an installed one that its registry does not have.
   *
   * @throws {RegistryFailure} If the registry cannot be asked.
   */
  async #fetchManifest(model: string, isListed: boolean): Promise<RegistryDocument | undefined> {
    const { fetch, signal, sleep } = this.#context;
    const timing = { signal, sleep, timeoutMs: SURVEY_TIMEOUT_MS };
    try {
      return await fetchManifestDocument(model, { ...this.#task.manifest, fetch, ...timing });
    } catch (error) {
      if (!(error instanceof PullError)) throw error;
      if (error.reason === "model-not-found" && isListed) return undefined;
      throw new RegistryFailure(error);
    }
  }

  #server(): ServerClient {
    const { host, options: { headers } } = this.#task;
    const { fetch, signal, sleep } = this.#context;
    return new ServerClient({ host, headers, fetch, signal, sleep, timeoutMs: SURVEY_TIMEOUT_MS });
  }

  #tell(finding: Finding): void {
    const { form, wantsOutdated } = this.#task;
    const { stdout } = this.#context;
    if (form === "json") return writeJson(stdout, finding);
    if (wantsOutdated && finding.state === "current") return;
    if (form === "suitable") stdout.write(`${describe(finding)}\n`);
  }

  #sumUp(count: number): void {
    const { form } = this.#task;
    if (form !== "suitable") return;
    const outdated = this.#findings.filter(isToUpdate);
    const layers = outdated.flatMap(({ layers = [] }) => layers).filter(({ present }) => !present);
    const missing = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
    const most = outdated.every(({ download }) => download !== undefined) ? "" : "at most ";
    const words = outdated.length === 0
      ? count === 0 ? "There is no model to update" : "No model has a newer version"
      : `${outdated.length} of ${count} models ${outdated.length === 1 ? "has" : "have"} a newer ` +
        `version; to download: ${most}${formatBytes(sumOf(missing))}`;
    this.#context.stdout.write(`${words}\n`);
  }

  /** Says why the state of a model is unknown. */
  #explainFailure(thrown: unknown, model: string): void {
    const { host, form, again } = this.#task;
    const { stdout, stderr } = this.#context;
    const attempt = { model, host, again: again([model]), hasBytes: false };
    const error = thrown instanceof RegistryFailure ? thrown.cause : thrown;
    const isOfRegistry = error !== thrown;
    const isUnknown = isOfRegistry && (error as PullError).reason === "model-not-found";
    const advice = !(error instanceof PullError)
      ? "Please report it"
      : isOfRegistry && !isUnknown
      ? ASKED_FROM_HERE
      : adviseOn(error, attempt);
    if (form === "json") writeJsonFailure(stdout, { model, error, advice });
    const words = isUnknown
      ? `its registry does not have it. ${advice}`
      : isOfRegistry
      ? `${printable((error as PullError).message)}. ${advice}`
      : describeFailure(error, attempt);
    stderr.write(`error: ${printable(model)}: ${words}\n`);
    this.#exitCode = EXIT.failure;
  }

  /** Says that the server has no list, or that the command was interrupted. */
  #explainEnd(error: unknown): Survey {
    const { host, form, models, again } = this.#task;
    const { stdout, stderr, signal } = this.#context;
    const { reason } = signal;
    if (signal.aborted && !(reason instanceof Interruption)) throw reason;
    if (signal.aborted) {
      if (reason.exitCode !== EXIT.outputClosed) stderr.write("Cancelled.\n");
      return { outdated: [], exitCode: reason.exitCode, isCancelled: true };
    }
    const attempt = { model: models.join(" "), host, again: again(models), hasBytes: false };
    if (form === "json") {
      const advice = error instanceof PullError ? adviseOn(error, attempt) : "Please report it";
      for (const model of models) writeJsonFailure(stdout, { model, error, advice });
    }
    stderr.write(`error: ${describeFailure(error, attempt)}\n`);
    return { outdated: [], exitCode: EXIT.failure, isCancelled: false };
  }
}

const ASKED_FROM_HERE =
  "This machine asks the registry, not the server: check this machine's network, or use --registry";

/** Whether a pull of a model would bring a newer version without losing local changes. */
function isToUpdate({ state, reason }: Finding): boolean {
  return state === "outdated" && reason === undefined;
}

function sumOf(layers: readonly { readonly size: number }[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** The result for a model in one line. */
function describe(finding: Finding): string {
  const { state, size, reason, parent } = finding;
  const model = printable(finding.model);
  const whole = size === undefined ? "" : `, ${formatBytes(size)}`;
  const origin = parent === undefined ? "" : ` (made from ${printable(parent)})`;
  if (reason === "unknown-to-registry") {
    return `${model}: installed${whole}; its registry does not have it${origin}`;
  }
  if (reason === "local") {
    return `${model}: differs from its registry${origin}; not updated: pull it by name to replace it`;
  }
  switch (state) {
    case "missing":
      return `${model}: not installed; to download: ${describeDownload(finding)}`;
    case "outdated":
      return `${model}: newer version available; to download: ${describeDownload(finding)}`;
    case "current":
      return `${model}: up to date${whole}`;
    case "present":
      return `${model}: installed; cannot tell whether it is up to date${describeLimit(finding)}`;
  }
}

/** How much a pull would download, as far as known. */
function describeDownload({ download, size = 0 }: Finding): string {
  if (download === undefined) return `at most ${formatBytes(size)}`;
  return download === size ? formatBytes(size) : `${formatBytes(download)} of ${formatBytes(size)}`;
}

function describeLimit(finding: Finding): string {
  return finding.download === 0 ? "" : `; to download: ${describeDownload(finding)}`;
}
