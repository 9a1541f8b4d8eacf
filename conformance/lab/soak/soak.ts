/**
 * Pulls through real HTTP for as long as it is told to: many at once, from a mock that fails by chance
 * in every way that it can, through gateways that do what gateways do, with layers from a registry that has
 * faults of its own, cancelled and resumed by chance. Nothing may break but what is meant to.
 *
 * @module
 */

import { createMockServer, type MockModel, type RegistryOptions } from "../../../mock/mod.ts";
import {
  fetchManifest,
  type ManifestLayer,
  PullError,
  type PullErrorCode,
  type PullRetry,
} from "../../../mod.ts";
import { Dice } from "../fuzz/dice.ts";
import { type DeedCount, Gateway } from "./gateway.ts";
import { describeError, orHang } from "./hang.ts";
import { decideCancelling, pullOnce, type PullResult } from "./pulls.ts";
import { BYTES_PER_SECOND, FAULT_KINDS, STALL_TIMEOUT_MS, TICK_MS } from "./mock_pace.ts";
import { ScaledClock } from "./scaled_clock.ts";

/** How many times as fast as real time it all happens. */
const SPEED = 100;

const FAULT_CHANCE = 0.4;
/** In real time, since a machine that does all this is busy. */
const MANIFEST_TIMEOUT_MS = 5_000;

/** Models that are downloaded in some ticks of the clock, one after another or many at once. */
const MODELS: readonly MockModel[] = [
  { name: "tiny", layers: [{ size: 1_000 }] },
  { name: "small", layers: [{ size: 300_000_000 }, { size: 300_000 }, { size: 40 }] },
  { name: "large", layers: [{ size: 900_000_000 }, { size: 150_000_000 }] },
  { name: "many", layers: Array.from({ length: 60 }, (_, index) => ({ size: 3_000_000 + index })) },
];

/** What goes wrong at the registry: some models cannot be listed, others only after a detour. */
const REGISTRY: RegistryOptions = {
  requireToken: true,
  serveIndex: true,
  faults: [
    { kind: "http-error", at: "manifest", model: "tiny", status: 503 },
    { kind: "html", at: "manifest", model: "small", times: 3 },
    { kind: "slow", at: "manifest", model: "many", ms: 2 * MANIFEST_TIMEOUT_MS * SPEED, times: 3 },
    { kind: "malformed", at: "token", model: "large", times: 3 },
  ],
};

/** What has happened. */
export interface SoakCount {
  pulls: number;
  successes: number;
  cancels: number;
  /** Pulls that the server ended with an error, or with bytes that are no status. */
  refusals: number;
  /** Pulls of a model of which a pull that was cancelled or refused had left something. */
  resumes: number;
  retries: number;
  retriesAfter: Partial<Record<PullErrorCode, number>>;
  /** Faults that have struck, by the mock's account. */
  faults: number;
  /** What the gateways have done. */
  deeds: DeedCount;
  /** Manifests that the registry gave, and those that it did not. */
  manifests: number;
  noManifests: number;
  /** Bytes that the mock has sent. */
  bytesSent: number;
  /** Models that were deleted, to be downloaded anew. */
  deletions: number;
}

/** What came of it. */
export interface SoakResult {
  readonly count: SoakCount;
  /** What broke that must not. */
  readonly failures: readonly string[];
  /** What was left when all had ended. */
  readonly left: { readonly downloads: number; readonly requests: number };
}

/** Options of {@link soak}. */
export interface SoakOptions {
  readonly seed: number;
  /** How many pulls there are at once. */
  readonly clients: number;
  /** Whether that was enough. Asked before each pull. */
  readonly isEnough: (count: SoakCount) => boolean;
}

