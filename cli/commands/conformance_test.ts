import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Command, CommanderError } from "commander";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Report, RuleResult } from "../../conformance/report.ts";
import { ONE_OF_EACH, report, result } from "../../conformance/reporters/test_helpers.ts";
import { CannotRun } from "../../conformance/rule.ts";
import type { RunOptions } from "../../conformance/run.ts";
import { type CommandContext, EXIT, Interruption, UsageError } from "../command.ts";
import { Recorder, Screen, TestContext } from "../test_helpers.ts";
import { conformanceCommand } from "./conformance.ts";
import type { ClientTarget, ConformanceKit, ServerTarget, Trial } from "./conformance_trial.ts";

const KEPT: readonly RuleResult[] = [
  result("S-SEQ-1"),
  result("S-SEQ-2", { level: "observed", verdict: "broken" }),
];

/** A kit that has found its results already. */
class StandInKit implements ConformanceKit {
  readonly rules: readonly RuleResult[] = [...ONE_OF_EACH, result("C-REQ-1")];
  readonly targets: (ServerTarget | ClientTarget)[] = [];
  readonly options: RunOptions[] = [];
  readonly #results: readonly RuleResult[];
  readonly #before: (options: RunOptions) => Promise<void> | void;

  constructor(
    results: readonly RuleResult[],
    before: (options: RunOptions) => Promise<void> | void = () => {},
  ) {
    this.#results = results;
    this.#before = before;
  }

  server(target: ServerTarget): Trial {
    return this.#trial("server", target, target.url);
  }

  client(target: ClientTarget): Trial {
    return this.#trial("client", target, target.command.join(" "));
  }

  #trial(side: Trial["side"], target: ServerTarget | ClientTarget, name: string): Trial {
    this.targets.push(target);
    const subject = { name };
    return {
      side,
      subject,
      runs: 5,
      select: ({ rules, levels }) => {
        if (rules?.includes("S-NO")) throw new CannotRun("Cannot run the rule S-NO");
        return this.#results.filter(({ id, level }) =>
          (rules?.some((rule) => id.startsWith(rule)) ?? true) &&
          (levels?.includes(level) ?? true)
        );
      },
      run: async (options) => {
        this.options.push(options);
        for (const result of this.#results) {
          options.onRule?.(result);
          await this.#before(options);
          options.onResult?.(result);
        }
        return report(this.#results, { side, subject, seed: options.seed! });
      },
    };
  }
}

/** Runs the command as `main` does, but for what that says of wrong usage. */
async function run(
  args: readonly string[],
  kit: ConformanceKit,
  context: CommandContext,
): Promise<number> {
  let exitCode: number = EXIT.success;
  const program = new Command("ollama-pull").exitOverride().configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: (text) => context.stderr.write(text),
  });
  conformanceCommand(() => Promise.resolve(kit))(program, context, (code) => exitCode = code);
  try {
    await program.parseAsync(["conformance", ...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof UsageError) context.stderr.write(`error: ${error.message}\n`);
    else if (!(error instanceof CommanderError)) throw error;
    return EXIT.usage;
  }
}

