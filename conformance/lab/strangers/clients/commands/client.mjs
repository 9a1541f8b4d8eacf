/**
 * A client for commands that is right, made of parts. A stranger has one of them replaced.
 */

import { request } from "node:http";
import process from "node:process";

/** Writes updates, one JSON line each, and exits when all are written. */
const RIGHT_PARTS = {
  headers: { "Content-Type": "application/json" },
  print: (line) => process.stdout.write(line),
  succeed: () => process.exitCode = 0,
  fail(message) {
    process.stderr.write(`${message}\n`);
    process.exitCode = 1;
  },
  interrupt: () => process.exit(130),
};

/** Pulls the model of the last argument from `OLLAMA_HOST`, with parts of which some are replaced. */
export async function main(replaced = {}) {
  const parts = { ...RIGHT_PARTS, ...replaced };
  process.on("SIGINT", parts.interrupt);
  try {
    await pull(process.argv.at(-1), parts);
    parts.succeed();
  } catch (error) {
    parts.fail(error.message);
  }
}

async function pull(model, { headers, print }) {
  const response = await ask(model, headers);
  for await (const line of linesOf(response)) {
    const object = parse(line);
    if (typeof object.error === "string") throw new Error(object.error);
    if (object.error) throw new Error(object.error.message ?? JSON.stringify(object.error));
    print(`${JSON.stringify(object)}\n`);
    if (object.status !== "success") continue;
    response.destroy(); // so that an open connection does not keep the process
    return;
  }
  throw new Error("The pull ended without success");
}

async function ask(model, headers) {
  const host = process.env.OLLAMA_HOST.replace(/\/$/, "");
  const response = await new Promise((resolve, reject) => {
    request(`${host}/api/pull`, { method: "POST", headers })
      .on("response", resolve)
      .on("error", reject)
      .end(JSON.stringify({ model }));
  });
  const type = response.headers["content-type"] ?? "";
  if (response.statusCode < 400 && !type.startsWith("text/html")) return response;
  const body = (await response.toArray()).join("").trim();
  throw new Error(`HTTP ${response.statusCode} (${type}): ${messageIn(body)}`);
}

/** The message in the body of an error, or the body itself. */
function messageIn(body) {
  try {
    const { error, message, detail, errors } = JSON.parse(body);
    const found = error ?? message ?? detail ?? errors;
    const first = Array.isArray(found) ? found[0] : found;
    return first?.message ?? first?.msg ?? (typeof first === "string" ? first : body);
  } catch {
    return body;
  }
}

async function* linesOf(response) {
  let rest = "";
  for await (const text of response.setEncoding("utf8")) {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    yield* lines.filter((line) => line.trim() !== "");
  }
  if (rest.trim() !== "") yield rest;
}

function parse(line) {
  const object = JSON.parse(line);
  if (typeof object === "object" && object !== null && !Array.isArray(object)) return object;
  throw new Error(`A line is not an object: ${line.slice(0, 60)}`);
}
