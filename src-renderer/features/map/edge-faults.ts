import { useState } from 'react';
import { Ban, CircleAlert, Hourglass, ShieldAlert, Timer, Unplug } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import type { Edge } from '#shared/contract/topology.ts';
import { literalPattern } from '#shared/rules/pattern.ts';
import type { Rule, RuleInput } from '#shared/rules/rule.ts';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import { createRule, freeRuleName, setRuleEnabled, useRules } from '../../stores/rules-store.ts';
import { refreshTopology } from '../../stores/topology-store.ts';

/** A fault that an edge can be given with one click. */
interface EdgeFault {
  /** The name of its switch. */
  readonly name: string;
  readonly icon: LucideIcon;
  /** What the name of its rule says of it. */
  readonly words: string;
  /** It answers in HTTP, or is about TLS that is opened: not for bytes. */
  readonly needsHttp: boolean;
  readonly effect: Pick<RuleInput, 'faults' | 'trigger'>;
}

const edgeFaults: readonly EdgeFault[] = [
  {
    name: 'Slow 2 s',
    icon: Timer,
    words: 'slow 2 s',
    needsHttp: false,
    effect: { faults: [{ type: 'latency', latencyMs: 2000 }] },
  },
  {
    name: '503, half of the calls',
    icon: CircleAlert,
    words: '503, half of the calls',
    needsHttp: true,
    effect: { trigger: { probability: 0.5 }, faults: [{ type: 'status', status: 503 }] },
  },
  {
    name: 'Reset',
    icon: Unplug,
    words: 'reset',
    needsHttp: false,
    effect: { faults: [{ type: 'reset' }] },
  },
  { name: 'Hang', icon: Hourglass, words: 'hang', needsHttp: false, effect: { faults: [{ type: 'hang' }] } },
  { name: 'Down', icon: Ban, words: 'down', needsHttp: false, effect: { faults: [{ type: 'refuse' }] } },
  {
    name: 'Bad certificate',
    icon: ShieldAlert,
    words: 'bad certificate',
    needsHttp: true,
    effect: { faults: [{ type: 'tls-certificate' }] },
  },
];

/** One switch of "Break this edge". */
export interface EdgeFaultSwitch {
  readonly name: string;
  readonly icon: LucideIcon;
  readonly on: boolean;
  /** The rule behind it; null until it was turned on for the first time. */
  readonly rule: Rule | null;
  set(on: boolean): void;
}

type EdgeEnds = Pick<Edge, 'caller' | 'callee' | 'protocol'>;

/** The switches of an edge. They turn at once, and back again when the agent refuses (which is told). */
export function useEdgeFaults(edge: EdgeEnds): EdgeFaultSwitch[] {
  const rules = useRules((store) => store.rules);
  const [wanted, setWanted] = useState<ReadonlyMap<string, boolean>>(new Map());
  const want = (key: string, on: boolean | null) =>
    setWanted((now) => {
      const next = new Map(now);
      if (on === null) next.delete(key);
      else next.set(key, on);
      return next;
    });
  return edgeFaults
    .filter((fault) => !fault.needsHttp || edge.protocol !== 'tcp')
    .map((fault) => {
      const definition = ruleFor(edge, fault);
      const rule = (rules ?? []).find((present) => doesTheSame(present, definition)) ?? null;
      const key = `${edge.caller}\n${edge.callee}\n${fault.name}`;
      const set = (on: boolean) => {
        if (wanted.has(key)) return; // the agent has not answered yet
        want(key, on);
        void apply(rule, definition, on).finally(() => want(key, null));
      };
      return { name: fault.name, icon: fault.icon, rule, on: wanted.get(key) ?? rule?.enabled ?? false, set };
    });
}

/** Space on a selected edge: what is on is turned off; else the first fault is turned on. */
export function toggleFirstFault(switches: readonly EdgeFaultSwitch[]): void {
  const on = switches.filter((fault) => fault.on);
  if (on.length > 0) on.forEach((fault) => fault.set(false));
  else switches[0]?.set(true);
}

/** The rule that breaks all calls of an edge in this way: with the edge as its match, and nothing else. */
export function ruleFor({ caller, callee }: EdgeEnds, fault: Pick<EdgeFault, 'words' | 'effect'>): RuleInput {
  return {
    name: `${caller} → ${callee}: ${fault.words}`,
    enabled: true,
    match: { caller: literalPattern(caller), callee: literalPattern(callee) },
    ...fault.effect,
  };
}

/** The same calls, as often, to the same effect; the name and whether it is on do not matter. */
export function doesTheSame(rule: Rule, definition: RuleInput): boolean {
  const wanted = RuleDefinitionSchema.parse(definition);
  return (
    sameFields(rule.match, wanted.match) &&
    sameFields(rule.trigger, wanted.trigger) &&
    rule.faults.length === wanted.faults.length &&
    rule.faults.every((fault, index) => sameFields(fault, wanted.faults[index]!))
  );
}

function sameFields(a: object, b: object): boolean {
  const plain = (value: object) =>
    JSON.stringify(
      Object.entries(value)
        .filter(([, field]) => field !== undefined)
        .sort(([one], [two]) => (one < two ? -1 : 1)),
    );
  return plain(a) === plain(b);
}

async function apply(rule: Rule | null, definition: RuleInput, on: boolean): Promise<void> {
  if (rule !== null) await setRuleEnabled(rule.id, on);
  else if (on) {
    const taken = useRules.getState().rules ?? [];
    await createRule({ ...definition, name: freeRuleName(definition.name, taken) });
  }
  refreshTopology(); // the line changes with the switch, not half a second later
}
