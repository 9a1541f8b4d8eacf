/**
 * Servers under test: mocks in any state, and remote servers of which only the address is known.
 *
 * @module
 */

import type { Fault } from "../../mock/faults/faults.ts";
import type { MockModel } from "../../mock/models/models.ts";
import type { MockServer } from "../../mock/options.ts";
import { createMockServer } from "../../mock/server.ts";
import type { LayerSize } from "../../mod.ts";
import type { DialectName } from "../../src/dialects.ts";
import { DEFAULT_HOST, hideSecrets, showHost } from "../../src/host.ts";
import { messageOf, quote } from "../../src/text.ts";
import type { SubjectInfo } from "../report.ts";
import { CannotRun } from "../rule.ts";
import { createWireFetch } from "./wire/wire_fetch.ts";

/** How a server should be set up at the start of a check. */
export interface ServerSetup {
  /** The sizes in bytes of the layers of the model. None of them is downloaded yet. */
  readonly layers: readonly number[];
  /** Whether layers may already be on disk, because the check ignores downloads. @default {false} */
  readonly mayBeThere?: boolean | undefined;
  /** What should go wrong. @default nothing */
  readonly faults?: readonly Fault[] | undefined;
}

/** A server that is ready for a check. */
export interface OpenServer {
  /** The model to pull. */
  readonly model: string;
  /** The request fields that name a model. @default only `model` */
  readonly fieldsFor?: ((model: string) => Readonly<Record<string, unknown>>) | undefined;
  /** The layers of the model, including the config, if they are known. */
  readonly layers?: readonly LayerSize[] | undefined;
  /**
   * Publishes another version of the model, with layers of these sizes in bytes, if possible. A layer with
   * the position and size of a previous one is the same. Returns all layers.
   */
  readonly change?: ((sizes: readonly number[]) => Promise<readonly LayerSize[]>) | undefined;
  /**
   * Adds a new model to the registry, with layers of these sizes in bytes, if possible. A layer with the
   * position and size of one in the model under test is the same. Returns all layers.
   */
  readonly offer?:
    | ((name: string, sizes: readonly number[]) => Promise<readonly LayerSize[]>)
    | undefined;
  /** Another model that the server can pull, if any. It shares no layer with the first one. */
  readonly otherModel?: OtherModel | undefined;
  /** Asks the server to delete the model, if allowed. Returns the HTTP status. */
  readonly remove?: (() => Promise<number>) | undefined;
  /** Makes a request to a path of the server. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** The time of the server's clock, in milliseconds. */
  readonly now: () => number;
  /** Waits for some milliseconds by that clock. @default real time, which `now` must then also use */
  readonly sleep?: ((milliseconds: number) => Promise<void>) | undefined;
  /** Closes everything that is still open. */
  readonly close: () => Promise<void>;
}

/** A second model. */
export interface OtherModel {
  /** Its name. */
  readonly name: string;
  /** Its layers, including the config, if they are known. */
  readonly layers?: readonly LayerSize[] | undefined;
}

/**
 * What some rules need: a model that is not downloaded yet (`fresh`), its manifest (`manifest`), another
 * version of it (`changes`), another model (`other`), faults (`faults`), and a connection whose bytes are
 * visible (`wire`).
 */
export type Need = "fresh" | "manifest" | "changes" | "other" | "faults" | "wire";

/** A server under test. */
export interface ServerSubject extends SubjectInfo {
  /** The needs that this server cannot meet, and why. */
  readonly lacks: Readonly<Partial<Record<Need, string>>>;
  /** The most random inputs per rule, if each is expensive. `runs` overrides it. */
  readonly maxRuns?: number | undefined;
  /**
   * How long the check of one input may take, in milliseconds, for a server that retries for a long time. The
   * option `checkTimeoutMs` overrides it.
   */
  readonly checkTimeoutMs?: number | undefined;
  /** Whether it pulls the same model for every {@link ServerSetup}. @default {false} */
  readonly hasOneModel?: boolean | undefined;
  /** Whether its state, except for the model, persists between checks. @default {false} */
  readonly keepsState?: boolean | undefined;
  /** Sets it up for a check. */
  readonly open: (setup: ServerSetup) => Promise<OpenServer>;
}

/** Why a rule with some needs does not apply to a server, or `undefined` if it applies. */
export function unlessHas(
  ...needs: readonly Need[]
): (server: ServerSubject) => string | undefined {
  return ({ lacks }) => needs.map((need) => lacks[need]).find((reason) => reason !== undefined);
}

/** The model in the registry of a mock under test. */
const MOCK_MODEL = "subject";

/** The other model in its registry. */
const OTHER_MODEL = "other";

/** The sizes in bytes of the layers of another model. No other layer has them. */
export const OTHER_SIZES: readonly number[] = [20_000_001, 3_001];

/** Options of {@link mockServer}. */
export interface MockSubjectOptions {
  /** The dialect of the mock. @default {"spec"} */
  dialect?: DialectName | undefined;
  /** The name in reports. */
  name?: string | undefined;
  /** Wraps the `fetch` of the mock. `openAnother` creates a second mock with the same options. */
  wrap?:
    | ((mock: MockServer, openAnother: () => MockServer) => (request: Request) => Promise<Response>)
    | undefined;
}

