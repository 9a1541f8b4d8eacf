/**
 * Shows that what GitHub reads of this repository is valid, and that its workflows are careful: GitHub
 * says nothing of a form that it cannot read, and a workflow fails on the day of a release.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import { basename } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { tools, versionOf } from "../conformance/lab/interop/tools.ts";
import { outputOf } from "./command.ts";
import { listFiles, readText, ROOT } from "./project.ts";

/** The linter of workflows, which Go builds once and then keeps. */
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

const files = await listFiles(ROOT, ".github");
const workflows = files.filter((file) => file.startsWith(".github/workflows/"));
const forms = files.filter((file) =>
  file.startsWith(".github/ISSUE_TEMPLATE/") && basename(file) !== "config.yml"
);

/** The part of a workflow that is looked at. */
interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>> | undefined;
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string }[];
}

/** The jobs of all workflows, with where they are. */
const jobs: [string, Job][] = [];
for (const file of workflows) {
  const workflow: Workflow = parse(await readText(file));
  for (const [id, job] of Object.entries(workflow.jobs)) {
    jobs.push([`${file}: ${id}`, { permissions: workflow.permissions, ...job }]);
  }
}

/** Whether Go is missing where it may be: on the machine of a developer. */
const lacksGo = Deno.env.get("CI") === undefined && await versionOf(tools.go) === undefined;

describe("the workflows", () => {
  it("have no fault that actionlint finds", { skip: lacksGo }, async () => {
    // What a shell script does wrong is found by ShellCheck if it is there: not the same everywhere.
    await outputOf(["go", "run", ACTIONLINT, "-shellcheck=", "-pyflakes=", ...workflows], {
      cwd: ROOT,
    });
  });

  it("take actions of others at a commit alone, with the version beside it", async () => {
    for (const file of workflows) {
      for (const [line, action] of (await readText(file)).matchAll(/^.*\buses: *(\S+).*$/gm)) {
        if (action!.startsWith("./")) continue;
        assertMatch(line, /@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
      }
    }
  });

  it("say what each job may do, and for how long", () => {
    assert(jobs.length > 0);
    for (const [place, { uses, permissions, "timeout-minutes": minutes }] of jobs) {
      assert(
        permissions !== undefined,
        `${place} has the permissions that GitHub gives by default`,
      );
      assert(uses !== undefined || minutes !== undefined, `${place} may run for six hours`);
    }
  });

  it("let no job that runs code of others publish", () => {
    const mayWrite = jobs.filter(([, { permissions }]) =>
      Object.values(permissions ?? {}).includes("write")
    );
    assert(mayWrite.some(([place]) => place.endsWith("npm")));
    for (const [place, { steps = [] }] of mayWrite) {
      const runsTests = steps.some(({ run = "" }) => /\.ci\/run|task (test|ok)/.test(run));
      assert(!runsTests, `${place} runs tests with permissions to write`);
    }
  });

  it("put no text that others can choose into a script", () => {
    for (const [place, { steps = [] }] of jobs) {
      for (const { run = "" } of steps) assert(!run.includes("${{"), `${place}: ${run}`);
    }
  });

  it("run what every developer can run", async () => {
    assertMatch(await readText(".github/workflows/ci.yml"), /^ +- run: bash \.ci\/run$/m);
  });
});

/** A form for issues, as GitHub's documentation describes it. */
const FORM = {
  type: "object",
  additionalProperties: false,
  required: ["name", "description", "body"],
  properties: {
    name: { type: "string", minLength: 4 },
    description: { type: "string", minLength: 4 },
    labels: { type: "array", items: { type: "string" } },
    body: {
      type: "array",
      minItems: 1,
      items: {
        oneOf: [
          part("markdown", { value: { type: "string" } }, ["value"]),
          part("textarea", { render: { type: "string" }, ...described() }, ["label"]),
          part("input", described(), ["label"]),
          part("dropdown", {
            options: { type: "array", minItems: 1, uniqueItems: true, items: { type: "string" } },
            multiple: { type: "boolean" },
            ...described(),
          }, ["label", "options"]),
        ],
      },
    },
  },
};

/** What people are told of a field. */
function described() {
  const names = ["label", "description", "placeholder", "value"];
  return Object.fromEntries(names.map((name) => [name, { type: "string" }]));
}

/** A part of a form: a text, or a field, which has an id. */
function part(type: string, attributes: object, required: readonly string[]) {
  const isField = type !== "markdown";
  return {
    type: "object",
    additionalProperties: false,
    required: ["type", "attributes", ...(isField ? ["id"] : [])],
    properties: {
      type: { const: type },
      attributes: { type: "object", additionalProperties: false, required, properties: attributes },
      ...(isField && {
        id: { type: "string", pattern: "^[\\w-]+$" },
        validations: {
          type: "object",
          additionalProperties: false,
          properties: { required: { type: "boolean" } },
        },
      }),
    },
  };
}

/** What the forms are checked by. */
interface Form {
  readonly name: string;
  readonly body: readonly {
    readonly id?: string;
    readonly attributes: Readonly<Record<string, string>>;
    readonly validations?: { readonly required?: boolean };
  }[];
}

describe("the forms for issues", () => {
  const ajv = new Ajv2020();
  const isForm = ajv.compile<Form>(FORM);

  for (const file of forms) {
    it(`are what GitHub can read: ${basename(file)}`, async () => {
      const form: Form = parse(await readText(file));
      assert(isForm(form), ajv.errorsText(isForm.errors));
      const ids = form.body.flatMap(({ id }) => id ?? []);
      assertEquals([...new Set(ids)], ids);
    });
  }

  it("would not be taken for forms with a slip in them", async () => {
    const text = await readText(".github/ISSUE_TEMPLATE/bug.yml");
    for (const [right, wrong] of [["label:", "lable:"], ["textarea", "text"], ["id:", "ids:"]]) {
      assertEquals(isForm(parse(text.replace(right!, wrong!))), false, wrong);
    }
  });

  it("ask for a recording of a bug, and say how to make one", async () => {
    const form: Form = parse(await readText(".github/ISSUE_TEMPLATE/bug.yml"));
    const recording = form.body.find(({ id }) => id === "recording");
    assertEquals(recording?.validations?.required, true);
    assertMatch(recording!.attributes["description"]!, /pull MODEL --record \S+\.jsonl/);
    assertMatch(recording!.attributes["description"]!, /mock --replay \S+\.jsonl/);
  });

  it("lead elsewhere by addresses that are whole", async () => {
    const { blank_issues_enabled, contact_links } = parse(
      await readText(".github/ISSUE_TEMPLATE/config.yml"),
    );
    assertEquals(blank_issues_enabled, false);
    for (const { name, url, about } of contact_links) {
      assert(name.length > 0 && about.length > 0);
      assertEquals(new URL(url).protocol, "https:");
    }
  });
});
