/**
 * The programs needed to build and run implementations: whether they are on this machine, and how to install
 * them.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A program. */
export interface Tool {
  /** Its name. */
  readonly program: string;
  /** The arguments that print its version. */
  readonly versionArgs: readonly string[];
  /** The oldest version that is recent enough. */
  readonly atLeast?: string;
  /** How to install it. */
  readonly hint: string;
}

/** The programs that must already be installed. */
export const tools = {
  apache: {
    program: "apache2",
    versionArgs: ["-v"],
    atLeast: "2.4",
    hint: "install the package apache2 of Debian",
  },
  caddy: {
    program: "caddy",
    versionArgs: ["version"],
    atLeast: "2.6",
    hint: "install Caddy 2.6 or later, such as the package caddy of your system",
  },
  cargo: {
    program: "cargo",
    versionArgs: ["--version"],
    atLeast: "1.85",
    hint: "install Rust by rustup",
  },
  curl: {
    program: "curl",
    versionArgs: ["--version"],
    hint: "install the package curl of your system",
  },
  go: {
    program: "go",
    versionArgs: ["version"],
    atLeast: "1.26",
    hint: "install Go 1.26 or later from its website",
  },
  haproxy: {
    program: "haproxy",
    versionArgs: ["-v"],
    atLeast: "2.4",
    hint: "install the package haproxy of your system",
  },
  java: {
    program: "java",
    versionArgs: ["-version"],
    atLeast: "17",
    hint: "install a JDK of version 17 or later, such as the package openjdk-17-jdk",
  },
  maven: {
    program: "mvn",
    versionArgs: ["--version"],
    hint: "install Maven, such as the package maven of your system",
  },
  nginx: {
    program: "nginx",
    versionArgs: ["-v"],
    atLeast: "1.18",
    hint: "install the package nginx of your system",
  },
  node: {
    program: "node",
    versionArgs: ["--version"],
    atLeast: "20.16",
    hint: "install Node.js 20.16 or later",
  },
  python: {
    program: "python3",
    versionArgs: ["--version"],
    atLeast: "3.10",
    hint: "install Python 3.10 or later, with venv",
  },
  varnish: {
    program: "varnishd",
    versionArgs: ["-V"],
    atLeast: "7",
    hint: "install Varnish 7 or later, such as the package varnish of your system",
  },
} as const satisfies Readonly<Record<string, Tool>>;

/** The name of a {@link Tool}. */
export type ToolName = keyof typeof tools;

const NUMBERS = new Intl.Collator("en", { numeric: true });

/** The version that a program reports, or `undefined` if it is not installed. */
export async function versionOf({ program, versionArgs }: Tool): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [...versionArgs]);
    return /\d+(\.\d+)+/.exec(stdout + stderr)?.[0] ?? "of an unknown number";
  } catch {
    return undefined;
  }
}

/** Why a program cannot be used, and how to install it, or `undefined` if it can. */
export async function findObstacle(tool: Tool): Promise<string | undefined> {
  const { program, atLeast = "0", hint } = tool;
  const version = await versionOf(tool);
  if (version === undefined) return `there is no ${program}: ${hint}`;
  if (NUMBERS.compare(version, atLeast) >= 0) return undefined;
  return `${program} ${version} is too old: ${hint}`;
}
