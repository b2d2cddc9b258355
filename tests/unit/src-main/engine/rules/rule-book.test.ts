import { describe, expect, it } from 'vitest';
import { SpikeError } from '../../../../../src-shared/contract/errors.ts';
import type { Rule, RuleInput } from '../../../../../src-shared/rules/rule.ts';
import { RuleBook } from '../../../../../src-main/engine/rules/rule-book.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

const faults: RuleInput['faults'] = [{ type: 'hang' }];
const input = (name: string, more: Partial<RuleInput> = {}): RuleInput => ({ name, faults, ...more });

const files = new Map<string, Buffer>();
function readFile(path: string): Buffer {
  const file = files.get(path);
  if (file === undefined) throw new SpikeError('invalid-input', `The file "${path}" is not there.`);
  return file;
}

function bookWith(...inputs: RuleInput[]) {
  const clock = new ManualClock();
  const changed: Rule[] = [];
  const removed: string[] = [];
  let activeChanges = 0;
  const book = new RuleBook(
    clock,
    {
      changed: (rule) => void changed.push(rule),
      removed: (id) => void removed.push(id),
      reordered: () => undefined,
      hits: () => undefined,
      activeChanged: () => void (activeChanges += 1),
    },
    readFile,
  );
  if (inputs.length > 0) book.load(inputs);
  changed.length = 0;
  activeChanges = 0;
  return { book, clock, changed, removed, activeChanges: () => activeChanges };
}
const refusal = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return 'done';
};

describe('the order of rules', () => {
  const ids = (book: RuleBook): string[] => book.list().map(({ id }) => id);

  it('one is moved before another, or behind the last; workers are told where one that is on moves', () => {
    const { book, activeChanges } = bookWith(input('a'), input('b'), input('c'));
    expect(book.move('c', 'a')).toEqual(['c', 'a', 'b']);
    expect(book.move('c', null)).toEqual(['a', 'b', 'c']);
    expect(book.move('b', 'b')).toEqual(['a', 'b', 'c']);
    expect(activeChanges()).toBe(0);
    book.update('a', { enabled: true });
    book.update('c', { enabled: true });
    book.move('c', 'a');
    expect(book.active().map(({ id }) => id)).toEqual(['c', 'a']);
    expect(activeChanges()).toBe(3);
    expect(book.get('a')).toMatchObject({ version: 2, enabled: true });
  });

  it('all are put in order at once; what is unknown, missing or named twice is told and changes nothing', () => {
    const { book } = bookWith(input('a'), input('b'), input('c'));
    expect(book.order(['b', 'c', 'a'])).toEqual(['b', 'c', 'a']);
    const asked =
      (...order: string[]) =>
      () =>
        book.order(order);
    expect(asked('a', 'b', 'x', 'c', 'y')).toThrow('There is no rule with the id "x", "y".');
    expect(asked('a')).toThrow('Expected every rule: "b", "c" is missing.');
    expect(asked('a', 'b', 'c', 'b')).toThrow('"b" is named again');
    expect(() => book.move('a', 'x')).toThrow('There is no rule with the id "x".');
    expect(refusal(() => book.move('x', null))).toBe('not-found');
    expect(ids(book)).toEqual(['b', 'c', 'a']);
  });

  it('many are turned on at once, told to workers once; a file that is not there turns none on', () => {
    const answer: RuleInput['faults'] = [{ type: 'file-answer', path: 'gone.json' }];
    const { book, activeChanges } = bookWith(input('a'), input('b'), input('c', { faults: answer }));
    expect(refusal(() => book.switch(['a', 'c'], true))).toBe('invalid-input');
    expect(refusal(() => book.switch(['a', 'x'], true))).toBe('not-found');
    expect(book.active()).toEqual([]);
    expect(activeChanges()).toBe(0);
    expect(book.switch(['b', 'a'], true)).toEqual(['a', 'b']);
    expect(book.switch(['a', 'b'], true)).toEqual([]);
    expect(activeChanges()).toBe(1);
    expect(book.switch(['a'], false)).toEqual(['a']);
    expect(book.active().map(({ id }) => id)).toEqual(['b']);
  });

  it('rules of another origin stay behind, and are not moved', () => {
    const { book } = bookWith(input('a'));
    book.create(input('toxic'), 'toxiproxy');
    book.create(input('b'));
    expect(ids(book)).toEqual(['a', 'toxic', 'b']);
    expect(book.move('a', null)).toEqual(['b', 'a', 'toxic']);
    expect(refusal(() => book.move('toxic', 'a'))).toBe('conflict');
    expect(refusal(() => book.move('a', 'toxic'))).toBe('conflict');
    expect(book.order(['a', 'b'])).toEqual(['a', 'b', 'toxic']);
  });
});

