/**
 * Servers under test: mocks in any state, and remote servers that are known only by their address.
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

/** The state of a server at the start of a check. */
export interface ServerSetup {
  /** The sizes in bytes of the layers of the model. None of them is downloaded yet. */
  readonly layers: readonly number[];
  /** Whether layers may be there already, since the check does not look at downloads. @default {false} */
  readonly mayBeThere?: boolean | undefined;
  /** What goes wrong. @default nothing */
  readonly faults?: readonly Fault[] | undefined;
}

/** A server that is ready for a check. */
export interface OpenServer {
  /** The model to pull. */
  readonly model: string;
  /** The fields of a request that name a model. @default `model` alone */
  readonly fieldsFor?: ((model: string) => Readonly<Record<string, unknown>>) | undefined;
  /** The layers of the model, config included, if they are known. */
  readonly layers?: readonly LayerSize[] | undefined;
  /**
   * Offers another version of the model, with layers of these sizes in bytes, if that is possible. A
   * layer with the position and size of a previous one is the same. Returns all layers.
   */
  readonly change?: ((sizes: readonly number[]) => Promise<readonly LayerSize[]>) | undefined;
  /**
   * Offers a model that the registry did not have, with layers of these sizes in bytes, if that is
   * possible. A layer with the position and size of one of the model under test is the same. Returns all
   * layers.
   */
  readonly offer?:
    | ((name: string, sizes: readonly number[]) => Promise<readonly LayerSize[]>)
    | undefined;
  /** Another model that the server can pull, if there is one. It shares no layer with the first one. */
  readonly otherModel?: OtherModel | undefined;
  /** Asks the server to delete the model, if it may. Returns the HTTP status. */
  readonly remove?: (() => Promise<number>) | undefined;
  /** Makes a request to a path of the server. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** The time of the server's clock, in milliseconds. */
  readonly now: () => number;
  /** Waits for some milliseconds by that clock. @default real time, of which `now` tells, too */
  readonly sleep?: ((milliseconds: number) => Promise<void>) | undefined;
  /** Ends what is still open. */
  readonly close: () => Promise<void>;
}

/** A model besides the one under test. */
export interface OtherModel {
  /** Its name. */
  readonly name: string;
  /** Its layers, config included, if they are known. */
  readonly layers?: readonly LayerSize[] | undefined;
}

/**
 * What some rules need: that the model is not downloaded yet (`fresh`), its manifest (`manifest`), another
 * version of it (`changes`), another model (`other`), faults (`faults`), and a connection whose bytes can be
 * seen (`wire`).
 */
export type Need = "fresh" | "manifest" | "changes" | "other" | "faults" | "wire";

/** A server under test. */
export interface ServerSubject extends SubjectInfo {
  /** The needs that cannot be met with this server, and why. */
  readonly lacks: Readonly<Partial<Record<Need, string>>>;
  /** The most inputs to draw by chance per rule, if each is expensive. `runs` overrides it. */
  readonly maxRuns?: number | undefined;
  /**
   * How long the check of one input may take, in milliseconds, if the server retries for long.
   * The option `checkTimeoutMs` overrides it.
   */
  readonly checkTimeoutMs?: number | undefined;
  /** Whether it pulls the same model whatever {@link ServerSetup} is asked for. @default {false} */
  readonly hasOneModel?: boolean | undefined;
  /** Whether what it has outlives a check, but for its model. @default {false} */
  readonly keepsState?: boolean | undefined;
  /** Prepares it for a check. */
  readonly open: (setup: ServerSetup) => Promise<OpenServer>;
}

/** Why a rule with some needs does not apply to a server, or `undefined` if it applies. */
export function unlessHas(
  ...needs: readonly Need[]
): (server: ServerSubject) => string | undefined {
  return ({ lacks }) => needs.map((need) => lacks[need]).find((reason) => reason !== undefined);
}

/** The model that a mock under test offers. */
const MOCK_MODEL = "subject";

/** The other model that it offers. */
const OTHER_MODEL = "other";

/** The sizes in bytes of the layers of another model, which no other layer has. */
export const OTHER_SIZES: readonly number[] = [20_000_001, 3_001];

/** Options of {@link mockServer}. */
export interface MockSubjectOptions {
  /** The dialect that the mock speaks. @default {"spec"} */
  dialect?: DialectName | undefined;
  /** The name in reports. */
  name?: string | undefined;
  /** Wraps the `fetch` of the mock. `openAnother` makes a second mock with the same options. */
  wrap?:
    | ((mock: MockServer, openAnother: () => MockServer) => (request: Request) => Promise<Response>)
    | undefined;
}

/** The mock as a server under test, in process and in virtual time. */
export function mockServer(options: MockSubjectOptions = {}): ServerSubject {
  const { dialect = "spec", name = `mock (${dialect})`, wrap = (mock) => mock.fetch } = options;
  return {
    name,
    lacks: { wire: "It runs in this process, where nothing goes over a wire" },
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

/** A model with layers of some sizes in bytes, which are those of others with the same size and place. */
export function modelOf(name: string, sizes: readonly number[]): MockModel {
  return { name, layers: sizes.map((size, index) => ({ size, content: `layer ${index}` })) };
}

/** All layers of a model that a mock offers, in the order in which they are pulled. */
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
  /** The address, as in `http://127.0.0.1:11434`. */
  url: string | URL;
  /** A model that the server can pull, best a small one. */
  model: string;
  /** Whether that model may be deleted before each check, to see it downloaded. @default {false} */
  mayDelete?: boolean | undefined;
  /** Another model that it can pull and that has no layer in common, best a small one. @default none */
  otherModel?: string | undefined;
  /** The name in reports. @default the address */
  name?: string | undefined;
  /** The version in reports. @default none */
  version?: string | undefined;
}

const REMOTE_RUNS = 3;

/** What helps where no option does. */
const OWN_SUBJECT = ": no option helps, but a `ServerSubject` of your own";

/**
 * A server that is known only by its address and the name of a model that it can pull.
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
      faults: `The server cannot be made to fail${OWN_SUBJECT}`,
      ...(otherModel === undefined && {
        other: "No other model is known: `--other-model` (`otherModel`) names one",
      }),
      ...(!fetchWire && { wire: "This runtime has no sockets: Deno, Bun and Node have" }),
      ...(!mayDelete && {
        fresh:
          "The model may be there already: `--delete` (`mayDelete`) deletes it before each check",
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
