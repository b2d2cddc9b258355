import { SpikeError } from '#shared/contract/errors.ts';
import type { Rule } from '#shared/rules/rule.ts';
import type { Engine } from '../engine/engine-interface.ts';
import { os } from './context.ts';
import { durationMs } from './duration-text.ts';

const list = os.rules.list.handler(({ context }) => [...context.engine.rules.list()]);
const get = os.rules.get.handler(({ input, context }) => context.engine.rules.get(input.id));

const create = os.rules.create.handler(({ input, context }) =>
  changed(context.engine, (rules) => rules.create(input)),
);

const replace = os.rules.replace.handler(({ input, context }) =>
  changed(context.engine, (rules) => rules.replace(input.params.id, input.body)),
);

const update = os.rules.update.handler(({ input, context }) =>
  changed(context.engine, (rules) => rules.update(input.params.id, input.body)),
);

const enable = os.rules.enable.handler(({ input, context }) =>
  changed(context.engine, (rules) => rules.update(input.id, { enabled: true })),
);

const disable = os.rules.disable.handler(({ input, context }) =>
  changed(context.engine, (rules) => rules.update(input.id, { enabled: false })),
);

const remove = os.rules.remove.handler(async ({ input, context }) => {
  const users = context.scenarios.usersOf(input.id);
  if (users.length > 0) {
    const names = users.map((name) => `"${name}"`).join(', ');
    throw new SpikeError(
      'conflict',
      `The scenario ${names} needs the rule "${input.id}". Change the scenario first.`,
    );
  }
  context.engine.rules.remove(input.id);
  await context.engine.settled();
  return { removed: input.id };
});

const disableAll = os.rules.disableAll.handler(({ context }) => context.engine.rules.disableAll());

const preview = os.rules.preview.handler(({ input, context }) => {
  const { match = {}, trigger = {}, faults = [] } = input.rule;
  const rule = { match, trigger, faults };
  return context.engine.flows.preview({ rule, windowMs: durationMs(input.window), limit: input.limit });
});

/** Answers once the change holds on every worker: a script that turns a rule on may count on its very next call. */
async function changed(engine: Engine, change: (rules: Engine['rules']) => Rule): Promise<Rule> {
  const rule = change(engine.rules);
  await engine.settled();
  return rule;
}

export const rules = { list, create, get, replace, update, remove, enable, disable, preview, disableAll };
