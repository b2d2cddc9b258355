import type { z } from 'zod';
import { SpikeError } from '#shared/contract/errors.ts';
import type { Origin } from '#shared/routes/route.ts';
import type { Rule, RuleDefinition, RuleInput, RulePatch } from '#shared/rules/rule.ts';
import { RuleDefinitionSchema, ruleIdFromName, RulePatchSchema } from '#shared/rules/rule.ts';
import { ruleSentence } from '#shared/rules/sentence.ts';
import { expiryOf } from '#shared/rules/trigger.ts';
import type { Clock, Timer } from '../clock.ts';
import type { ActiveRule } from '../cluster/messages.ts';
import { readAnswerFiles, refuseTooManyBytes } from './answer-files.ts';
import type { AnswerFiles, ReadAnswerFile } from './answer-files.ts';
import { askedOrder, movedBefore, refuseMissing } from './rule-order.ts';

interface Entry {
  readonly id: string;
  /** null: the users'. */
  readonly origin: Origin | null;
  definition: RuleDefinition;
  version: number;
  /** Counts up each time that it is turned on or changed while on. */
  epoch: number;
  enabledAt: number | null;
  /** When the epoch began, Unix ms. */
  sinceMs: number;
  /** Turns it off when it expires. */
  expiry: Timer | null;
  hits: number;
  /** What it answers with while it is on, by path; null: nothing. */
  files: AnswerFiles | null;
}

export interface RuleBookEvents {
  changed(rule: Rule): void;
  removed(id: string): void;
  reordered(ids: string[]): void;
  hits(hits: Record<string, number>): void;
  /** What workers have to know is different now. */
  activeChanged(): void;
}

const maxRules = 10_000;

/**
 * The rules of an agent, in their order. What is refused changes nothing; what is accepted is told to the workers by
 * `activeChanged`, once for each call however many rules it touched.
 */
export class RuleBook {
  /** By their ids, in the order of the rules. */
  #entries = new Map<string, Entry>();
  #names = new Map<string, Entry>();
  #epochs = 0;
  readonly #clock: Clock;
  readonly #events: RuleBookEvents;
  readonly #readFile: ReadAnswerFile;

  constructor(clock: Clock, events: RuleBookEvents, readFile: ReadAnswerFile) {
    this.#clock = clock;
    this.#events = events;
    this.#readFile = readFile;
  }

