/**
 * README.md and the guides that it leads to: the commands that they tell people to run, what it takes for
 * them to be tested, and their examples.
 *
 * @module
 */

import { lexer, type Token, walkTokens } from "marked";

const SHELLS = ["bash", "console", "sh", "shell"];

/** How a command of a document is known to work. */
export type CommandTest =
  /** A script or a test, which holds the same command, runs it. */
  | { readonly runBy: string }
  /** It is run by a test of the documents, succeeds, and prints this; with the mock at its port or not. */
  | { readonly prints: RegExp; readonly withMock?: true }
  /** It is run by a test of the documents, and is interrupted once it has printed this. */
  | { readonly keepsRunningAfter: RegExp };

/** The port of the mock in the documents: not that of a real server, which may be there. */
export const MOCK_PORT = 11435;

/** The guides, which are published with the package. */
export const GUIDES: readonly string[] = [
  "cli/README.md",
  "conformance/README.md",
  "mock/README.md",
  "src/README.md",
  "src/relay/README.md",
];

/** What people read first. */
export const DOCUMENTS: readonly string[] = [
  "README.md",
  ...GUIDES,
  "bench/README.md",
  "conformance/RESULTS.md",
];

/** Every command of these documents, as it stands there. */
export const COMMAND_TESTS: Readonly<Record<string, CommandTest>> = {
  "npx --yes deno@2.9.6 task demo": { prints: /\nsuccess\n/ },
  "npx --yes deno@2.9.6 task test": { runBy: ".ci/run" },
  "npx --yes deno@2.9.6 task interop": { runBy: ".ci/run" },
  "deno run --allow-net --allow-env jsr:@ollama-pull/kit/cli pull llama3.2": {
    runBy: ".ci/runtimes/deno_test.ts",
  },
  "npx @ollama-pull/kit pull llama3.2": { runBy: ".ci/runtimes/node_test.ts" },
  "npx --yes deno@2.9.6 task bench": { runBy: ".ci/run" },
  "npx --yes deno@2.9.6 task mock --port 11435 --model llama3.2 --dialect v0.33 --rate 1GB/s --control":
    { keepsRunningAfter: /listens on http:\/\/127\.0\.0\.1:11435/ },
  'curl --no-buffer --data \'{"model":"llama3.2"}\' http://127.0.0.1:11435/api/pull': {
    prints: /\{"status":"pulling manifest"\}\n[^]*\{"status":"success"\}\n/,
    withMock: true,
  },
  "npx --yes deno@2.9.6 task pull llama3.2 --host 127.0.0.1:11435 --registry http://127.0.0.1:11435":
    {
      prints: /\nsuccess\n/,
      withMock: true,
    },
  "curl --data '\"stall@50%,ms=3000\"' http://127.0.0.1:11435/__mock/faults": {
    prints: /"kind":"stall"/,
    withMock: true,
  },
  "curl http://127.0.0.1:11435/__mock/requests": { prints: /"requests":\[\]/, withMock: true },
  "npx --yes deno@2.9.6 task conformance server --url http://127.0.0.1:11435 --model llama3.2": {
    prints: /S-SEQ-1/,
    withMock: true,
  },
};

/** The commands in a block of code: its lines, of which a `\` joins two, without prompts and comments. */
function commandsOf(code: string): string[] {
  return code
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.replace(/^\$ /, "").replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** A block of code: its text, and the words after its fence, the first of which is the language. */
interface CodeBlock {
  readonly text: string;
  readonly words: readonly string[];
}

/** The blocks of code of a text in Markdown, wherever they are nested. */
function allCodeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  walkTokens(lexer(markdown), (token: Token) => {
    if (token.type === "code") {
      blocks.push({ text: token.text, words: token.lang?.split(" ") ?? [] });
    }
  });
  return blocks;
}

/** Those in some languages. */
function codeBlocks(markdown: string, languages: readonly string[]): string[] {
  return allCodeBlocks(markdown)
    .filter(({ words: [language] }) => language !== undefined && languages.includes(language))
    .map(({ text }) => text);
}

/**
 * The modules of a text in Markdown by their names, each of which is the last word of a fence, as in
 * "```js ignore server.js". (By the word "ignore", Deno leaves them out of the examples that it runs.)
 */
export function namedModules(markdown: string): Record<string, string> {
  const named = allCodeBlocks(markdown).map(({ text, words }) => [words.at(-1) ?? "", text]);
  return Object.fromEntries(named.filter(([name]) => /\.[jt]s$/.test(name!)));
}

/** The commands in all blocks of shell code of a text in Markdown. */
export function shellCommands(markdown: string): string[] {
  return codeBlocks(markdown, SHELLS).flatMap(commandsOf);
}

/** The examples in TypeScript of a text in Markdown. */
export function typeScriptExamples(markdown: string): string[] {
  return codeBlocks(markdown, ["ts"]);
}

/** The files that a text in Markdown leads to or shows, relative to its folder. */
export function linkedFiles(markdown: string): string[] {
  const files: string[] = [];
  walkTokens(lexer(markdown), (token: Token) => {
    if (token.type !== "link" && token.type !== "image") return;
    const [file] = token.href.split("#");
    if (file && !URL.canParse(file)) files.push(file);
  });
  return files;
}
