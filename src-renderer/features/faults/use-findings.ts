import { useMemo } from 'react';
import { ruleFindings } from '#shared/rules/rule-findings.ts';
import type { FoundRule, RuleFinding, SeenNames } from '#shared/rules/rule-findings.ts';
import { useRoutes } from '../../stores/routes-store.ts';
import { useTopology } from '../../stores/topology-store.ts';

/** What is odd with rules, given what this agent has seen. */
export function useFindings(
  rules: readonly (FoundRule & { readonly version?: number })[],
): readonly RuleFinding[] {
  const seen = useSeenNames();
  // Hits change ten times a second, findings do not: rules are compared by their version, the one in the form by what it says.
  const key = rules
    .map((rule) => (rule.version === undefined ? JSON.stringify(rule) : versionOf(rule)))
    .join('\n');
  // eslint-disable-next-line react-hooks/exhaustive-deps -- `key` is what of the rules is looked at
  return useMemo(() => ruleFindings(rules, seen), [key, seen]);
}

function versionOf({ id, version, enabled }: { id: string; version?: number; enabled: boolean }): string {
  return `${id} ${version} ${enabled}`;
}

function useSeenNames(): SeenNames {
  const services = useTopology((store) => namesKey(store.topology?.services ?? []));
  const routes = useRoutes((store) => namesKey(store.routes ?? []));
  return useMemo(() => ({ services: namesIn(services), routes: namesIn(routes) }), [services, routes]);
}

/** One text, so that the same names asked again are the same value. */
function namesKey(named: readonly { name: string }[]): string {
  return JSON.stringify(named.map(({ name }) => name).sort());
}

function namesIn(key: string): ReadonlySet<string> {
  return new Set(JSON.parse(key) as string[]);
}
