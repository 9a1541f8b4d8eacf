/**
 * README.md and the guides that it links to: the commands that they tell people to run, how
 * these are tested, and the examples.
 *
 * @module
 */

import { lexer, type Token, walkTokens } from "marked";

const SHELLS = ["bash", "console", "sh", "shell"];

/** How a command in a document is tested. */
export type CommandTest =
  /** A script or a test that contains the same command runs it. */
  | { readonly runBy: string }
  /** A test of the documents runs it. It must succeed and print this. `withMock` starts the mock first. */
  | { readonly prints: RegExp; readonly withMock?: true }
  /** A test of the documents runs it, and interrupts it once it has printed this. */
  | { readonly keepsRunningAfter: RegExp };

/** The port of the mock in the documents: not Ollama's own, which may be in use. */
export const MOCK_PORT = 11435;

/** The guides, which are published with the package. */
export const GUIDES: readonly string[] = [
  "cli/README.md",
  "conformance/README.md",
  "mock/README.md",
  "src/README.md",
  "src/relay/README.md",
];

/** The documents for users. */
export const DOCUMENTS: readonly string[] = [
  "README.md",
  ...GUIDES,
  "bench/README.md",
  "conformance/RESULTS.md",
];

/** Every command in these documents, as it is written there. */
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

/** The commands in a code block: its lines (a `\` joins two), without prompts and comments. */
function commandsOf(code: string): string[] {
  return code
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.replace(/^\$ /, "").replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** A code block: its text, and the words after its fence, the first of which is the language. */
interface CodeBlock {
  readonly text: string;
  readonly words: readonly string[];
}

/** The code blocks of a Markdown document, however they are nested. */
function allCodeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  walkTokens(lexer(markdown), (token: Token) => {
    if (token.type === "code") {
      blocks.push({ text: token.text, words: token.lang?.split(" ") ?? [] });
    }
  });
  return blocks;
}

/** The code blocks in some languages. */
function codeBlocks(markdown: string, languages: readonly string[]): string[] {
  return allCodeBlocks(markdown)
    .filter(({ words: [language] }) => language !== undefined && languages.includes(language))
    .map(({ text }) => text);
}

/**
 * The modules in a Markdown document, by name: the last word after a fence, as in
 * "```js ignore server.js". (The word "ignore" makes Deno skip them when it runs the examples.)
 */
export function namedModules(markdown: string): Record<string, string> {
  const named = allCodeBlocks(markdown).map(({ text, words }) => [words.at(-1) ?? "", text]);
  return Object.fromEntries(named.filter(([name]) => /\.[jt]s$/.test(name!)));
}

/** The commands in all shell code blocks of a Markdown document. */
export function shellCommands(markdown: string): string[] {
  return codeBlocks(markdown, SHELLS).flatMap(commandsOf);
}

/** The TypeScript examples of a Markdown document. */
export function typeScriptExamples(markdown: string): string[] {
  return codeBlocks(markdown, ["ts"]);
}

/** The files that a Markdown document links to or shows, relative to its folder. */
export function linkedFiles(markdown: string): string[] {
  const files: string[] = [];
  walkTokens(lexer(markdown), (token: Token) => {
    if (token.type !== "link" && token.type !== "image") return;
    const [file] = token.href.split("#");
    if (file && !URL.canParse(file)) files.push(file);
  });
  return files;
}