const SERVER = ["server", "--url", "127.0.0.1:9", "--model", "tiny"];

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "kit-"));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("conformance", () => {
  /** The exit code of a run that finds one result. */
  const exitCodeOf = async (more: Partial<RuleResult>, ...flags: string[]) => {
    const kit = new StandInKit([result("S-SEQ-1", more)]);
    return await run([...SERVER, ...flags], kit, new TestContext(new Recorder()));
  };

  it("says how long a run takes, if that is worth waiting for elsewhere", async () => {
    for (const [expectedMs, told] of [[45_000, true], [4_000, false]] as const) {
      const kit = new StandInKit(
        [result("S-SEQ-1")],
        ({ onPlan }) => onPlan?.({ pullMs: 1_560, expectedMs }),
      );
      const context = new TestContext(new Recorder());
      await run(SERVER, kit, context);
      const line = "A pull takes 1.6 s, and this run about 45 s\n";
      assertEquals(context.stderr.text.includes(line), told);
      assertEquals(context.stderr.text.includes("this run"), told);
    }
  });

  it("exits with 1 when a rule is broken of a level that counts, by default must or should", async () => {
    assertEquals(await exitCodeOf({}), 0);
    assertEquals(await exitCodeOf({ verdict: "broken" }), 1);
    assertEquals(await exitCodeOf({ verdict: "broken", level: "should" }), 1);
    assertEquals(await exitCodeOf({ verdict: "broken", level: "should" }, "--fail-on", "must"), 0);
    assertEquals(await exitCodeOf({ verdict: "broken", level: "observed" }), 0);
    const all = ["--fail-on", "observed"];
    assertEquals(await exitCodeOf({ verdict: "broken", level: "observed" }, ...all), 1);
  });

  it("exits with 1 when a rule is hung, at every level", async () => {
    assertEquals(await exitCodeOf({ verdict: "hung", level: "observed" }, "--fail-on", "must"), 1);
  });

  it("exits with 1 when a rule of must or should was not seen, unless it is allowed", async () => {
    const unseen = { verdict: "not seen" } as const;
    assertEquals(await exitCodeOf({ ...unseen, level: "should" }), 1);
    assertEquals(await exitCodeOf({ ...unseen, level: "observed" }), 0);
    assertEquals(await exitCodeOf(unseen, "--allow-not-seen", "S-SEQ-2,S-SEQ-1"), 0);
    assertEquals(await exitCodeOf(unseen, "--allow-not-seen", "S-SEQ-2"), 1);
    assertEquals(await exitCodeOf({ verdict: "skipped" }), 0);
  });

  it("does not fail by what is known to be broken, and says what is not any more", async () => {
    assertEquals(await exitCodeOf({ verdict: "broken" }, "--known", "S-SEQ-1"), 0);
    assertEquals(await exitCodeOf({ verdict: "broken" }, "--known", "S-SEQ-2,S-SEQ-3"), 1);
    await withDirectory(async (directory) => {
      const file = join(directory, "known.txt");
      await writeFile(file, "# since 0.33\nS-SEQ-1 # the first\n\nS-SEQ-9\n");
      assertEquals(await exitCodeOf({ verdict: "broken" }, "--known", file), 0);
      const context = new TestContext(new Recorder());
      const kit = new StandInKit([result("S-SEQ-1")]);
      assertEquals(await run([...SERVER, "--known", file], kit, context), 0);
      assertEquals(
        context.stderr.text,
        "S-SEQ-1 is kept, although --known lists it: remove it from the list\n",
      );
    });
  });

  it("has no rule taken off the list that another report has broken", async () => {
    await withDirectory(async (directory) => {
      const files = [result("S-SEQ-1"), result("S-SEQ-1", { verdict: "broken" })]
        .map((one, index) => ({
          file: join(directory, `${index}.json`),
          text: JSON.stringify(report([one])),
        }));
      for (const { file, text } of files) await writeFile(file, text);
      const context = new TestContext(new Recorder());
      const args = ["merge", ...files.map(({ file }) => file), "--known", "S-SEQ-1"];
      await run(args, new StandInKit([]), context);
      assertEquals(context.stderr.text.includes("take it off"), false);
    });
  });

  it("lists all rules, and explains one", async () => {
    const kit = new StandInKit([]);
    const list = new TestContext(new Recorder());
    assertEquals(await run(["--list-rules"], kit, list), 0);
    assertEquals(list.stdout.lines[0], "must     S-SEQ-1     The rule S-SEQ-1 holds");
    assertEquals(list.stdout.lines.at(-1), "5 rules: 3 must, 1 should, 1 observed");

    const one = new TestContext(new Recorder());
    assertEquals(await run(["--explain", "S-RES-2"], kit, one), 0);
    assertEquals(one.stdout.lines, [
      "S-RES-2 should: The rule S-RES-2 holds",
      "",
      '  rests on  spec: "It holds."',
      "  level     should: robust practice",
      "  counts    if an input shows what it is about",
      "",
      "  Run only this rule:",
      "  ollama-pull conformance server --model <name> --rule S-RES-2",
    ]);
    const client = new TestContext(new Recorder());
    assertEquals(await run(["--explain", "C-REQ-1"], kit, client), 0);
    assertStringIncludes(
      client.stdout.text,
      "ollama-pull conformance client --rule C-REQ-1 -- <command...>",
    );
  });

  it("says now and then how far it is where there is no terminal", async () => {
    const context = new TestContext(new Recorder());
    const kit = new StandInKit(ONE_OF_EACH, () => context.tick());
    await run([...SERVER, "--report", "json"], kit, context);
    assertEquals(context.stderr.lines.slice(0, 3), [
      "1/4, S-SEQ-1 The rule S-SEQ-1 holds",
      "2/4, S-SEQ-2 The rule S-SEQ-2 holds",
      "3/4, 1 broken, S-RES-1 The rule S-RES-1 holds",
    ]);
    assertEquals(context.callbacks.size, 0);
  });

  it("says nothing more as long as the results come", async () => {
    const context = new TestContext(new Recorder());
    const kit = new StandInKit(ONE_OF_EACH, () => context.tick());
    await run(SERVER, kit, context);
    assertEquals(context.stderr.lines, ["1/4, S-SEQ-1 The rule S-SEQ-1 holds"]);
  });

  it("hands on what to test, and which rules", async () => {
    const kit = new StandInKit(KEPT);
    await run(
      [
        ...[
          ...SERVER,
          "--delete",
          "--other-model",
          "other",
          "--rule",
          "S-SEQ-1",
          "--rule",
          "S-SEQ-2",
          "--level",
          "must",
        ],
        ...["--level", "should", "--runs", "7", "--seed", "-3", "--time-limit", "500"],
      ],
      kit,
      new TestContext(new Recorder()),
    );
    const target = { url: "http://127.0.0.1:9", model: "tiny", mayDelete: true };
    assertEquals(kit.targets, [{ ...target, otherModel: "other" }]);
    const { rules, levels, runs, seed, checkTimeoutMs } = kit.options[0]!;
    assertEquals(
      { rules, levels, runs, seed, checkTimeoutMs },
      {
        rules: ["S-SEQ-1", "S-SEQ-2"],
        levels: ["must", "should"],
        runs: 7,
        seed: -3,
        checkTimeoutMs: 500,
      },
    );
  });

  it("takes the client's command as it is, options and all", async () => {
    const kit = new StandInKit(KEPT);
    const context = new TestContext(new Recorder());
    await run(
      ["client", "--reports", "progress", "--client-time-limit", "900"]
        .concat("--", "python3", "my client.py", "--runs", "x", "--"),
      kit,
      context,
    );
    const command = ["python3", "my client.py", "--runs", "x", "--"];
    assertEquals(kit.targets, [{ command, reports: "progress", timeLimitMs: 900 }]);
    assertStringIncludes(
      context.stdout.text,
      "ollama-pull conformance client --reports progress --client-time-limit 900 " +
        "--rule S-SEQ-2 --seed -42 --path 3:0:1 -- python3 'my client.py' --runs x --\n",
    );
  });

  it("goes to OLLAMA_HOST unless it is told where", async () => {
    const kit = new StandInKit(KEPT);
    const context = new TestContext(new Recorder());
    context.env.OLLAMA_HOST = "example.com";
    await run(["server", "--model", "tiny"], kit, context);
    assertEquals(kit.targets, [
      { url: "http://example.com:11434", model: "tiny", mayDelete: false },
    ]);
  });

  it("shows each result as it is found, then the failures and how to see them again", async () => {
    const context = new TestContext(new Recorder());
    const shown: number[] = [];
    const kit = new StandInKit(KEPT, () => void shown.push(context.stdout.lines.length));
    await run([...SERVER, "--seed", "8"], kit, context);
    assertEquals(shown, [0, 3]);
    const { lines } = context.stdout;
    assertStringIncludes(lines[0]!, "server http://127.0.0.1:9 (");
    assertStringIncludes(lines[0]!, "up to 5 inputs by chance a rule, seed 8)");
    assertEquals(lines[2], "✓ must     S-SEQ-1     The rule S-SEQ-1 holds (100 inputs)");
    assertStringIncludes(
      context.stdout.text,
      "ollama-pull conformance server --url http://127.0.0.1:9 --model tiny " +
        "--rule S-SEQ-2 --seed -42 --path 3:0:1\n",
    );
    assertEquals(
      lines.at(-1),
      "✗ 1 rule broken: 1 observed; not counted: S-SEQ-2 (the level observed does not count)",
    );
    assertEquals(context.stderr.text, "");
    assertEquals(context.stdout.text.includes("\x1b"), false);
  });

  it("shows on a terminal how far it is, and takes that away at the end", async () => {
    const screen = new Screen(60, 9);
    const context = Object.assign(new TestContext(new Recorder()), { stderr: screen });
    const seen: (string | undefined)[] = [];
    const kit = new StandInKit(ONE_OF_EACH, async () => {
      context.tick();
      seen.push((await screen.look())[0]);
    });
    await run([...SERVER, "--report", "json"], kit, context);
    assertEquals(seen.map((line) => line?.slice(2)), [
      "1/4, S-SEQ-1 The rule S-SEQ-1 holds",
      "2/4, S-SEQ-2 The rule S-SEQ-2 holds",
      "3/4, 1 broken, S-RES-1 The rule S-RES-1 holds",
      "4/4, 2 broken, S-RES-2 The rule S-RES-2 holds",
    ]);
    assertEquals(await screen.look(), []);
    assertEquals(context.callbacks.size, 0);
    assertEquals(JSON.parse(context.stdout.text).results.length, 4);
  });

  it("uses colours on a terminal, unless its user does not want them", async () => {
    for (const [env, colors] of [[{}, true], [{ NO_COLOR: "1" }, false]] as const) {
      const context = new TestContext(new Screen(100, 24));
      Object.assign(context.env, env);
      await run(SERVER, new StandInKit(KEPT), context);
      assertEquals(context.stdout.text.includes("\x1b["), colors);
    }
  });

  it("writes each form of report", async () => {
    const starts = {
      pretty: "server http",
      tap: "TAP version 14\n",
      junit: "<?xml ",
      json: "{\n",
      html: "<!DOCTYPE html>",
    };
    for (const [form, start] of Object.entries(starts)) {
      const context = new TestContext(new Recorder());
      await run([...SERVER, "--report", form], new StandInKit(KEPT), context);
      assert(context.stdout.text.startsWith(start), form);
    }
  });

  it("writes the report to a file, and says on standard error what is in there", async () => {
    await withDirectory(async (directory) => {
      const context = new TestContext(new Recorder());
      const out = join(directory, "report.json");
      const args = [...SERVER, "--report", "json", "--out", out, "--seed", "8"];
      await run(args, new StandInKit(KEPT), context);
      const written: Report = JSON.parse(await readFile(out, "utf8"));
      assertEquals([written.seed, written.results.length], [8, 2]);
      assertEquals(context.stdout.text, "");
      assertEquals(context.stderr.text, `${out}: 1 kept, 1 broken\n`);
    });
  });

  it("exits with 2 and one line when the rules could not be run", async () => {
    const failing = (error: Error) =>
      new StandInKit(KEPT, () => {
        throw error;
      });
    const cases: [args: string[], kit: ConformanceKit, message: string][] = [
      [
        SERVER,
        failing(new CannotRun("Cannot reach the server\nat \x1b[2J:9")),
        "Cannot reach the server at :9",
      ],
      [[...SERVER, "--rule", "S-NO"], new StandInKit(KEPT), "Cannot run the rule S-NO"],
      [
        [...SERVER, "--level", "should"],
        new StandInKit(KEPT),
        "There is no rule to run: none of the --rule options has a level given by --level",
      ],
      [
        SERVER,
        failing(new RangeError("It is too much")),
        "Unexpected failure: RangeError: It is too much; please report it",
      ],
    ];
    for (const [args, kit, message] of cases) {
      const context = new TestContext(new Recorder());
      assertEquals(await run(args, kit, context), 2, message);
      assertEquals([context.stdout.text, context.stderr.text], ["", `error: ${message}\n`]);
    }
  });

  it("exits with 2 and one line when the report cannot be written", async () => {
    const context = new TestContext(new Recorder());
    const args = [...SERVER, "--out", "/no/such/directory/report"];
    assertEquals(await run(args, new StandInKit(KEPT), context), 2);
    assertStringIncludes(
      context.stderr.text,
      'error: Cannot write "/no/such/directory/report": ENOENT',
    );
    assertEquals(context.stderr.lines.length, 1);
  });

  it("exits with 2 and one line when it is used in a wrong way", async () => {
    const cases: [args: string[], message: string][] = [
      [["server"], "required option '--model <name>' not specified"],
      [["server", "--model", " "], 'Cannot use the model name " ": the model is missing'],
      [["server", "--url", "x://y", "--model", "tiny"], "--url: Cannot use the host"],
      [["client"], "missing required argument 'command'"],
      [[...SERVER, "--fail-on", "may"], "Allowed choices are must, should, observed."],
      [
        [...SERVER, "--allow-not-seen", "seq"],
        'Cannot use "seq" of --allow-not-seen: it must be the id of a rule, such as S-SEQ-1',
      ],
      [[...SERVER, "--known", "S-SEQ"], 'Cannot use --known "S-SEQ": it must be ids such as'],
      [["--explain", "S-NO-1"], 'Cannot explain the rule "S-NO-1": it does not exist.'],
      [[...SERVER, "--level", "may"], "is invalid. It must be one of must, should, observed"],
      [[...SERVER, "--runs", "0"], "It must be a whole number, 1 or more"],
      [[...SERVER, "--seed", "1e3"], "It must be a whole number"],
      [[...SERVER, "--path", "x"], "It must be numbers and colons, such as 3:0:1"],
      [[...SERVER, "--report", "pdf"], "Allowed choices are pretty, tap, junit, json, html."],
      [
        [...SERVER, "--path", "1:0", "--seed", "1"],
        "Cannot use --path with 2 rules: give one --rule",
      ],
      [[...SERVER, "--path", "1:0", "--rule", "S-SEQ-1"], "Cannot use --path without --seed: add"],
    ];
    for (const [args, message] of cases) {
      const context = new TestContext(new Recorder());
      assertEquals(await run(args, new StandInKit(KEPT), context), 2, message);
      assertStringIncludes(context.stderr.text, message);
      assertEquals(context.stderr.lines.length, 1, context.stderr.text);
    }
  });

  it("reports what it has found so far when it is interrupted", async () => {
    const context = new TestContext(new Recorder());
    let checks = 0;
    const kit = new StandInKit(ONE_OF_EACH, () => {
      if (++checks < 3) return;
      context.interruption.abort(new Interruption("Interrupted", EXIT.interrupted));
      return new Promise(() => {}); // a check that does not hear of it
    });
    const code = await run([...SERVER, "--report", "json", "--seed", "8"], kit, context);
    assertEquals(code, 130);
    const { results, seed, runs }: Report = JSON.parse(context.stdout.text);
    assertEquals([results.length, seed, runs], [2, 8, 5]);
    assertEquals(context.stderr.text, "Interrupted after 2 of 4 rules\n");
  });

  it("does not take the end of an interrupted check for a broken rule", async () => {
    const context = new TestContext(new Recorder());
    const kit = new StandInKit(ONE_OF_EACH, () => {
      context.interruption.abort(new Interruption("Terminated", EXIT.terminated));
    });
    assertEquals(await run([...SERVER, "--report", "json"], kit, context), 143);
    assertEquals(JSON.parse(context.stdout.text).results, []);
  });

  it("ends without a word when its output was closed", async () => {
    const context = new TestContext(new Recorder());
    const kit = new StandInKit(KEPT, () => {
      context.interruption.abort(new Interruption("The output was closed", EXIT.outputClosed));
    });
    assertEquals(await run([...SERVER, "--report", "tap"], kit, context), 141);
    assertEquals([context.stdout.text, context.stderr.text], ["", ""]);
  });
});

