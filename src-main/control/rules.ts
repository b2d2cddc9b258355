import { SpikeError } from '#shared/contract/errors.ts';
import type { Rule, RuleDefinition } from '#shared/rules/rule.ts';
import type { Engine } from '../engine/engine-interface.ts';
import { attachment } from './attachment.ts';
import { refuseMissing } from '../engine/rules/rule-order.ts';
import { os } from './context.ts';
import { durationMs } from './duration-text.ts';
import { istioYaml, spikeYaml } from './rule-export.ts';
import { importRules } from './rule-import.ts';

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

const move = os.rules.move.handler(({ input, context: { engine } }) =>
  ordered(engine, engine.rules.move(input.params.id, input.body.before)),
);

const order = os.rules.order.handler(({ input, context: { engine } }) =>
  ordered(engine, engine.rules.order(input.ids)),
);

async function ordered(engine: Engine, ids: string[]): Promise<{ ids: string[] }> {
  await engine.settled();
  return { ids };
}

const switchRules = os.rules.switch.handler(async ({ input, context: { engine } }) => {
  const changed = engine.rules.switch(input.ids, input.enabled);
  await engine.settled();
  return { changed };
});

const disableAll = os.rules.disableAll.handler(({ context }) => context.engine.rules.disableAll());

const preview = os.rules.preview.handler(({ input, context }) => {
  const { match = {}, trigger = {}, faults = [] } = input.rule;
  const rule = { match, trigger, faults };
  return context.engine.flows.preview({ rule, windowMs: durationMs(input.window), limit: input.limit });
});

const importText = os.rules.import.handler(async ({ input, context: { engine } }) => {
  const { rules: read, notes } = importRules(input.text, input.enabled);
  const definitions = input.taken === 'rename' ? renamed(engine.rules, read) : read;
  const added = input.apply ? addAll(engine.rules, definitions) : [];
  await engine.settled();
  return { rules: definitions, added, notes };
});

/** All or none: what is refused half-way takes back what was added before it. */
function addAll(book: Engine['rules'], definitions: readonly RuleDefinition[]): Rule[] {
  refuseTakenNames(book, definitions);
  const added: Rule[] = [];
  try {
    for (const definition of definitions) added.push(book.create(definition));
  } catch (error) {
    for (const { id } of added) book.remove(id);
    throw error;
  }
  return added;
}

/** What has a name or an id that is taken gets another. */
function renamed(book: Engine['rules'], definitions: readonly RuleDefinition[]): RuleDefinition[] {
  const known = book.list();
  const names = new Set([...known, ...definitions].map(({ name }) => name));
  const takenNames = new Set(known.map(({ name }) => name));
  const takenIds = new Set(known.map(({ id }) => id));
  return definitions.map(({ id, name, ...rest }) => {
    const free = takenNames.has(name) ? freeName(name, names) : name;
    names.add(free);
    return { ...rest, name: free, ...(id !== undefined && !takenIds.has(id) && { id }) };
  });
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  const base = name.slice(0, 190);
  for (let number = 2; ; number += 1) if (!taken.has(`${base} ${number}`)) return `${base} ${number}`;
}

function refuseTakenNames(book: Engine['rules'], definitions: readonly RuleDefinition[]): void {
  const names = new Set(book.list().map(({ name }) => name));
  const taken = definitions.filter(({ name }) => names.has(name)).map(({ name }) => `"${name}"`);
  if (taken.length === 0) return;
  const more = taken.length > 5 ? ` and ${taken.length - 5} more` : '';
  throw new SpikeError(
    'conflict',
    `There are rules with these names already: ${taken.slice(0, 5).join(', ')}${more}. Remove or rename them first. No rule was added.`,
  );
}

const exportText = os.rules.export.handler(({ input, context: { engine, resHeaders } }) => {
  const ids = input.ids?.split(',');
  if (ids !== undefined) refuseMissing(engine.rules.list(), ids);
  const asked = new Set(ids);
  const rules = engine.rules.list().filter(({ id }) => ids === undefined || asked.has(id));
  const [name, text] =
    input.format === 'spike' ? ['rules.yaml', spikeYaml(rules)] : ['spike-istio.yaml', istioYaml(rules)];
  return attachment(text, { name, type: 'application/yaml', resHeaders });
});

/** Answers once the change holds on every worker: a script that turns a rule on may count on its very next call. */
async function changed(engine: Engine, change: (rules: Engine['rules']) => Rule): Promise<Rule> {
  const rule = change(engine.rules);
  await engine.settled();
  return rule;
}

export const rules = {
  list,
  create,
  get,
  replace,
  update,
  remove,
  move,
  order,
  switch: switchRules,
  enable,
  disable,
  preview,
  import: importText,
  export: exportText,
  disableAll,
};