/** A mock as a server under test, in process and in virtual time. */
export function mockServer(options: MockSubjectOptions = {}): ServerSubject {
  const { dialect = "spec", name = `mock (${dialect})`, wrap = (mock) => mock.fetch } = options;
  return {
    name,
    lacks: { wire: "It runs in this process, without a network connection" },
    async open({ layers, faults = [] }) {
      const models = [modelOf(MOCK_MODEL, layers), modelOf(OTHER_MODEL, OTHER_SIZES)];
      const openMock = () => createMockServer({ models, dialect, faults });
      const mock = openMock();
      const answer = wrap(mock, openMock);
      const address = "http://conformance.invalid";
      const request = (path: string, init?: RequestInit) =>
        answer(new Request(new URL(path, address), init));
      return {
        model: MOCK_MODEL,
        layers: await layersOf(mock, MOCK_MODEL),
        change: (sizes) => publish(mock, modelOf(MOCK_MODEL, sizes)),
        offer: (name, sizes) => publish(mock, modelOf(name, sizes)),
        otherModel: { name: OTHER_MODEL, layers: await layersOf(mock, OTHER_MODEL) },
        remove: () => requestDeletion(request, { model: MOCK_MODEL }),
        fetch: request,
        now: () => mock.clock.now(),
        sleep: (milliseconds) => mock.clock.sleep(milliseconds),
        close: () => mock[Symbol.asyncDispose](),
      };
    },
  };
}

/** A model with layers of some sizes in bytes. Layers with the same size and position are the same. */
export function modelOf(name: string, sizes: readonly number[]): MockModel {
  return { name, layers: sizes.map((size, index) => ({ size, content: `layer ${index}` })) };
}

/** All layers of a model of a mock, in the order in which they are pulled. */
export async function layersOf({ registry }: MockServer, name: string): Promise<LayerSize[]> {
  const { layers, config } = await registry.manifest(name);
  return [...layers, config];
}

/** Publishes another version of a model on a mock. Returns all of its layers. */
export async function publish(mock: MockServer, model: MockModel): Promise<LayerSize[]> {
  mock.registry.publish(model);
  return await layersOf(mock, model.name);
}

/** Options of {@link remoteServer}. */
export interface RemoteServerOptions {
  /** The address, such as `http://127.0.0.1:11434`. */
  url: string | URL;
  /** A model that the server can pull, preferably a small one. */
  model: string;
  /** Whether that model may be deleted before each check, so that it is downloaded again. @default {false} */
  mayDelete?: boolean | undefined;
  /** Another model that it can pull, without a common layer, preferably a small one. @default none */
  otherModel?: string | undefined;
  /** The name in reports. @default the address */
  name?: string | undefined;
  /** The version in reports. @default none */
  version?: string | undefined;
}

const REMOTE_RUNS = 3;

/** What to do if there is no option for it. */
const OWN_SUBJECT = ": no option can change that, but your own `ServerSubject` can";

/**
 * A server of which only the address and a model that it can pull are known.
 *
 * @throws {CannotRun} If the address is invalid.
 */
export function remoteServer(options: RemoteServerOptions): ServerSubject {
  const { url, model, otherModel, mayDelete = false, version } = options;
  if (!URL.canParse(url)) {
    throw new CannotRun(
      `Cannot use the address ${quote(hideSecrets(String(url)))}: it must be a URL such as ` +
        DEFAULT_HOST,
    );
  }
  const base = new URL(url);
  const fetchWire = createWireFetch();
  const request = (path: string, init?: RequestInit) =>
    (fetchWire ?? fetch)(new URL(path, base), init);
  return {
    name: options.name ?? base.origin,
    ...(version !== undefined && { version }),
    lacks: {
      manifest: `The manifest of the model is not known${OWN_SUBJECT}`,
      changes: `The model in the registry cannot be changed${OWN_SUBJECT}`,
      faults: `Faults cannot be injected${OWN_SUBJECT}`,
      ...(otherModel === undefined && {
        other: "No other model is known: name one with `--other-model` (`otherModel`)",
      }),
      ...(!fetchWire && { wire: "This runtime has no sockets: use Deno, Bun or Node" }),
      ...(!mayDelete && {
        fresh:
          "The model may already be downloaded: `--delete` (`mayDelete`) deletes it before each check",
      }),
    },
    maxRuns: REMOTE_RUNS,
    hasOneModel: true,
    keepsState: true,
    async open({ mayBeThere = false }) {
      await requireServer(base);
      if (mayDelete && !mayBeThere) await deleteModel(request, model);
      const now = () => performance.now();
      const remove = () => requestDeletion(request, { model });
      const close = () => Promise.resolve();
      const other = otherModel === undefined ? undefined : { name: otherModel };
      return {
        model,
        otherModel: other,
        fetch: request,
        now,
        close,
        ...(mayDelete && { remove }),
      };
    },
  };
}

async function requireServer(url: URL): Promise<void> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
  } catch (error) {
    const shown = showHost(url);
    throw new CannotRun(`Cannot reach ${shown}: ${messageOf(error).replaceAll(url.href, shown)}`);
  }
}

async function deleteModel(request: OpenServer["fetch"], model: string): Promise<void> {
  const status = await requestDeletion(request, { model });
  if ((status >= 200 && status < 300) || status === 404) return;
  throw new CannotRun(
    `Cannot delete the model ${quote(model)}: the server answered with HTTP ${status}`,
  );
}

/** Asks a server to delete a model. Returns the HTTP status. */
export async function requestDeletion(
  request: OpenServer["fetch"],
  fields: Readonly<Record<string, unknown>>,
): Promise<number> {
  const response = await request("/api/delete", { method: "DELETE", body: JSON.stringify(fields) });
  await response.body?.cancel();
  return response.status;
}
