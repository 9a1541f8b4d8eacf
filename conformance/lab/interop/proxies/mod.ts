/**
 * The mock behind reverse proxies, as subjects: each proxy with the configurations from documentation, and
 * with the one in `conformance/proxies/`.
 *
 * @module
 */

import { type RunOptions, runSuite } from "../../../run.ts";
import type { RuleResult } from "../../../report.ts";
import type { Subject } from "../subject.ts";
import { tools, versionOf } from "../tools.ts";
import { KNOWN } from "./known.ts";
import { copiedPath, defaultPath, nginx, proxies, type Proxy } from "./proxies.ts";
import { type ProxiedMock, proxiedMock } from "./proxied_mock.ts";
import { PATIENCE_MS, patientRules, proxyRules } from "./rules.ts";

/** A configuration, and the rules broken with it. */
interface Configuration {
  /** Its label, next to the name of the proxy. */
  readonly name: string;
  /** Its path. */
  readonly source: string;
  /** The rules broken with it, each with the reason. */
  readonly breaks: Subject["breaks"];
}

/** The configurations of a proxy to test. */
function configurationsOf(proxy: Proxy): Configuration[] {
  const { defaults, limits = {} } = KNOWN[proxy.name]!;
  const asDocumented = defaults.map(({ name = "default", file, breaks }) => ({
    name,
    source: defaultPath(file),
    breaks,
  }));
  return [...asDocumented, { name: "ours", source: copiedPath(proxy), breaks: limits }];
}

/** Which rules to test in addition to those for servers. */
interface Thoroughness {
  /** Whether to test those that take minutes. */
  readonly isPatient: boolean;
}

/** A proxy with each of its configurations. */
function subjectsOf(proxy: Proxy, { isPatient }: Thoroughness): Subject[] {
  return configurationsOf(proxy).map(({ name, source, breaks }): Subject => ({
    side: "server",
    name: `${proxy.name} (${name})`,
    needs: [proxy.tool],
    breaks,
    async prepare() {
      const version = await versionOf(tools[proxy.tool]);
      const info = { name: `${proxy.name} (${name})`, ...(version !== undefined && { version }) };
      const ready = await proxiedMock(proxy, source, info);
      return {
        ...ready,
        runMore: (options) => runProxyRules(ready.implementation, options, { isPatient }),
      };
    },
  }));
}

/** Runs the rules about proxies. */
async function runProxyRules(
  subject: ProxiedMock,
  options: RunOptions,
  { isPatient }: Thoroughness,
): Promise<readonly RuleResult[]> {
  const { results } = await runSuite({ side: "server", rules: proxyRules }, subject, options);
  if (!isPatient) return results;
  const patience = { ...options, checkTimeoutMs: PATIENCE_MS };
  const { results: more } = await runSuite(
    { side: "server", rules: patientRules },
    subject,
    patience,
  );
  return [...results, ...more];
}

/** The proxy that is tested together with the implementations. */
export const oneProxy: readonly Subject[] = subjectsOf(nginx, { isPatient: false });

/** All proxies, including the rules that take minutes. */
export const allProxies: readonly Subject[] = proxies.flatMap((proxy) =>
  subjectsOf(proxy, { isPatient: true })
);