describe("conformance merge", () => {
  const kit = new StandInKit([]);

  it("puts the reports of files side by side, merged ones too", async () => {
    await withDirectory(async (directory) => {
      const file = (name: string) => join(directory, name);
      await writeFile(file("a.json"), JSON.stringify(report(KEPT)));
      await writeFile(file("b.json"), JSON.stringify(report(KEPT, { runtime: "Bun 1.4.5" })));
      await writeFile(file("c.json"), JSON.stringify(report([result("C-REQ-1")])));
      const context = new TestContext(new Recorder());
      const merge = (...args: string[]) => run(["merge", ...args], kit, context);
      assertEquals(
        await merge(file("a.json"), file("b.json"), "--report", "json", "--out", file("ab.json")),
        0,
      );
      assertEquals(await merge(file("ab.json"), file("c.json"), "--report", "html"), 0);
      assertEquals(context.stdout.text.match(/<table/g)?.length, 2);
      assertStringIncludes(context.stdout.text, "2 rules, 2 implementations");
    });
  });

  it("exits with 1 when a report has a broken rule of level must", async () => {
    await withDirectory(async (directory) => {
      const file = join(directory, "a.json");
      await writeFile(file, JSON.stringify(report(ONE_OF_EACH)));
      const context = new TestContext(new Recorder());
      assertEquals(await run(["merge", file], kit, context), 1);
      assertStringIncludes(context.stdout.text, "✗ 2 rules broken: 1 must, 1 observed");
      const known = ["--known", "S-SEQ-2,S-RES-1"];
      assertEquals(await run(["merge", file, ...known], kit, new TestContext(new Recorder())), 0);
    });
  });

  it("exits with 2 and one line when a file is missing, or is not a report", async () => {
    await withDirectory(async (directory) => {
      const file = join(directory, "a.json");
      await writeFile(file, "[{}]");
      for (const path of [file, join(directory, "b.json")]) {
        const context = new TestContext(new Recorder());
        assertEquals(await run(["merge", path], kit, context), 2);
        assertStringIncludes(context.stderr.text, `error: Cannot read ${JSON.stringify(path)}: `);
        assertEquals(context.stderr.lines.length, 1);
      }
    });
  });
});