/** Pulls until it was enough. */
export async function soak({ seed, clients, isEnough }: SoakOptions): Promise<SoakResult> {
  const clock = new ScaledClock(SPEED);
  const count: SoakCount = {
    pulls: 0,
    successes: 0,
    cancels: 0,
    refusals: 0,
    resumes: 0,
    retries: 0,
    retriesAfter: {},
    faults: 0,
    deeds: {},
    manifests: 0,
    noManifests: 0,
    bytesSent: 0,
    deletions: 0,
  };
  const failures: string[] = [];
  let notify = () => {};
  const server = createMockServer({
    models: MODELS,
    dialect: "v0.33",
    bytesPerSecond: BYTES_PER_SECOND,
    tickMs: TICK_MS,
    faults: { chance: FAULT_CHANCE, kinds: FAULT_KINDS },
    clock,
    seed,
    registry: REGISTRY,
    onRequest: ({ faults, bytesSent }) => {
      count.faults += faults.length;
      count.bytesSent += bytesSent;
      notify();
    },
  });
  await using listener = await server.listen();
  const leftovers = new Set<string>();

  const listLayers = async (model: string): Promise<readonly ManifestLayer[]> => {
    try {
      const options = {
        registry: listener.url,
        timeoutMs: MANIFEST_TIMEOUT_MS,
      };
      const { layers } = await fetchManifest(model, options);
      count.manifests++;
      return layers;
    } catch (error) {
      if (!(error instanceof PullError)) failures.push(`${model}: ${describeError(error)}`);
      count.noManifests++;
      throw error;
    }
  };

  const pullAndCount = async (dice: Dice, tell: (doing: string) => void): Promise<void> => {
    const model = dice.pick(MODELS).name;
    const cancelling = decideCancelling(dice);
    tell(`pulling ${model}, cancelled by ${cancelling.by}`);
    if (leftovers.delete(model)) count.resumes++;
    const gateway = new Gateway(dice, (deed) => {
      count.deeds[deed] = (count.deeds[deed] ?? 0) + 1;
    });
    const options = {
      host: listener.url,
      fetch: gateway.fetch,
      ...(dice.isOneIn(2) && { layers: listLayers(model) }),
      now: clock.now,
      sleep: clock.sleep,
      random: () => dice.below(1000) / 1000,
      stallTimeoutMs: STALL_TIMEOUT_MS,
      silenceTimeoutMs: STALL_TIMEOUT_MS,
      retries: Infinity,
      onRetry: ({ error: { code } }: PullRetry) => {
        count.retries++;
        count.retriesAfter[code] = (count.retriesAfter[code] ?? 0) + 1;
        tell(`waiting to pull ${model} again, after ${code}`);
      },
    };
    const { ending, completed } = await pullOnce(model, options, cancelling);
    countEnding(count, ending);
    if (ending !== "success" && completed > 0) leftovers.add(model);
    if (ending === "success" && dice.isOneIn(2)) {
      tell(`deleting ${model}`);
      await deleteModel(listener.url, model);
      count.deletions++;
    }
  };
  const countRunning = () => server.requests.filter(({ outcome }) => outcome === "running").length;
  const runClient = async (client: number): Promise<void> => {
    for (let number = 0; !isEnough(count) && failures.length === 0; number++) {
      count.pulls++;
      const dice = new Dice(seed, "soak", client, number);
      let doing = "";
      const work = pullAndCount(dice, (now) => doing = now);
      await orHang(work, () => `${doing}; ${countRunning()} requests run`).catch((error) => {
        failures.push(`client ${client}, pull ${number}: ${describeError(error)}`);
      });
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => runClient(client)));

  // The mock hears of a client that has left a little later than the client itself.
  await orHang(
    (async () => {
      while (countRunning() > 0) await new Promise<void>((resolve) => notify = resolve);
    })(),
    () => "ending",
  ).catch(() => {}); // what is left then is told
  return { count, failures, left: { downloads: server.activeDownloads, requests: countRunning() } };
}

function countEnding(count: SoakCount, ending: PullResult["ending"]): void {
  if (ending === "success") count.successes++;
  else if (ending === "cancelled") count.cancels++;
  else count.refusals++;
}

async function deleteModel(url: string, model: string): Promise<void> {
  const response = await fetch(`${url}/api/delete`, {
    method: "DELETE",
    body: JSON.stringify({ model }),
  });
  await response.body?.cancel();
  // Somebody else may have been quicker.
  if (response.status !== 200 && response.status !== 404) {
    throw new Error(`Deleting ${model} is answered with ${response.status}`);
  }
}
