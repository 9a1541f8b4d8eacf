/** The path of the package in this repository. A project that has installed the package needs no such file. */
const root = new URL("../..", import.meta.url).pathname;

export default {
  resolve: {
    alias: [
      { find: /^@ollama-pull\/kit$/, replacement: `${root}mod.ts` },
      { find: /^@ollama-pull\/kit\/relay$/, replacement: `${root}src/relay/mod.ts` },
      { find: /^@ollama-pull\/kit\/mock$/, replacement: `${root}mock/mod.ts` },
      { find: /^vscode$/, replacement: `${root}mock/recipes/vscode/stub.ts` }, // the editor provides it
    ],
  },
  test: { include: ["**/*.vitest.ts"] },
};
