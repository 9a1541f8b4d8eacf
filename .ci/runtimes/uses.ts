/**
 * What users write, and what must be an error. This file is copied into a project that has installed the
 * package, and compiled there; nothing runs it. Its own imports are all that it needs.
 *
 * @module
 */

import {
  decodeProgress,
  type DecodeProgressOptions,
  decodePull,
  type DecodePullOptions,
  fetchManifest,
  type FetchManifestOptions,
  formatProgress,
  type FormatProgressOptions,
  isSameModel,
  type IteratorOptions,
  type NdjsonDecoderOptions,
  NdjsonDecoderStream,
  NdjsonEncoderStream,
  parseHost,
  parseModelName,
  type ProgressWords,
  pull,
  PullError,
  type PullErrorDetails,
  PullManager,
  pullModel,
  type PullModelOptions,
  type PullOptions,
  type PullPhase,
  type PullProgressOptions,
  PullProgressStream,
  type PullStatusOptions,
  PullStatusStream,
  type PullStream,
} from "@ollama-pull/kit";
import type {
  AnswerScript,
  ClientSubject,
  CommandClientOptions,
  ManifestOptions,
  MockSubjectOptions,
  PrettyOptions,
  PullSessionOptions,
  RemoteServerOptions,
  RunOptions,
  ServerSetup,
  ServerSubject,
} from "@ollama-pull/kit/conformance";
import {
  type Clock,
  createMockServer,
  type Fault,
  type FaultPoint,
  type ListenOptions,
  type MockLayer,
  type MockModel,
  type MockModelDetails,
  type MockModelTemplate,
  type MockServer,
  type MockServerOptions,
  type RandomFaults,
  type RegistryFault,
  type RegistryOptions,
} from "@ollama-pull/kit/mock";
import {
  createRelay,
  fromRecords,
  fromResponse,
  type FromResponseOptions,
  type PullRecord,
  redactError,
  type RelayAction,
  type RelayOptions,
  toRecords,
  toResponse,
  type ToResponseOptions,
} from "@ollama-pull/kit/relay";

declare const process: { env: Record<string, string | undefined> };

/** Reads every kind of stream. */
export async function read(body: ReadableStream<Uint8Array>): Promise<void> {
  for await (const { fraction } of pull("m")) fraction.toFixed();
  for await (const status of decodePull(body)) if (status.kind === "error") status.message.length;
  for await (const { completed } of decodeProgress(body)) completed.toFixed();
  for await (const value of new NdjsonDecoderStream().readable) void value;
  for await (const bytes of new NdjsonEncoderStream().readable) bytes.length;
  for await (const { kind } of new PullStatusStream().readable) kind.length;
  for await (const { layers } of new PullProgressStream().readable) {
    for (const layer of layers) (layer.digest ?? layer.status).length;
  }

  const progress: PullStream<{ readonly fraction: number }> = pull("m");
  for await (const { fraction } of progress.values({ preventCancel: true })) fraction.toFixed();
  const [first, second] = progress.tee();
  await first.pipeTo(new WritableStream());
  await second.pipeThrough(new NdjsonEncoderStream()).cancel();
  const piped = decodePull(body).pipeThrough(new PullProgressStream());
  for await (const { layers } of piped) layers.length;
  await new Response(new NdjsonEncoderStream().readable).text();

  // @ts-expect-error -- a fraction is a number
  for await (const { fraction } of pull("m")) fraction.length;
  const layers = Promise.resolve([{ digest: "sha256:aaaa", size: 1 }]);
  for await (const { totalIsKnown } of pull("m", { layers })) totalIsKnown.valueOf();
  // @ts-expect-error -- the layers of the manifest, not the manifest
  decodeProgress(body, { layers: { layers: [], config: {} } });
  // @ts-expect-error -- bytes, not text
  decodePull(new ReadableStream<string>());
}

/** Passes options on as they come. */
export async function request(signal: AbortSignal | undefined): Promise<void> {
  const server: MockServer = createMockServer();
  const wrapper = (input: string | URL, init?: RequestInit): Promise<Response> =>
    fetch(input, { ...init, headers: { ...init?.headers, "x-key": "1" } });
  for (const fetch of [wrapper, globalThis.fetch, server.fetch]) {
    const { layers } = await fetchManifest("m", {
      registry: process.env["REGISTRY"],
      signal,
      fetch,
    });
    await pullModel("m", { host: process.env["OLLAMA_HOST"], signal, fetch, layers });
  }

  // @ts-expect-error -- there is no such option
  pull("m", { retry: 5 });
  // @ts-expect-error -- `fetch` is not called with a `Request`
  pull("m", { fetch: (request: Request) => fetch(request) });
  // @ts-expect-error -- `pullModel` alone has `onProgress`
  pull("m", { onProgress: () => {} });
  // @ts-expect-error -- no dialect has this name
  createMockServer({ dialect: "v9" });
}

