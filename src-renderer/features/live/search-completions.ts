import { completeSearch, parseSearch } from '#shared/flow/search.ts';

/** One thing that could stand at the caret. */
export interface Completion {
  /** What is shown: `fault:` in the colour of a key, the rest as a value. */
  key: string;
  value: string;
  detail: string;
  /** The search with it, and where the caret is then. */
  search: string;
  caret: number;
  /** A whole term, so that the calls that would remain can be counted. */
  isTerm: boolean;
}

/** The names that the window knows and the language does not. */
export interface KnownNames {
  services: readonly string[];
  routes: readonly string[];
  rules: readonly { readonly id: string; readonly name: string }[];
}

const offeredAtMost = 8;
const serviceKeys = ['service', 'caller', 'callee'];

/** What could stand at the caret: fields while a word is typed; values once one field is left, or after it. */
export function searchCompletions(search: string, caret: number, names: KnownNames): Completion[] {
  const found = completeSearch(search, caret);
  const make = (key: string, value: string, detail: string): Completion => {
    const inserted = found.key === null ? key + value : value;
    return {
      key: found.key === null ? key : `${found.key}:`,
      value,
      detail,
      search: search.slice(0, found.from) + inserted + search.slice(found.to),
      caret: found.from + inserted.length,
      isTerm: value !== '',
    };
  };
  const typed = search.slice(found.from, found.to);
  const [only] = found.options;
  const isAlone = found.key === null && found.options.length === 1 && only !== undefined && typed.length > 1;
  const key = isAlone ? only.label.slice(0, -1) : found.key;
  const values = key === null ? [] : valuesOf(key, isAlone ? '' : typed, names, isAlone ? [] : found.options);
  const operator = isAlone ? only.label : '';
  const fields = found.key === null ? found.options.map(({ label, detail }) => make(label, '', detail)) : [];
  const terms = values.map(({ value, detail, negated }) =>
    make(`${negated ? '-' : ''}${operator}`, value, detail),
  );
  return [...terms, ...fields].slice(0, offeredAtMost);
}

interface Value {
  value: string;
  detail: string;
  negated?: boolean;
}

function valuesOf(
  key: string,
  typed: string,
  names: KnownNames,
  known: readonly { label: string; detail: string }[],
): Value[] {
  const bare = typed.replace(/^"/, '').toLowerCase();
  return [...ownValues(key, names), ...known.map(({ label, detail }) => ({ value: label, detail }))]
    .filter(({ value }) => value.replace(/^"/, '').toLowerCase().startsWith(bare))
    .filter(
      ({ value }, index, all) => all.findIndex((other) => other.value === value) === index || key === 'fault',
    );
}

function ownValues(key: string, names: KnownNames): Value[] {
  if (serviceKeys.includes(key)) return names.services.map((name) => ({ value: quote(name), detail: '' }));
  if (key === 'route') return names.routes.map((name) => ({ value: quote(name), detail: '' }));
  if (key === 'rule') return names.rules.map(({ id, name }) => ({ value: id, detail: name }));
  if (key !== 'fault') return [];
  return [
    { value: '*', detail: 'altered by any rule' },
    { value: '*', detail: 'left alone', negated: true },
    { value: 'latency', detail: 'this kind' },
    ...names.rules.map(({ name }) => ({ value: quote(name), detail: 'this rule' })),
  ];
}

function quote(name: string): string {
  return /^[^\s()"*]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** Whether calls can be counted for it. */
export function isCountable(completion: Completion): boolean {
  return completion.isTerm && parseSearch(completion.search).ok;
}
