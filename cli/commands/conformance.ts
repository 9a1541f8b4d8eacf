/**
 * `conformance`: tests a server or a client, and merges reports.
 *
 * @module
 */

import { type Command, InvalidArgumentError, Option } from "commander";
import { LEVELS } from "../../conformance/report.ts";
import { reporters } from "../../conformance/reporters/mod.ts";
import type { Level } from "../../conformance/rule.ts";
import { type AddCommand, type CommandContext, requireModelName } from "../command.ts";
import { printable } from "../printable.ts";
import { examples } from "../examples.ts";
import { chooseHost, DEFAULT_HOST, parseHost, showHost } from "../host.ts";
import { quoteArgument } from "../invocation.ts";
import { addGateOptions } from "./conformance_gate.ts";
import { explainRule, listRules } from "./conformance_rules.ts";
import {
  explained,
  mergeFiles,
  type OutputFlags,
  type RunFlags,
  runTrial,
} from "./conformance_run.ts";
import { type ClientTarget, type ConformanceKit, loadKit } from "./conformance_trial.ts";

interface ServerFlags extends RunFlags {
  readonly url?: string;
  readonly model: string;
  readonly delete?: true;
  readonly otherModel?: string;
}

interface RuleFlags {
  readonly listRules?: true;
  readonly explain?: string;
}

interface ClientFlags extends RunFlags {
  readonly reports: ClientTarget["reports"];
  readonly clientTimeLimit?: number;
}

function integer(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && value >= minimum) return value;
    const range = minimum === -Infinity ? "" : `, ${minimum} or more`;
    throw new InvalidArgumentError(`It must be a whole number${range}`);
  };
}

function parsePath(text: string): string {
  if (/^\d+(:\d+)*$/.test(text)) return text;
  throw new InvalidArgumentError("It must be numbers and colons, such as 3:0:1");
}

function parseLevel(text: string, levels: readonly Level[] = []): readonly Level[] {
  const level = LEVELS.find((level) => level === text);
  if (level) return [...levels, level];
  throw new InvalidArgumentError(`It must be one of ${LEVELS.join(", ")}`);
}

function addOutputOptions(command: Command): Command {
  const names = Object.keys(reporters);
  return addGateOptions(command)
    .addOption(
      new Option("--report <form>", "the format of the report").choices(names).default("pretty"),
    )
    .option("--out <file>", "write the report to a file instead of standard output");
}

function addRunOptions(command: Command): Command {
  command
    .option(
      "--rule <id>",
      "run only this rule, or a section such as S-SEQ; may be repeated",
      (id, ids: readonly string[] = []) => [...ids, id],
    )
    .option(
      "--level <level>",
      `run only this level: ${LEVELS.join(", ")}; may be repeated`,
      parseLevel,
    )
    .option(
      "--runs <number>",
      "how many random inputs to try per rule, besides the fixed ones",
      integer(1),
    )
    .option("--seed <number>", "the seed of the inputs", integer(-Infinity))
    .option("--path <path>", "try only this input; needs --seed and one --rule", parsePath)
    .option(
      "--time-limit <ms>",
      "how long the check of one input may take, in milliseconds",
      integer(1),
    );
  return addOutputOptions(command);
}

const EXAMPLES = {
  all: examples({
    "conformance --list-rules": "list all rules",
    "conformance --explain C-END-1": "say what a rule asks for, and why",
    "conformance server --model all-minilm": "test the server at $OLLAMA_HOST",
  }),
  server: examples({
    "conformance server --url localhost:11435 --model tiny": "test the server at an address",
    "conformance server --model all-minilm --delete": "see the model downloaded in every check",
    "conformance server --model all-minilm --rule S-SEQ": "test one section of the rules",
  }),
  client: examples({
    "conformance client -- python3 client.py": "test a client that prints statuses",
    "conformance client --reports outcome -- ollama pull": "test one by its exit code",
    "conformance client --report html --out page.html -- ./client": "write a page",
  }),
  merge: examples({
    "conformance merge server.json client.json": "show two reports as one",
    "conformance merge *.json --report html --out page.html": "make a page of reports",
    "conformance merge *.json --report junit --out report.xml": "give them to a CI service",
  }),
};

const HELP_AFTER = `

Exit codes: 0 no rule that counts is broken or not seen, 1 a rule is, 2 the rules could not run, 130 interrupted`;

