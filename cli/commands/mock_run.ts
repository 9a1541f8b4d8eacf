/**
 * Runs the mock, prints what happens, and stops when it is no longer needed.
 *
 * @module
 */

import type {
  ConfigurationError,
  DialectName,
  Fault,
  Listener,
  LoggedRequest,
  MockModel,
  MockServer,
  MockSetup,
  RandomFaults,
  Recording,
} from "../../mock/mod.ts";
import { CONTROL_PATH } from "../../mock/control/access.ts";
import { formatBytes } from "../../src/amounts.ts";
import { messageOf } from "../../src/text.ts";
import { type CommandContext, EXIT, Interruption, UsageError } from "../command.ts";
import { printable } from "../printable.ts";
import { watchParents } from "../parent_watch.ts";

/** The mock's module, which is loaded only here, so that `pull` starts faster. */
export type MockModule = typeof import("../../mock/mod.ts");

/** A mock to run. */
export interface MockTask {
  /** Reads the set-up. It throws what the mock throws for invalid options. */
  setUp(mock: MockModule): Promise<MockSetup>;
  /** Where to listen. */
  readonly address: { readonly port: number; readonly hostname: string };
  /** Whether programs may control it. */
  readonly isControlled: boolean;
  /** Whether a program reads the output, and keeps the mock alive through its standard input. */
  readonly isForProgram: boolean;
}

/** Runs a mock until it should end, and resolves to the exit code. */
export async function runMock(task: MockTask, context: CommandContext): Promise<number> {
  const mock = await import("../../mock/mod.ts");
  let reporter: MockReporter;
  let server: MockServer;
  let listener: Listener;
  try {
    const setup = await task.setUp(mock);
    const open = task.isForProgram ? createJsonReporter : createLineReporter;
    reporter = open(context, describeSetup(setup, mock), mock);
    server = mock.createMockServer({
      ...setup,
      control: task.isControlled,
      onRequest: (request) => reporter.request(request),
    });
    listener = await server.listen(task.address);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof mock.ConfigurationError) throw new UsageError(describeError(error));
    context.stderr.write(`error: ${printable(messageOf(error))}. Try another --port or --host\n`);
    return EXIT.failure;
  }
  reporter.start(listener.url, task.isControlled ? `${listener.url}${CONTROL_PATH}` : undefined);
  await untilEnd(task, context);
  await listener.close();
  reporter.end(server.unstruckFaults);
  const { reason } = context.signal;
  if (reason instanceof Interruption && reason.exitCode !== EXIT.interrupted) {
    return reason.exitCode;
  }
  // A server runs until it is interrupted, so that counts as success.
  return EXIT.success;
}

/** Describes an invalid set-up, with the place of the error. */
export function describeError({ place, message }: ConfigurationError): string {
  return place === undefined ? message : `${place}: ${message}`;
}

/**
 * Resolves when the mock should end: it was interrupted, the npx that started it has ended, or, if a program
 * uses it, that program has ended or closed standard input.
 */
async function untilEnd({ isForProgram }: MockTask, context: CommandContext): Promise<void> {
  const { signal, env } = context;
  let end!: () => void;
  const ended = new Promise<void>((resolve) => end = resolve);
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  const isWatched = isForProgram || env.npm_command !== undefined;
  const repeat: CommandContext["repeat"] = (callback, milliseconds) =>
    context.repeat(callback, milliseconds);
  const stopWatching = isWatched ? await watchParents({ env, repeat, onGone: end }) : () => {};
  const stopReading = isForProgram ? context.onInputEnd(end) : () => {};
  await ended;
  stopReading();
  stopWatching();
}

/** Reports what happens at a mock. */
interface MockReporter {
  start(url: string, control: string | undefined): void;
  request(request: LoggedRequest): void;
  end(unstruck: readonly Fault[]): void;
}

/** What a mock reports when it starts. */
interface MockDescription {
  readonly models: readonly string[];
  readonly anyModel: boolean;
  /** The models with recorded pulls, if any. */
  readonly replayed?: readonly string[];
  readonly dialect: DialectName;
  readonly faults: readonly Fault[] | RandomFaults;
}

