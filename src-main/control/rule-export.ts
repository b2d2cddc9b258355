import { stringify } from 'yaml';
import { briefFault } from '#shared/rules/brief-fault.ts';
import { exportIstio } from '#shared/rules/interop/istio-export.ts';
import { ruleIdFromName } from '#shared/rules/rule.ts';
import type { Rule } from '#shared/rules/rule.ts';
import { escapedText } from '../workspace/environment.ts';

/** The rules as VirtualServices in YAML, with a comment for each rule that is left out or says more than they do. */
export function istioYaml(rules: readonly Rule[]): string {
  const { services, notes } = exportIstio(rules);
  const off = rules.filter(({ enabled }) => !enabled).length;
  const comments = [
    'VirtualServices of Istio, exported from Spike. Whether a rule is on is not part of them: all take effect when they are applied.',
    ...(off === 0 ? [] : [`${off} of ${rules.length} rules are off in Spike.`]),
    // A name may have line breaks: as JSON it stays inside its comment.
    ...notes.map(({ rule, message }) => `Rule ${JSON.stringify(rule)}: ${message}.`),
  ];
  const head = comments.map((comment) => `# ${comment}\n`).join('');
  return (
    head + services.map((service) => `---\n${stringify(service, { aliasDuplicateObjects: false })}`).join('')
  );
}

/** The rules as a workspace file of their own: what is as by default is left out, and what looks like a placeholder is none. */
export function spikeYaml(rules: readonly Rule[]): string {
  const file = { version: 1, rules: rules.map(ruleEntry) };
  return stringify(escaped(file), { lineWidth: 0, aliasDuplicateObjects: false });
}

function ruleEntry({ id, name, enabled, match, trigger, faults }: Rule): object {
  return {
    name,
    ...(id === ruleIdFromName(name) ? {} : { id }),
    enabled,
    ...(isEmpty(match) ? {} : { match }),
    ...(isEmpty(trigger) ? {} : { trigger }),
    faults: faults.map(briefFault),
  };
}

function isEmpty(fields: object): boolean {
  return Object.values(fields).every((value) => value === undefined);
}

function escaped(value: unknown): unknown {
  if (typeof value === 'string') return escapedText(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escaped(item)]));
}
