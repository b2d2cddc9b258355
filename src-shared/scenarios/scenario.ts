import { z } from 'zod';
import { durationMs, durationSchema, parseDuration, printDuration } from '../rules/duration.ts';
import { RuleDefinitionSchema, ruleIdFromName } from '../rules/rule.ts';
import { assertionProblem } from './assertion.ts';
import { timelineOf } from './timeline.ts';

const ruleIds = z
  .array(z.string().min(1).max(100))
  .min(1)
  .max(100)
  .meta({ description: 'Ids of rules of this workspace.' });

/** A moment of a scenario, and what is different from then on. */
export const ScenarioStepSchema = z
  .strictObject({
    at: durationSchema(0).meta({ title: 'At', description: 'Counted from the start of the scenario: 30s.' }),
    for: durationSchema(1)
      .optional()
      .meta({ title: 'For', description: 'What the step turns on is turned off again after that time.' }),
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .optional()
      .meta({ title: 'Name', description: 'Of the phase that begins here. Default: made from what is on.' }),
    enable: ruleIds.optional().meta({ title: 'Turns on' }),
    disable: ruleIds.optional().meta({ title: 'Turns off' }),
    rule: RuleDefinitionSchema.omit({ enabled: true })
      .optional()
      .meta({ title: 'Rule', description: 'One that exists only while the scenario runs.' }),
  })
  .superRefine((step, context) => {
    const turnsOn = step.enable !== undefined || step.rule !== undefined;
    if (step.for !== undefined && !turnsOn) {
      const message = 'Expected enable or rule beside it: it says how long what is turned on stays on.';
      context.addIssue({ code: 'custom', path: ['for'], message });
    }
    if (!turnsOn && step.disable === undefined && step.name === undefined) {
      context.addIssue({
        code: 'custom',
        message: 'Expected enable, disable, rule or name: nothing happens.',
      });
    }
  });
export type ScenarioStep = z.infer<typeof ScenarioStepSchema>;

/** Rules over time. A rule is as it was before once the scenario has ended, however that comes about. */
export const ScenarioSchema = z
  .strictObject({
    name: z.string().trim().min(1).max(100).meta({ title: 'Name', description: 'Unique in the workspace.' }),
    duration: durationSchema(100).meta({ title: 'Duration', description: 'When it ends: 2m.' }),
    steps: z.array(ScenarioStepSchema).min(1).max(1000),
    assert: z
      .array(z.string().min(1).max(500))
      .max(100)
      .default([])
      .meta({ description: 'What has to hold at its end, such as checkout.errorRate < 1%.' }),
  })
  .superRefine((scenario, context) => {
    const { durationIsSound, issues } = stepIssues(scenario);
    for (const issue of issues) context.addIssue({ code: 'custom', ...issue });
    // Without sound times there are no phases to ask about.
    if (!durationIsSound || issues.length > 0) return;
    const phases = timelineOf(scenario).timeline.phases.map(({ name }) => name);
    scenario.assert.forEach((text, index) => {
      const message = assertionProblem(text, phases);
      if (message !== null) context.addIssue({ code: 'custom', path: ['assert', index], message });
    });
  });
export type Scenario = z.infer<typeof ScenarioSchema>;

/** Something that does not fit together, and where: a path within the scenario, or within the list of them. */
export interface ScenarioIssue {
  readonly path: (string | number)[];
  readonly message: string;
}

function stepIssues(scenario: Scenario): { durationIsSound: boolean; issues: ScenarioIssue[] } {
  const times = [scenario.duration, ...scenario.steps.flatMap((step) => [step.at, step.for ?? '1s'])];
  // A text that is no duration has its own issue by now.
  if (times.some((text) => parseDuration(text) === null)) return { durationIsSound: false, issues: [] };
  return { durationIsSound: true, issues: [...timeIssues(scenario), ...timelineOf(scenario).issues] };
}

