/**
 * The options of {@link createRelay}.
 *
 * @module
 */

import { parseHost } from "../host.ts";
import { definedOf, type PullManager } from "../manager/manager.ts";
import type { PullManagerOptions } from "../manager/options.ts";
import type { ModelName } from "../model_name.ts";
import { sleepOnTimer } from "../pull/sleep.ts";
import { quote } from "../text.ts";
import { redactError } from "./redaction.ts";

/** What somebody wants of the relay: to watch a pull, to start or join one, or to cancel one. */
export type RelayAction = "watch" | "start" | "cancel";

/** What {@link RelayOptions.allow} is asked about. */
export interface RelayQuestion {
  /** What is to be done. */
  readonly action: RelayAction;
  /** The model that it is to be done with. Its `host` is the registry that Ollama would download from. */
  readonly model: ModelName;
}

/** Options of {@link createRelay}. Those of {@link PullManager} are for the pulls that it starts. */
export interface RelayOptions extends PullManagerOptions {
  /**
   * Who may do what. Only `true` allows it; `false` is answered with 403, and a `Response` is the answer
   * itself, such as a redirect to a login. What it throws is answered with 500, without the message.
   *
   * It is asked after the origin was checked, before anything is told or done. A relay without a login
   * lets whoever reaches it fill the disk of the server: let strangers start at most what you have listed.
   */
  allow: (
    request: Request,
    question: RelayQuestion,
  ) => boolean | Response | Promise<boolean | Response>;
  /**
   * The pulls, if the app has a manager of its own. Then the options of pulls given here are not used, and
   * entries of pulls that have ended are the app's to dismiss.
   *
   * @default {PullManager}
   */
  manager?: PullManager | undefined;
  /**
   * What precedes `/pulls/` in the path of a request, such as `/models`.
   *
   * @default {""}
   */
  basePath?: string | undefined;
  /**
   * The origins whose pages may call besides the relay's own, such as `https://app.example.com`. They may
   * send cookies. Browsers of pages of other origins are refused.
   *
   * @default {[]}
   */
  origins?: readonly string[] | undefined;
  /**
   * How many pulls may wait or run at the same time. Who wants to start one more gets 429.
   *
   * @default {10}
   */
  maxPulls?: number | undefined;
  /**
   * How many may watch at the same time, over all pulls. One more gets 429.
   *
   * @default {10000}
   */
  maxWatchers?: number | undefined;
  /**
   * How long viewers are told of a pull that has ended, in milliseconds. After that it is unknown.
   *
   * @default {60000}
   */
  keepEndedMs?: number | undefined;
  /**
   * The longest time in which a viewer is sent nothing, in milliseconds. Then it gets a comment (or an empty
   * line), so that nobody on the way takes the connection for dead. (`Bun.serve` ends one after 10 s without
   * data, unless its `idleTimeout` is changed.)
   *
   * @default {15000}
   */
  heartbeatMs?: number | undefined;
  /**
   * How long a viewer may read nothing, in milliseconds, before it is cut off: some runtimes, such as
   * Cloudflare's, do not tell that a client has gone. It may connect again.
   *
   * @default {30000}
   */
  idleMs?: number | undefined;
  /**
   * Whether a viewer also leaves when the signal of its request aborts. Useful where the runtime does not
   * cancel the body of who has left, but aborts the signal: in Cloudflare's Workers with the flag
   * `enable_request_signal`. Deno, Bun and Node need it not, and `Deno.serve` warns of it.
   *
   * @default {false}
   */
  followSignal?: boolean | undefined;
  /**
   * How long an `EventSource` is told to wait before it connects again, in milliseconds.
   *
   * @default {1000}
   */
  retryMs?: number | undefined;
  /**
   * The least time between two updates that a viewer gets, in milliseconds. The newest update and the end
   * are never left out.
   *
   * @default {100}
   */
  updateEveryMs?: number | undefined;
  /**
   * What viewers are told of what a pull failed with.
   *
   * @default {redactError}
   */
  redactError?: ((error: unknown) => Error) | undefined;
  /**
   * Is called with what nobody else is told: what `allow` or `redactError` has thrown, and what a pull
   * could not be started for.
   */
  onError?: ((error: unknown) => void) | undefined;
}

/** What is used for the options that are absent. */
const DEFAULTS = {
  basePath: "",
  origins: [],
  maxPulls: 10,
  maxWatchers: 10_000,
  keepEndedMs: 60_000,
  heartbeatMs: 15_000,
  idleMs: 30_000,
  retryMs: 1_000,
  updateEveryMs: 100,
  followSignal: false,
  redactError,
  onError() {},
  now: () => performance.now(),
  sleep: sleepOnTimer,
} satisfies Partial<RelayOptions>;

/** The options, where those that have a default are never absent. */
export type RelaySettings =
  & Omit<RelayOptions, keyof typeof DEFAULTS>
  & { readonly [Name in keyof typeof DEFAULTS]: NonNullable<RelayOptions[Name]> };

/** The options that are numbers, and the least value of each. A timer of 0 ms would never rest. */
const LEAST = {
  maxPulls: 0,
  maxWatchers: 0,
  keepEndedMs: 0,
  heartbeatMs: 1,
  idleMs: 1,
  retryMs: 0,
  updateEveryMs: 0,
} as const;

/**
 * Fills in the defaults, and checks what can be checked before there is a request.
 *
 * @throws {TypeError} If `allow` is missing, or `host` or `basePath` cannot be used.
 * @throws {RangeError} If a number is too small.
 */
export function readOptions(options: RelayOptions): RelaySettings {
  if (typeof options?.allow !== "function") {
    throw new TypeError(
      "Cannot make a relay without the option allow: it says who may start pulls, which fill a disk",
    );
  }
  const settings = { ...DEFAULTS, ...definedOf(options) } as RelaySettings;
  parseHost(settings.host);
  checkBasePath(settings.basePath);
  for (const name of Object.keys(LEAST) as (keyof typeof LEAST)[]) {
    if (settings[name] >= LEAST[name]) continue;
    throw new RangeError(
      `Cannot use the ${name} ${settings[name]}: it must be at least ${LEAST[name]}`,
    );
  }
  return settings;
}

function checkBasePath(basePath: string): void {
  const isPath = basePath === "" || basePath.startsWith("/") && !basePath.endsWith("/");
  if (isPath && !/[?#]/.test(basePath)) return;
  throw new TypeError(
    `Cannot use the basePath ${quote(basePath)}: it must be "", or a path such as "/models"`,
  );
}