  list(): Rule[] {
    return [...this.#entries.values()].map(ruleOf);
  }

  get(id: string): Rule {
    return ruleOf(this.#find(id));
  }

  /** The rules that are on, as workers get them. */
  active(): ActiveRule[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.definition.enabled)
      .map(({ id, definition, epoch, sinceMs, files }) => {
        const { name, match, trigger, faults } = definition;
        return { id, name, match, trigger, faults, epoch, sinceMs, ...(files !== null && { files }) };
      });
  }

  /** @param origin Who makes it, if not a user: only who names the same origin may change more of it than whether it is on. */
  create(input: RuleInput, origin: Origin | null = null): Rule {
    const definition = parse(RuleDefinitionSchema, input);
    if (this.#entries.size >= maxRules) {
      throw new SpikeError('conflict', `There are ${maxRules} rules, which is the most. Remove some first.`);
    }
    this.#refuseName(definition.name, null);
    if (definition.id !== undefined && this.#entries.has(definition.id)) {
      throw new SpikeError('conflict', `There is a rule with the id "${definition.id}" already.`);
    }
    const entry = this.#enter(definition, this.#freeId(definition), origin);
    this.#entries.set(entry.id, entry);
    return this.#tell(entry, definition.enabled);
  }

  replace(id: string, input: RuleInput, origin: Origin | null = null): Rule {
    const entry = this.#find(id);
    const definition = parse(RuleDefinitionSchema, input);
    if (definition.id !== undefined && definition.id !== id) {
      throw new SpikeError('invalid-input', `The id of a rule cannot change: it is "${id}".`);
    }
    this.#refuseName(definition.name, id);
    if (entry.origin !== origin) refuseChange(entry, definition);
    return this.#change(entry, definition);
  }

  update(id: string, patch: RulePatch): Rule {
    const entry = this.#find(id);
    const given = parse(RulePatchSchema, patch);
    if (given.name !== undefined) this.#refuseName(given.name, id);
    const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const definition = { ...entry.definition, ...fields };
    if (entry.origin !== null) refuseChange(entry, definition);
    return this.#change(entry, definition);
  }

  remove(id: string): void {
    const entry = this.#find(id);
    this.#forget(entry);
    this.#events.removed(id);
    if (entry.definition.enabled) this.#events.activeChanged();
  }

  /** Puts a rule of the users before another one of theirs; null: behind the last. Answers with all ids, in their order. */
  move(id: string, before: string | null): string[] {
    return this.#reorder(movedBefore([...this.#entries.values()], id, before));
  }

  /** Puts the users' rules into this order; each of them is named. Answers with all ids, in their order. */
  order(ids: readonly string[]): string[] {
    return this.#reorder(askedOrder([...this.#entries.values()], ids));
  }

  /**
   * Takes over the whole list of the users' rules: one that is equal stays as it is and keeps its hits. Rules of another origin
   * stay, behind them.
   */
  load(inputs: readonly RuleInput[]): void {
    const definitions = inputs.map((input) => parse(RuleDefinitionSchema, input));
    const files = this.#readAllFiles(definitions);
    const before = this.#entries;
    const foreign = [...before.values()].filter(({ origin }) => origin !== null);
    for (const definition of definitions) refuseForeign(definition, foreign);
    const names = new Map(this.#names);
    const wasActive = this.#activeEpochs();
    const next = new Map<string, Entry>();
    const changed: Entry[] = [];
    for (const definition of definitions) {
      const known = this.#sameRule(definition, names, next);
      if (known === undefined) {
        const entry = this.#enter(definition, this.#freeId(definition, next), null, files.get(definition));
        changed.push(entry);
        next.set(entry.id, entry);
      } else {
        if (this.#apply(known, definition, files.get(definition))) changed.push(known);
        next.set(known.id, known);
      }
    }
    for (const entry of foreign) next.set(entry.id, entry);
    this.#entries = next;
    this.#names = new Map([...next.values()].map((entry) => [entry.definition.name, entry]));
    for (const [id, entry] of before) {
      if (next.has(id)) continue;
      entry.expiry?.cancel();
      this.#events.removed(id);
    }
    for (const entry of changed) this.#events.changed(ruleOf(entry));
    this.#events.reordered([...next.keys()]);
    if (this.#activeEpochs() !== wasActive) this.#events.activeChanged();
  }

  /** Turns rules on or off, all of them or none; returns the ids of those that were not so before. */
  switch(ids: readonly string[], enabled: boolean): string[] {
    const entries = [...this.#entries.values()];
    refuseMissing(entries, ids);
    const asked = new Set(ids);
    const wanted = new Map(
      entries
        .filter(({ id, definition }) => asked.has(id) && definition.enabled !== enabled)
        .map((entry) => [entry, { ...entry.definition, enabled }]),
    );
    const files = this.#readAllFiles(entries.map((entry) => wanted.get(entry) ?? entry.definition));
    for (const [entry, definition] of wanted) {
      this.#apply(entry, definition, files.get(definition));
      this.#events.changed(ruleOf(entry));
    }
    if (wanted.size > 0) this.#events.activeChanged();
    return [...wanted.keys()].map(({ id }) => id);
  }

  /** Turns every rule off; returns the ids of those that were on. */
  disableAll(): string[] {
    const on = [...this.#entries.values()].filter((entry) => entry.definition.enabled);
    for (const entry of on) {
      this.#apply(entry, { ...entry.definition, enabled: false });
      this.#events.changed(ruleOf(entry));
    }
    if (on.length > 0) this.#events.activeChanged();
    return on.map((entry) => entry.id);
  }

  /** Hits that a worker has seen since it last told. */
  addHits(hits: Readonly<Record<string, number>>): void {
    const changed: Record<string, number> = {};
    for (const [id, count] of Object.entries(hits)) {
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      entry.hits += count;
      changed[id] = entry.hits;
    }
    if (Object.keys(changed).length > 0) this.#events.hits(changed);
  }

  /** No rule expires any more. */
  close(): void {
    for (const entry of this.#entries.values()) entry.expiry?.cancel();
  }

  #reorder(ids: string[]): string[] {
    const before = [...this.#entries.keys()];
    if (ids.every((id, index) => id === before[index])) return ids;
    const wasActive = this.#activeEpochs();
    this.#entries = new Map(ids.map((id) => [id, this.#find(id)]));
    this.#events.reordered(ids);
    if (this.#activeEpochs() !== wasActive) this.#events.activeChanged();
    return ids;
  }

  #forget(entry: Entry): void {
    entry.expiry?.cancel();
    this.#entries.delete(entry.id);
    this.#names.delete(entry.definition.name);
  }

  #enter(
    definition: RuleDefinition,
    id: string,
    origin: Origin | null = null,
    files: AnswerFiles | null = null,
  ): Entry {
    const entry: Entry = {
      id,
      origin,
      definition: { ...definition, enabled: false },
      version: 0,
      epoch: 0,
      enabledAt: null,
      sinceMs: 0,
      expiry: null,
      hits: 0,
      files: null,
    };
    this.#apply(entry, definition, files);
    return entry;
  }

  #change(entry: Entry, definition: RuleDefinition): Rule {
    const wasOn = entry.definition.enabled;
    if (!this.#apply(entry, definition)) return ruleOf(entry);
    return this.#tell(entry, wasOn || definition.enabled);
  }

  /** Puts a definition in place; false when it says the same as before. What is wrong with its files changes nothing. */
  #apply(entry: Entry, definition: RuleDefinition, read: AnswerFiles | null = null): boolean {
    if (saysTheSame(entry, definition)) return false;
    entry.files = read ?? this.#readFiles(definition, entry);
    const turnedOn = definition.enabled && !entry.definition.enabled;
    this.#names.delete(entry.definition.name);
    this.#names.set(definition.name, entry);
    entry.definition = definition;
    entry.version += 1;
    if (definition.enabled) {
      entry.epoch = ++this.#epochs;
      entry.sinceMs = this.#clock.now();
    }
    if (turnedOn) {
      entry.enabledAt = entry.sinceMs;
      entry.hits = 0;
    }
    this.#expireLater(entry);
    if (!definition.enabled) entry.enabledAt = null;
    return true;
  }

  #readFiles(definition: RuleDefinition, own: Entry): AnswerFiles | null {
    const files = readAnswerFiles(definition, this.#readFile);
    if (files === null) return null;
    const others = [...this.#entries.values()].filter((entry) => entry !== own);
    refuseTooManyBytes([files, ...others.map((entry) => entry.files)]);
    return files;
  }

  /** Of a whole list, before any of it is put in place; a rule that stays as it is keeps what it has. */
  #readAllFiles(definitions: readonly RuleDefinition[]): ReadonlyMap<RuleDefinition, AnswerFiles | null> {
    const read = new Map(
      definitions.map((definition) => {
        const { id, name } = definition;
        const known = id === undefined ? this.#names.get(name) : this.#entries.get(id);
        const isKept = known !== undefined && known.files !== null && saysTheSame(known, definition);
        return [definition, isKept ? known.files : readAnswerFiles(definition, this.#readFile)];
      }),
    );
    refuseTooManyBytes([...read.values()]);
    return read;
  }

  /** Each change of a rule that is on has an epoch of its own. */
  #activeEpochs(): string {
    const on = [...this.#entries.values()].filter(({ definition }) => definition.enabled);
    return on.map(({ id, epoch }) => `${id} ${epoch}`).join('\n');
  }

  #expireLater(entry: Entry): void {
    entry.expiry?.cancel();
    entry.expiry = null;
    const atMs = expiresAtMs(entry);
    if (atMs === null) return;
    const expire = (): void => {
      entry.expiry = null;
      // As if somebody had turned it off: so it is told, and written back.
      this.#change(entry, { ...entry.definition, enabled: false });
    };
    entry.expiry = this.#clock.setTimer(atMs - this.#clock.now(), expire, true);
  }

  #tell(entry: Entry, activeChanged: boolean): Rule {
    const rule = ruleOf(entry);
    this.#events.changed(rule);
    if (activeChanged) this.#events.activeChanged();
    return rule;
  }

  #find(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new SpikeError('not-found', `There is no rule with the id "${id}".`);
    return entry;
  }

  #sameRule(
    definition: RuleDefinition,
    names: ReadonlyMap<string, Entry>,
    taken: ReadonlyMap<string, Entry>,
  ): Entry | undefined {
    const known = definition.id === undefined ? names.get(definition.name) : this.#entries.get(definition.id);
    return known !== undefined && taken.has(known.id) ? undefined : known;
  }

  #refuseName(name: string, ownId: string | null): void {
    const known = this.#names.get(name);
    if (known !== undefined && known.id !== ownId) {
      throw new SpikeError('conflict', `There is a rule called "${name}" already. Names are unique.`);
    }
  }

  #freeId(definition: RuleDefinition, also: ReadonlyMap<string, Entry> = new Map()): string {
    if (definition.id !== undefined) return definition.id;
    const isTaken = (id: string): boolean => this.#entries.has(id) || also.has(id);
    const base = ruleIdFromName(definition.name);
    if (!isTaken(base)) return base;
    for (let number = 2; ; number += 1) if (!isTaken(`${base}-${number}`)) return `${base}-${number}`;
  }
}

/** A toxic is what its client has made it; here it may be turned off and on. */
function refuseChange({ id, origin, definition }: Entry, wanted: RuleDefinition): void {
  const fixed = (rule: RuleDefinition): string => JSON.stringify(bare({ ...rule, enabled: false }));
  if (fixed(wanted) === fixed(definition)) return;
  throw new SpikeError(
    'conflict',
    `The rule "${id}" was made by a ${origin === 'scenario' ? 'scenario' : `client of ${origin}`}: change it there. Here it can be turned on and off, and removed.`,
  );
}

function refuseForeign({ id, name }: RuleDefinition, foreign: readonly Entry[]): void {
  const taken = foreign.find((entry) => entry.id === id || entry.definition.name === name);
  if (taken === undefined) return;
  throw new SpikeError(
    'conflict',
    `There is a rule called "${taken.definition.name}" with the id "${taken.id}" already, made by a client of ${taken.origin}.`,
  );
}

function saysTheSame({ version, definition }: Entry, wanted: RuleDefinition): boolean {
  return version > 0 && JSON.stringify(bare(definition)) === JSON.stringify(bare(wanted));
}

/** Without the id, which a file may leave out. */
function bare({ id: _id, ...rest }: RuleDefinition): object {
  return rest;
}

function ruleOf(entry: Entry): Rule {
  const { id, origin, definition, version, enabledAt, hits } = entry;
  const expiresAt = expiresAtMs(entry);
  const { name, enabled, match, trigger, faults } = definition;
  return {
    id,
    ...(origin === null ? {} : { origin }),
    name,
    enabled,
    match,
    trigger,
    faults,
    version,
    enabledAt: enabledAt === null ? null : new Date(enabledAt).toISOString(),
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    hits,
    sentence: ruleSentence(definition),
  };
}

function expiresAtMs({ definition, sinceMs }: Entry): number | null {
  return definition.enabled ? expiryOf(definition.trigger, sinceMs) : null;
}

function parse<T extends z.ZodType>(schema: T, input: unknown): z.infer<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  const at = first === undefined || first.path.length === 0 ? 'The rule' : first.path.join('.');
  throw new SpikeError('invalid-input', `${at}: ${first?.message ?? 'not valid'}`, result.error.issues);
}
