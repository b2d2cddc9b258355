import { stringify } from 'yaml';
import { exportIstio } from '#shared/rules/interop/istio-export.ts';
import type { Rule } from '#shared/rules/rule.ts';

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
