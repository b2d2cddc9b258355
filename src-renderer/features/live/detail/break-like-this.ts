import type { Flow } from '#shared/flow/flow.ts';
import { splitUrl } from '#shared/flow/flow-summary.ts';
import type { Match, Rule, RuleInput } from '#shared/rules/rule.ts';
import { createRule, freeRuleName, setRuleEnabled, useRules } from '../../../stores/rules-store.ts';
import { showToast } from '../../../stores/toast-store.ts';

export type Breaking = 'slow' | 'unavailable' | 'reset' | 'hold';

export const breakings = [
  { name: 'slow', label: 'Slow 2 s', needsHttp: false },
  { name: 'unavailable', label: '503, half', needsHttp: true },
  { name: 'reset', label: 'Reset', needsHttp: false },
  { name: 'hold', label: 'Hold at breakpoint', needsHttp: true },
] as const satisfies readonly { name: Breaking; label: string; needsHttp: boolean }[];

const effects: Record<Breaking, Pick<RuleInput, 'faults' | 'trigger'> & { words: string }> = {
  slow: { words: 'slow 2 s', faults: [{ type: 'latency', latencyMs: 2000 }] },
  unavailable: {
    words: '503, half',
    trigger: { probability: 0.5 },
    faults: [{ type: 'status', status: 503 }],
  },
  reset: { words: 'reset', faults: [{ type: 'reset' }] },
  hold: { words: 'held', faults: [{ type: 'breakpoint' }] },
};

/** Turns on a fault for calls like this one: the rule that does it already, else a new one. */
export async function breakLikeThis(flow: Flow, breaking: Breaking): Promise<void> {
  const wanted = ruleFor(flow, breaking);
  const rules = useRules.getState().rules ?? [];
  const present = rules.find((rule) => doesTheSame(rule, wanted));
  const rule =
    present === undefined
      ? await createRule({ ...wanted, name: freeRuleName(wanted.name, rules) })
      : await setRuleEnabled(present.id, true);
  if (rule === null) return;
  showToast({
    tone: 'ok',
    text: `${rule.name}: on`,
    action: { label: 'Turn off', run: () => void setRuleEnabled(rule.id, false) },
  });
}

/** The rule that breaks calls like this one. */
export function ruleFor(flow: Flow, breaking: Breaking): RuleInput {
  const { words, ...effect } = effects[breaking];
  const match = matchLike(flow);
  const call = [match.method, match.path].filter((part) => part !== undefined).join(' ');
  const who = `${flow.caller.name} to ${flow.callee.name}`;
  return {
    name: [who, call, words].filter((part) => part !== '').join(', '),
    enabled: true,
    match,
    ...effect,
  };
}

function matchLike({ caller, callee, http }: Flow): Match {
  const who = { caller: caller.name, callee: callee.name };
  if (http === null) return who;
  const path = splitUrl(http.url).path.split('?')[0] ?? '/';
  return { ...who, method: http.method, path: asGlob(path) };
}

/** A path that also ends with a slash would be read as a regular expression; `*` at its end keeps it a glob. */
function asGlob(path: string): string {
  return path.length > 1 && path.endsWith('/') ? `${path}*` : path;
}

function doesTheSame(rule: Rule, wanted: RuleInput): boolean {
  const keys = ['caller', 'callee', 'method', 'host', 'path'] as const;
  const [fault] = rule.faults;
  const [wantedFault] = wanted.faults;
  return (
    keys.every((key) => rule.match[key] === wanted.match?.[key]) &&
    rule.trigger.probability === wanted.trigger?.probability &&
    givenFields(rule.match) === givenFields(wanted.match ?? {}) &&
    givenFields(rule.trigger) === givenFields(wanted.trigger ?? {}) &&
    rule.faults.length === 1 &&
    Object.entries(wantedFault ?? {}).every(([key, value]) => fault?.[key as keyof typeof fault] === value)
  );
}

/** A rule that asks for more than the wanted one is another. */
function givenFields(part: object): number {
  return Object.values(part).filter((field) => field !== undefined).length;
}