/** Makes the function that adds `conformance` to the program. */
export function conformanceCommand(load: () => Promise<ConformanceKit> = loadKit): AddCommand {
  return (program, context, onExit) => {
    const run = async (exitCode: Promise<number>) => onExit(await explained(exitCode, context));
    const conformance = program
      .command("conformance")
      .description("test a client or a server of the pull protocol")
      .option("--list-rules", "list all rules")
      .option("--explain <id>", "explain what a rule requires, and why")
      .addHelpText("after", EXAMPLES.all + HELP_AFTER)
      .action(({ explain, listRules: isList }: RuleFlags) => {
        if (explain !== undefined) return run(explainRule(explain, load(), context));
        return isList ? run(listRules(load(), context)) : conformance.help({ error: true });
      });

    addRunOptions(conformance.command("server").description("test a server"))
      .option("--url <address>", `the server's address (default: $OLLAMA_HOST, or ${DEFAULT_HOST})`)
      .requiredOption("--model <name>", "a model that it can pull, preferably a small one")
      .option("--delete", "delete that model before each check, so that it is downloaded again")
      .option(
        "--other-model <name>",
        "another small model without a common layer, to pull at the same time",
      )
      .addHelpText("after", EXAMPLES.server + HELP_AFTER)
      .action((flags: ServerFlags) => run(testServer(flags, load, context)));

    addRunOptions(conformance.command("client").description("test a client, in any language"))
      .usage("[options] -- <command...>")
      .argument("<command...>", "the program and its arguments; the model is appended")
      .addOption(
        new Option(
          "--reports <what>",
          "what it prints: the server's statuses, its own progress, or nothing (outcome: exit code only)",
        )
          .choices(["statuses", "progress", "outcome"]).default("statuses"),
      )
      .option(
        "--client-time-limit <ms>",
        "the client's time limit: after how many milliseconds without anything new it fails",
        integer(1),
      )
      .addHelpText("after", EXAMPLES.client + HELP_AFTER)
      .action((command: string[], flags: ClientFlags) =>
        run(testClient(command, flags, load, context))
      );

    addOutputOptions(conformance.command("merge").description("merge JSON reports into one report"))
      .argument("<files...>", "files written by --report json")
      .addHelpText("after", EXAMPLES.merge + HELP_AFTER)
      .action((files: string[], flags: OutputFlags) => run(mergeFiles(files, flags, context)));
  };
}

/** Adds `conformance` to the program. */
export const addConformanceCommand: AddCommand = conformanceCommand();

async function testServer(
  flags: ServerFlags,
  load: () => Promise<ConformanceKit>,
  context: CommandContext,
): Promise<number> {
  const { model, otherModel } = flags;
  requireModelName(model);
  if (otherModel !== undefined) requireModelName(otherModel);
  const host = flags.url === undefined
    ? chooseHost(undefined, context.env)
    : parseHost(flags.url, "--url");
  const url = host.href.replace(/\/$/, "");
  const mayDelete = flags.delete ?? false;
  const trial = (await load()).server({
    url,
    model,
    mayDelete,
    ...(otherModel !== undefined && { otherModel }),
  });
  const again = (found: readonly string[]) =>
    commandLine(context, [
      "server",
      "--url",
      showHost(host),
      "--model",
      printable(model),
      ...(mayDelete ? ["--delete"] : []),
      ...(otherModel !== undefined ? ["--other-model", printable(otherModel)] : []),
      ...timeLimitFlags(flags),
      ...found,
    ]);
  return await runTrial(trial, flags, again, context);
}

async function testClient(
  command: readonly string[],
  flags: ClientFlags,
  load: () => Promise<ConformanceKit>,
  context: CommandContext,
): Promise<number> {
  const { reports, clientTimeLimit } = flags;
  const limit = clientTimeLimit === undefined ? {} : { timeLimitMs: clientTimeLimit };
  const trial = (await load()).client({ command, reports, ...limit });
  const again = (found: readonly string[]) =>
    commandLine(context, [
      "client",
      ...(reports === "statuses" ? [] : ["--reports", reports]),
      ...(clientTimeLimit === undefined ? [] : ["--client-time-limit", String(clientTimeLimit)]),
      ...timeLimitFlags(flags),
      ...found,
      "--",
      ...command,
    ]);
  return await runTrial(trial, flags, again, context);
}

function timeLimitFlags({ timeLimit }: RunFlags): string[] {
  return timeLimit === undefined ? [] : ["--time-limit", String(timeLimit)];
}

/** A command line that a person can copy. */
function commandLine({ invocation }: CommandContext, args: readonly string[]): string {
  return [invocation, "conformance", ...args.map(quoteArgument)].join(" ");
}
