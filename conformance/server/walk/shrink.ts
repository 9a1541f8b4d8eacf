/**
 * Finds simpler walks than one that breaks a rule.
 *
 * @module
 */

import { type Command, type Journey, type PullCommand, TO_THE_END } from "./commands.ts";

/** Slightly simpler walks than a given one; much simpler ones come first. */
export function* simplerJourneys({ layers, commands }: Journey): Generator<Journey, void, void> {
  if (commands.length > 1) yield { layers, commands: [] };
  for (const index of commands.keys()) {
    yield { layers, commands: commands.toSpliced(index, 1) };
  }
  for (const [index, command] of commands.entries()) {
    for (const simpler of simplerCommands(command)) {
      yield { layers, commands: commands.with(index, simpler) };
    }
  }
  for (const index of layers.keys()) {
    if (layers.length > 1) yield { layers: layers.toSpliced(index, 1), commands };
  }
}

function* simplerCommands(command: Command): Generator<Command, void, void> {
  if (command.do !== "pull") return;
  const { callers, meanwhile = [] } = command;
  if (meanwhile.length > 0) yield { do: "pull", callers };
  if (meanwhile.length > 1) {
    for (const index of meanwhile.keys()) {
      yield { ...command, meanwhile: meanwhile.toSpliced(index, 1) };
    }
  }
  for (const index of callers.keys()) {
    if (callers.length > 1) yield { ...command, callers: callers.toSpliced(index, 1) };
  }
  yield* simplerCallers(command);
}

/** The same with callers that ask for a stream, or stay to the end. */
function* simplerCallers(command: PullCommand): Generator<Command, void, void> {
  const { callers } = command;
  for (const [index, caller] of callers.entries()) {
    if (!caller.stream) {
      yield { ...command, callers: callers.with(index, { ...caller, stream: true }) };
    }
    if (callers.length > 1 && caller.leavesAt !== TO_THE_END) {
      yield { ...command, callers: callers.with(index, { ...caller, leavesAt: TO_THE_END }) };
    }
  }
}