/** Sends progress on, and reads what was sent. */
export async function relay(send: (record: PullRecord) => void): Promise<Response> {
  for await (const record of toRecords(pull("m"))) {
    if ("end" in record) (record.error?.message ?? record.end).length;
    else record.grown?.map(([index, completed]) => index + completed);
    send(record);
  }
  for await (const { fraction } of fromRecords(new ReadableStream())) fraction.toFixed();
  for await (const { fraction } of fromResponse(await fetch("/pull"))) fraction.toFixed();
  // @ts-expect-error -- statuses are no progress
  toRecords(decodePull(new ReadableStream()));
  // @ts-expect-error -- there is no such format
  toResponse(pull("m"), { format: "json" });
  return toResponse(pull("m"), { format: "ndjson" });
}

/** Relays pulls to whoever may see them. */
export function relayToMany(options: Partial<RelayOptions>): Promise<Response> {
  const mayDo: Record<RelayAction, boolean> = { watch: true, start: false, cancel: false };
  const handle = createRelay({
    allow: (_, { action, model }) => mayDo[action] && model.tag.length > 0,
    manager: new PullManager(),
    redactError: (error) => redactError(error),
    ...options,
  });
  // @ts-expect-error -- nobody may do anything unless told
  createRelay({ host: "localhost" });
  // @ts-expect-error -- it says whether, not why
  createRelay({ allow: () => "yes" });
  return handle(new Request("http://localhost/pulls/m"));
}

/** Reads addresses, names and errors. */
export function parse(value: unknown): unknown {
  const url: URL = parseHost(new URL("http://localhost"));
  const { tag, source } = parseModelName("llama3.2");
  const isSame: boolean = isSameModel(tag, source ?? "");
  const code: string | undefined = PullError.from(value)?.code;
  return { url, isSame, code };
}

/** Shows snapshots, and what is made of them. */
export async function show(words: ProgressWords): Promise<string[]> {
  const phases: Record<PullPhase, string> = {
    manifest: "a",
    downloading: "b",
    verifying: "c",
    writing: "d",
    removing: "e",
    success: "f",
  };
  const shown: string[] = [];
  for await (const progress of pull("m")) {
    const { percent = "", line } = formatProgress(JSON.parse(JSON.stringify(progress)), { words });
    shown.push(phases[progress.phase], percent, line);
    // @ts-expect-error -- the speed may be absent
    formatProgress(progress).speed.length;
  }
  return shown;
}

/** All optional fields of some options, each of them `undefined`. */
type EachUndefined<Options> = {
  [Name in keyof Options as Record<never, never> extends Pick<Options, Name> ? Name : never]-?:
    undefined;
};

/** Whether every optional field may be `undefined`, and there is one at all. */
type TakesUndefined<Options> = Options extends unknown
  ? [keyof EachUndefined<Options>] extends [never] ? false
  : EachUndefined<Options> extends Partial<Options> ? true
  : false
  : never;

type IsTrue<Truth extends true> = Truth;

/** With `exactOptionalPropertyTypes`, too. */
export type AllTakeUndefined = [
  IsTrue<TakesUndefined<DecodeProgressOptions>>,
  IsTrue<TakesUndefined<DecodePullOptions>>,
  IsTrue<TakesUndefined<FetchManifestOptions>>,
  IsTrue<TakesUndefined<FormatProgressOptions>>,
  IsTrue<TakesUndefined<IteratorOptions>>,
  IsTrue<TakesUndefined<NdjsonDecoderOptions>>,
  IsTrue<TakesUndefined<ProgressWords>>,
  IsTrue<TakesUndefined<PullErrorDetails>>,
  IsTrue<TakesUndefined<PullModelOptions>>,
  IsTrue<TakesUndefined<PullOptions>>,
  IsTrue<TakesUndefined<PullProgressOptions>>,
  IsTrue<TakesUndefined<PullStatusOptions>>,

  IsTrue<TakesUndefined<Clock>>,
  IsTrue<TakesUndefined<Fault>>,
  IsTrue<TakesUndefined<FaultPoint>>,
  IsTrue<TakesUndefined<RegistryFault>>,
  IsTrue<TakesUndefined<RegistryOptions>>,
  IsTrue<TakesUndefined<ListenOptions>>,
  IsTrue<TakesUndefined<MockLayer>>,
  IsTrue<TakesUndefined<MockModel>>,
  IsTrue<TakesUndefined<MockModelDetails>>,
  IsTrue<TakesUndefined<MockModelTemplate>>,
  IsTrue<TakesUndefined<MockServerOptions>>,
  IsTrue<TakesUndefined<RandomFaults>>,

  IsTrue<TakesUndefined<FromResponseOptions>>,
  IsTrue<TakesUndefined<ToResponseOptions>>,

  IsTrue<TakesUndefined<AnswerScript>>,
  IsTrue<TakesUndefined<ClientSubject>>,
  IsTrue<TakesUndefined<CommandClientOptions>>,
  IsTrue<TakesUndefined<ManifestOptions>>,
  IsTrue<TakesUndefined<MockSubjectOptions>>,
  IsTrue<TakesUndefined<PrettyOptions>>,
  IsTrue<TakesUndefined<PullSessionOptions>>,
  IsTrue<TakesUndefined<RemoteServerOptions>>,
  IsTrue<TakesUndefined<RunOptions>>,
  IsTrue<TakesUndefined<ServerSubject>>,
  IsTrue<TakesUndefined<ServerSetup>>,
];