describe('a rule that expires', () => {
  const brief = input('brief', { enabled: true, trigger: { expires: '5m' } });

  it('says when, and turns itself off then, once, as if somebody had', () => {
    const { book, clock, changed, activeChanges } = bookWith(brief);
    expect(book.get('brief').expiresAt).toBe(new Date(clock.now() + 300_000).toISOString());
    clock.advance(299_999);
    expect(book.get('brief').enabled).toBe(true);
    clock.advance(1);
    expect(book.get('brief')).toMatchObject({ enabled: false, expiresAt: null, enabledAt: null });
    expect(changed.map(({ id, enabled }) => [id, enabled])).toEqual([['brief', false]]);
    expect(activeChanges()).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('begins anew when it is turned on or changed, and not when another is', () => {
    const { book, clock } = bookWith(brief, input('other'));
    clock.advance(200_000);
    book.update('other', { enabled: true });
    book.load([brief, input('other')]);
    clock.advance(100_000);
    expect(book.get('brief').enabled).toBe(false);
    book.update('brief', { enabled: true });
    clock.advance(200_000);
    book.update('brief', { trigger: { expires: '5m', first: 3 } });
    clock.advance(200_000);
    expect(book.get('brief').enabled).toBe(true);
    clock.advance(100_000);
    expect(book.get('brief').enabled).toBe(false);
  });

  it('leaves no timer behind when it is turned off, removed, left out of a file, or the book is closed', () => {
    const enders: ((book: RuleBook) => void)[] = [
      (book) => book.disableAll(),
      (book) => book.remove('brief'),
      (book) => book.load([]),
      (book) => book.update('brief', { trigger: {} }),
      (book) => book.close(),
    ];
    for (const end of enders) {
      const { book, clock } = bookWith(brief);
      expect(clock.pendingTimers).toBe(1);
      end(book);
      expect(clock.pendingTimers).toBe(0);
    }
  });
});

describe('a list of rules', () => {
  it('is refused as a whole when one of it is bad: what held stays', () => {
    const { book, changed } = bookWith(input('a', { enabled: true }));
    const before = book.list();
    const bad = input('c', { match: { path: '/(/i' } });
    expect(refusal(() => book.load([input('b'), bad]))).toBe('invalid-input');
    expect(refusal(() => book.create(bad))).toBe('invalid-input');
    expect(refusal(() => book.update('a', { match: { body: {} } }))).toBe('invalid-input');
    expect(book.list()).toEqual(before);
    expect(changed).toEqual([]);
  });

  it('keeps what is equal, with its hits and its epoch, wherever it stands', () => {
    const { book, removed } = bookWith(
      input('a', { enabled: true }),
      input('b', { enabled: true }),
      input('c'),
    );
    book.addHits({ a: 3, b: 1, gone: 9 });
    const [a] = book.active();
    book.load([
      input('b', { enabled: true, match: { path: '/x' } }),
      input('d'),
      input('a', { enabled: true }),
    ]);
    expect(book.list().map(({ id, hits }) => [id, hits])).toEqual([
      ['b', 1],
      ['d', 0],
      ['a', 3],
    ]);
    expect(book.active().find(({ id }) => id === 'a')).toEqual(a);
    expect(removed).toEqual(['c']);
  });

  it('may give rules with ids each other’s names, and names are free again afterwards', () => {
    const { book } = bookWith(input('one', { id: 'x' }), input('two', { id: 'y' }));
    book.load([input('two', { id: 'x' }), input('one', { id: 'y' })]);
    expect(book.list().map(({ id, name }) => [id, name])).toEqual([
      ['x', 'two'],
      ['y', 'one'],
    ]);
    expect(refusal(() => book.update('x', { name: 'one' }))).toBe('conflict');
    book.update('y', { name: 'three' });
    expect(book.update('x', { name: 'one' }).name).toBe('one');
    book.remove('x');
    expect(book.create(input('one')).id).toBe('one');
  });

  it('may be 10,000 long, and no longer', () => {
    const inputs = Array.from({ length: 10_000 }, (_, index) =>
      input(`rule ${index}`, { enabled: true, match: { callee: `service-${index}` } }),
    );
    const { book } = bookWith(...inputs);
    expect(book.active()).toHaveLength(10_000);
    book.load(inputs);
    expect(refusal(() => book.create(input('one more')))).toBe('conflict');
    expect(book.disableAll()).toHaveLength(10_000);
  });
});

describe('a rule that answers from a file', () => {
  const answers = (name: string, path: string, enabled = true): RuleInput =>
    input(name, { enabled, faults: [{ type: 'file-answer', path }] });

  it('gives its bytes to the workers while it is on', () => {
    files.set('a', Buffer.from('1'));
    const { book } = bookWith(answers('one', 'a'));
    expect(book.active()[0]?.files).toEqual({ a: Buffer.from('1') });
    book.update('one', { enabled: false });
    expect(book.active()).toEqual([]);
  });

  it('of a list with a file that is missing changes nothing of it', () => {
    files.set('a', Buffer.from('1'));
    const { book, activeChanges, changed } = bookWith(answers('one', 'a'));
    files.set('a', Buffer.from('2'));
    const before = JSON.stringify(book.list());
    expect(refusal(() => book.load([input('new'), answers('one', 'a', false), answers('two', 'b')]))).toBe(
      'invalid-input',
    );
    expect(JSON.stringify(book.list())).toBe(before);
    expect([activeChanges(), changed.length]).toEqual([0, 0]);
    expect(book.active()[0]?.files).toEqual({ a: Buffer.from('1') });
  });

  it('that stays as it is in a list keeps what it has', () => {
    files.set('a', Buffer.from('1'));
    const { book, activeChanges } = bookWith(answers('one', 'a'));
    files.delete('a');
    book.load([answers('one', 'a'), input('other')]);
    expect(activeChanges()).toBe(0);
    expect(book.active()[0]?.files).toEqual({ a: Buffer.from('1') });
  });

  it('together may have 16 MiB', () => {
    files.set('long', Buffer.alloc(9 * 1024 ** 2));
    const { book } = bookWith(answers('one', 'long'));
    expect(refusal(() => book.create(answers('two', 'long')))).toBe('too-large');
    expect(refusal(() => book.load([answers('one', 'long'), answers('two', 'long')]))).toBe('too-large');
    expect(book.list()).toHaveLength(1);
  });
});

describe('a rule of another origin', () => {
  const foreign = () => {
    const scene = bookWith(input('mine'));
    const { id } = scene.book.create(input('theirs', { enabled: true }), 'toxiproxy');
    return { ...scene, id };
  };

  it('says so, and stays when the workspace file is loaded, on and behind the rules of the file', () => {
    const { book, id, removed } = foreign();
    book.load([input('mine'), input('another')]);
    expect(book.list().map(({ name, origin, enabled }) => [name, origin, enabled])).toEqual([
      ['mine', undefined, false],
      ['another', undefined, false],
      ['theirs', 'toxiproxy', true],
    ]);
    expect(removed).not.toContain(id);
  });

  it('is not taken over by a file that has its name', () => {
    const { book } = foreign();
    expect(refusal(() => book.load([input('theirs')]))).toBe('conflict');
    expect(book.list().map(({ name }) => name)).toEqual(['mine', 'theirs']);
  });

  it('is turned off and on by everybody, and changed by its origin alone', () => {
    const { book, id } = foreign();
    expect(book.update(id, { enabled: false }).enabled).toBe(false);
    const other = input('theirs', { faults: [{ type: 'silence' }] });
    expect(refusal(() => book.replace(id, other))).toBe('conflict');
    expect(refusal(() => book.update(id, { name: 'renamed' }))).toBe('conflict');
    expect(book.get(id).faults).toMatchObject([{ type: 'hang' }]);
    expect(book.replace(id, other, 'toxiproxy').faults).toEqual([{ type: 'silence' }]);
  });
});