function timeIssues({ duration, steps }: Scenario): ScenarioIssue[] {
  const endMs = durationMs(duration);
  const issues: ScenarioIssue[] = [];
  let beforeMs = 0;
  steps.forEach((step, index) => {
    const atMs = durationMs(step.at);
    if (atMs < beforeMs) {
      const message = `Expected steps in the order of their times: the one before is at ${printDuration(beforeMs)}.`;
      issues.push({ path: ['steps', index, 'at'], message });
    } else if (atMs >= endMs) {
      const message = `Expected a time before the end of the scenario, which is at ${printDuration(endMs)}.`;
      issues.push({ path: ['steps', index, 'at'], message });
    } else if (step.for !== undefined && atMs + durationMs(step.for) > endMs) {
      const message = `Expected it to be over by the end of the scenario at ${printDuration(endMs)}: at most ${printDuration(endMs - atMs)}.`;
      issues.push({ path: ['steps', index, 'for'], message });
    }
    beforeMs = Math.max(beforeMs, atMs);
  });
  return issues;
}

/** The id that the rule of a step has while the scenario runs. */
export function inlineRuleId({
  id,
  name,
}: {
  readonly id?: string | undefined;
  readonly name: string;
}): string {
  return id ?? ruleIdFromName(name);
}

/** What only the whole workspace can tell: rules that are not there, names that are taken. Paths begin with `scenarios`. */
export function scenarioIssues(
  scenarios: readonly Scenario[],
  rules: readonly { readonly id: string; readonly name: string }[],
): ScenarioIssue[] {
  const issues: ScenarioIssue[] = [];
  const names = new Set<string>();
  scenarios.forEach((scenario, index) => {
    const at = ['scenarios', index];
    if (names.has(scenario.name)) {
      const message = `"${scenario.name}" is used twice; every name is unique.`;
      issues.push({ path: [...at, 'name'], message });
    }
    names.add(scenario.name);
    for (const { path, message } of ruleIssues(scenario, rules))
      issues.push({ path: [...at, ...path], message });
  });
  return issues;
}

function ruleIssues(
  { steps }: Scenario,
  rules: readonly { readonly id: string; readonly name: string }[],
): ScenarioIssue[] {
  const issues: ScenarioIssue[] = [];
  const ids = new Set(rules.map(({ id }) => id));
  const names = new Set(rules.map(({ name }) => name));
  steps.forEach((step, index) => {
    for (const list of ['enable', 'disable'] as const) {
      step[list]?.forEach((id, place) => {
        if (ids.has(id)) return;
        issues.push({ path: ['steps', index, list, place], message: unknownRule(id, rules) });
      });
    }
    const { rule } = step;
    if (rule === undefined) return;
    const path = ['steps', index, 'rule', 'name'];
    if (names.has(rule.name)) {
      issues.push({ path, message: `There is a rule called "${rule.name}" already. Names are unique.` });
    } else if (ids.has(inlineRuleId(rule))) {
      issues.push({ path, message: `There is a rule with the id "${inlineRuleId(rule)}" already.` });
    }
    names.add(rule.name);
    ids.add(inlineRuleId(rule));
  });
  return issues;
}

/** The inline rules of the same scenario are known by then, and are turned on by their step alone. */
function unknownRule(id: string, rules: readonly { readonly id: string; readonly name: string }[]): string {
  const byName = rules.find(({ name }) => name === id);
  if (byName !== undefined) return `Expected the id of a rule: the one called "${id}" has "${byName.id}".`;
  const known = rules.map((rule) => rule.id);
  if (known.length === 0) return `There is no rule "${id}": this workspace has no rules.`;
  const shown = known.slice(0, 10).join(', ');
  return `There is no rule "${id}". There are ${shown}${known.length > 10 ? ', …' : ''}.`;
}

/** Ids of the rules of the workspace that a scenario turns on or off. */
export function rulesOf({ steps }: Pick<Scenario, 'steps'>): Set<string> {
  return new Set(steps.flatMap(({ enable = [], disable = [] }) => [...enable, ...disable]));
}
