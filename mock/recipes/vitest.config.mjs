/** Where the package is in this repository. A project that has it installed needs no such file. */
const root = new URL("../..", import.meta.url).pathname;

export default {
  resolve: {
    alias: [
      { find: /^@ollama-pull\/kit$/, replacement: `${root}mod.ts` },
      { find: /^@ollama-pull\/kit\/relay$/, replacement: `${root}src/relay/mod.ts` },
      { find: /^@ollama-pull\/kit\/mock$/, replacement: `${root}mock/mod.ts` },
      { find: /^vscode$/, replacement: `${root}mock/recipes/vscode/stub.ts` }, // which an editor would bring
    ],
  },
  test: { include: ["**/*.vitest.ts"] },
};
