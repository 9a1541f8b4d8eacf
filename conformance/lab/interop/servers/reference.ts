/**
 * Versions of the reference server, built from the Go module that it is published as.
 *
 * @module
 */

import { join } from "node:path";
import type { DialectName } from "../../../../src/dialects.ts";
import { referenceServer, type ReferenceVersion } from "../reference_server.ts";
import type { Subject } from "../subject.ts";
import type { BuildPlan, Workshop } from "../workshop.ts";

/** The name of the Go module. */
export const MODULE = "github.com/ollama/ollama";

/** The version that is current. */
export const CURRENT_VERSION = "0.34.1";

/** A version that can follow its layers in parallel, and pull models of tensors without MLX. */
const PARALLEL_VERSION = "0.30.0";

/** Builds a version with its official build steps, and returns the path of the program. */
export async function buildReference(workshop: Workshop, version: string): Promise<string> {
  const flags = `-ldflags=-X=${MODULE}/version.Version=${version}`;
  const folder = await workshop.build({
    name: `ollama-${version}`,
    steps: (folder) => [
      { command: ["go", "install", flags, `${MODULE}@v${version}`], env: { GOBIN: folder } },
    ],
  });
  return join(folder, "ollama");
}

/**
 * Builds a version of the first months. It embeds the program that runs models, which is not part of the
 * module: an empty file replaces it.
 */
async function buildEarly(workshop: Workshop, version: string): Promise<string> {
  const module = "github.com/jmorganca/ollama";
  const runner = "src/llm/llama.cpp/gguf/build/cpu/bin";
  const plan: BuildPlan = {
    name: `ollama-${version}`,
    steps: () => [
      { command: ["sh", "-c", `go mod download -json ${module}@v${version} > module.json`] },
      { command: ["sh", "-c", `cp -r "$(${DIRECTORY})" src && chmod -R u+w src`] },
      { command: ["sh", "-c", `mkdir -p ${runner} && touch ${runner}/ollama-runner`] },
      { command: ["go", "build", "-o", "../ollama", "."], cwd: "src" },
      { command: ["rm", "-r", "src"] },
    ],
  };
  return join(await workshop.build(plan), "ollama");
}

/** Builds the version that is current. */
export function buildCurrent(workshop: Workshop): Promise<string> {
  return buildReference(workshop, CURRENT_VERSION);
}

/** A version that does not keep the bytes of a manifest, but writes it again from what it knows. */
const REWRITING_VERSION = "0.1.17";

/** Builds a version that rewrites manifests. */
export function buildRewriting(workshop: Workshop): Promise<string> {
  return buildEarly(workshop, REWRITING_VERSION);
}

/** Reads the folder of a module from the output of Go. */
const DIRECTORY = `sed -n 's/.*"Dir": "\\(.*\\)".*/\\1/p' module.json`;

/** The request fields of current versions. */
const byModel = (model: string) => ({ model, insecure: true });

/** The request fields of the first versions. */
const byName = (name: string) => ({ name, insecure: true });

/** What is known of a version, and how to build it. */
interface KnownVersion extends Omit<ReferenceVersion, "program"> {
  readonly build: typeof buildReference;
  readonly dialect: DialectName;
  readonly breaks?: Subject["breaks"];
}

/** Turns a version, with its dialect, into a subject. */
export type ReferenceSubject = Extract<Subject, { side: "server" }> & {
  readonly dialect: DialectName;
};

function reference({ build, dialect, breaks = {}, ...known }: KnownVersion): ReferenceSubject {
  const { name, version } = known;
  return {
    side: "server",
    name,
    version,
    dialect,
    needs: ["go"],
    breaks,
    async prepare(workshop) {
      const program = await build(workshop, version);
      return referenceServer({ ...known, program });
    },
  };
}

/** Whether a subject is a version of the reference server that is not the current one. */
export function isEarlierServer(subject: Subject): boolean {
  const servers: readonly Subject[] = referenceServers;
  return servers.includes(subject) && subject.version !== CURRENT_VERSION;
}

/** The versions, the current one first. */
export const referenceServers: readonly ReferenceSubject[] = [
  reference({
    name: "ollama serve",
    version: CURRENT_VERSION,
    dialect: "v0.33",
    fieldsFor: byModel,
    build: buildReference,
  }),
  reference({
    name: "ollama serve",
    version: PARALLEL_VERSION,
    dialect: "v0.5",
    maxRuns: 2, // each layer takes a second
    fieldsFor: byModel,
    build: buildReference,
  }),
  reference({
    name: "ollama serve (client2)",
    version: PARALLEL_VERSION,
    scheme: "http://",
    dialect: "client2",
    fieldsFor: byModel,
    build: buildReference,
    env: { OLLAMA_EXPERIMENT: "client2" },
    breaks: {
      "S-HTTP-3": "`Local.handlePull` sets no content type, so Go guesses one from the bytes",
      "S-FRAME-1": "`Local.handlePull` writes the error of a pull without a final newline",
      "S-FRAME-3": "`Local.handlePull` sets no content type, so Go guesses one from the bytes",
      "S-RESUME-1":
        "`Registry.Pull` keeps only whole chunks, and a layer below `DefaultChunkingThreshold` (64 " +
        "MB) is a single chunk, so nothing of it is kept",
      "S-SHARE-1": "`Registry.Pull` downloads separately for each caller",
      "S-OTHER-2": "`Registry.Pull` downloads separately for each caller",
      "S-ERR-2": "`decodeUserJSON` has no message for a body that ends too early, and answers 500",
      "S-ERR-4":
        "`Local.handlePull` sends `pulling manifest` before `Registry.Pull` parses the name",
      "S-ERR-5": "`params` has `insecure`, but it is never used: the scheme in the name decides",
    },
  }),
  reference({
    name: "ollama serve (tensors)",
    version: PARALLEL_VERSION,
    dialect: "tensor",
    fieldsFor: byModel,
    build: buildReference,
    mediaType: "application/vnd.ollama.image.tensor",
    breaks: {
      "S-RESUME-1":
        "`downloader.download` removes the partial file of a blob below `resumeThreshold` (64 MB), " +
        "and `download` counts only the bytes of complete blobs at the start",
      "S-SHARE-1": "`transfer.Download` downloads separately for each caller",
      "S-LOAD-1":
        "`downloader.save` uses the same `.tmp` file for all callers, and the first to rename it " +
        "takes it from the others",
    },
  }),
  reference({
    name: "ollama serve",
    version: REWRITING_VERSION,
    dialect: "v0.1",
    fieldsFor: byName,
    build: buildEarly,
    breaks: { "S-REQ-8": "`PullRequest` has `name` and no `model` yet" },
  }),
  reference({
    name: "ollama serve",
    version: "0.1.0",
    dialect: "v0.1.0",
    fieldsFor: byName,
    build: buildEarly,
    breaks: {
      "S-REQ-3": "`PullRequest` has no `stream` yet: `PullModelHandler` always streams",
      "S-REQ-8": "`PullRequest` has `name` and no `model` yet",
      "S-ERR-3": "`PullRequest` has neither `model` nor `stream`, so their types cannot be wrong",
      "S-ERR-4": "`ParseModelPath` accepts any name, and the server asks the registry for it",
      "S-ERR-7": "`PullRequest` has no `stream` yet, and a stream always has status 200",
    },
  }),
];
