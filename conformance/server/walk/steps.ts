/**
 * Describes a walk in words and `curl` commands, so that a person can repeat it.
 *
 * @module
 */

import { absentModel, pullBody } from "../transcript.ts";
import type { OpenServer } from "../subject.ts";
import {
  type Act,
  type Command,
  eventsOf,
  type Journey,
  type PullCommand,
  REFUSED_BODIES,
  TO_THE_END,
} from "./commands.ts";

/** The server's details that the description needs. */
export type ToldServer = Pick<OpenServer, "model" | "fieldsFor" | "layers" | "otherModel">;

/** The column of comments in a step. */
const NOTE = "   # ";

/** A walk, step by step. */
export function stepsOf({ layers, commands }: Journey, server: ToldServer): string[] {
  const sizes = server.layers ? `; its layers have ${layers.join(", ")} bytes` : "";
  return [
    `# ${server.model} is not downloaded at all${sizes}`,
    ...commands.flatMap((command) => stepsFor(command, server)),
    `${curlOf(server, true)}${NOTE}read to the end`,
  ];
}

function stepsFor(command: Command, server: ToldServer): string[] {
  switch (command.do) {
    case "pull":
      return pullSteps(command, server);
    case "wait":
      return [`# wait for ${command.percent} % of the time that a whole pull takes`];
    case "idle":
      return [`# wait for ${command.milliseconds / 1_000} s`];
    case "delete":
      return [`curl -X DELETE $HOST/api/delete -d '${JSON.stringify(namesOf(server))}'`];
    case "publish":
      return [`# publish the model again, with a larger layer ${command.layer + 1}`];
    default:
      return [stepOfAct(command.do, server)];
  }
}

function pullSteps(command: PullCommand, server: ToldServer): string[] {
  const { callers } = command;
  const events = eventsOf(command);
  const [only, ...others] = callers;
  if (only && others.length === 0 && events.length <= 2 && !command.meanwhile?.length) {
    const until = only.leavesAt >= TO_THE_END
      ? "read to the end"
      : only.stream
      ? `read until ${only.leavesAt} % of the model is downloaded, then Ctrl-C`
      : `wait for ${only.leavesAt} % of the time of a pull, then Ctrl-C`;
    return [`${curlOf(server, only.stream)}${NOTE}${until}`];
  }
  const steps = events.map(({ at, what }) => {
    const when = at === 0 ? "at once" : `when ${at} % of the model is downloaded`;
    if (what.do === "act") return `${stepOfAct(what.act, server)}${NOTE}${when}`;
    const name = `caller ${what.caller + 1}`;
    if (what.do === "leave") return `# ${name}: Ctrl-C ${when}`;
    return `${curlOf(server, callers[what.caller]!.stream)}${NOTE}${name}, ${when}`;
  });
  const staying = callers.flatMap(({ leavesAt }, index) =>
    leavesAt >= TO_THE_END ? [`${index + 1}`] : []
  );
  if (staying.length === 0) return steps;
  return [...steps, `# caller ${staying.join(" and ")}: read to the end`];
}

function stepOfAct(act: Act, server: ToldServer): string {
  switch (act) {
    case "list":
      return "curl $HOST/api/tags";
    case "other":
      return curlOf(server, true, server.otherModel?.name);
    case "absent":
      return curlOf(server, true, absentModel(server));
    default: {
      const body = REFUSED_BODIES[act];
      return curl(typeof body === "string" ? body : JSON.stringify(body));
    }
  }
}

function namesOf({ model, fieldsFor = (model) => ({ model }) }: ToldServer) {
  return fieldsFor(model);
}

/** The command that pulls a model. */
export function curlOf(
  server: Pick<OpenServer, "model" | "fieldsFor">,
  stream: boolean,
  model?: string,
): string {
  return curl(JSON.stringify(pullBody(server, { stream }, model)));
}

function curl(body: string): string {
  return `curl -N $HOST/api/pull -d '${body}'`;
}