function describeSetup(setup: MockSetup, { presets }: MockModule): MockDescription {
  const { models = Object.keys(presets), anyModel = false, dialect = "spec", faults = [] } = setup;
  const replayed = [...new Set((setup.recordings ?? []).flatMap(modelsOf))];
  return {
    models: [...models].map(nameOf),
    anyModel: Boolean(anyModel),
    ...(replayed.length > 0 && { replayed }),
    dialect,
    faults,
  };
}

type CreateReporter = (
  context: CommandContext,
  description: MockDescription,
  mock: MockModule,
) => MockReporter;

/** Lines for a person. */
const createLineReporter: CreateReporter = ({ stdout, stderr }, description, { formatFault }) => {
  const listFaults = (faults: readonly Fault[]) =>
    faults.map((fault) => printable(formatFault(fault))).join("; ");
  const describeFaults = (faults: readonly Fault[] | RandomFaults) => {
    if ("chance" in faults) return `, with faults in ${100 * faults.chance}% of the pulls`;
    return faults.length > 0 ? `, with the faults ${listFaults(faults)}` : "";
  };
  return {
    start(url, control) {
      const { models, anyModel, replayed, dialect, faults } = description;
      const offered = [...models.map(printable), ...(anyModel ? ["any other model"] : [])];
      stdout.write(`Models: ${offered.join(", ") || "none"}\n`);
      if (replayed) stdout.write(`Replayed: ${replayed.map(printable).join(", ")}\n`);
      stdout.write(`Dialect: ${dialect}${describeFaults(faults)}\n`);
      if (control) stdout.write(`Tests can control it: see ${control}/openapi.json\n`);
      stdout.write(`The mock listens on ${url}; Ctrl-C stops it\n`);
    },
    request: (request) => stdout.write(`${describeRequest(request)}\n`),
    end(unstruck) {
      if (unstruck.length > 0) stderr.write(`Faults that never struck: ${listFaults(unstruck)}\n`);
    },
  };
};

/** Lines of JSON for a program: first the address, then each request when it has ended. */
const createJsonReporter: CreateReporter = ({ stdout }, description) => {
  const write = (value: unknown) => stdout.write(`${JSON.stringify(value)}\n`);
  let isControlled = false;
  return {
    start(url, control) {
      isControlled = control !== undefined;
      write({ url, control, ...description });
    },
    request({ headers: _, body: __, ...request }) {
      // A program that controls the mock can ask it for the requests, so it may not read the output. If
      // nobody reads a pipe, it fills up, and writing to it blocks.
      if (isControlled) return;
      // Headers and bodies may contain secrets, which do not belong in a log.
      write({ request });
    },
    end(unstruck) {
      if (unstruck.length > 0) write({ unstruckFaults: unstruck });
    },
  };
};

function nameOf(model: MockModel | string): string {
  return typeof model === "string" ? model : model.name;
}

/** The names of the models in a recording, as they were requested. */
function modelsOf({ exchanges }: Recording): readonly string[] {
  return exchanges.flatMap(({ request: { body } }) => {
    const { model, name } = Object(body);
    const asked: unknown = model || name;
    return typeof asked === "string" ? [asked] : [];
  });
}

/** A request in one line: its time, its target and its outcome. */
export function describeRequest(request: LoggedRequest): string {
  const { method, path, model, status, outcome, error, faults, bytesSent } = request;
  const time = new Date().toISOString().slice(11, 19);
  const parts = [time, method, printable(path), ...(model ? [printable(model)] : [])];
  const sent = bytesSent > 0 ? [formatBytes(bytesSent)] : [];
  const struck = faults.length > 0 ? [`faults: ${faults.join(", ")}`] : [];
  const words = error === undefined ? [] : [`error: ${printable(error)}`];
  return [...parts, String(status ?? "-"), outcome, ...sent, ...struck, ...words].join("  ");
}
