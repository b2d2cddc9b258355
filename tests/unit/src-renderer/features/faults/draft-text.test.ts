import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { Rule, RulePatch } from '#shared/rules/rule.ts';

const update = vi.fn<(change: { params: { id: string }; body: RulePatch }) => Promise<Rule>>();
// The store asks the agent of a page; here each test answers for it.
vi.mock('../../../../../src-renderer/stores/connection-store.ts', () => ({
  agent: () => ({ rules: { update } }),
}));
vi.mock('../../../../../src-renderer/stores/view-store.ts', () => ({ openView: () => undefined }));

const { changeDraft, changeText, discardDraft, dropText, editRule, leaveText, startNewRule, useDraft } =
  await import('../../../../../src-renderer/features/faults/draft-store.ts');
const { useRules } = await import('../../../../../src-renderer/stores/rules-store.ts');
const { useToasts } = await import('../../../../../src-renderer/stores/toast-store.ts');

const ruleOf = (id: string, enabled = false, latencyMs = 5): Rule => ({
  ...RuleDefinitionSchema.parse({ name: id, enabled, faults: [{ type: 'latency', latencyMs }] }),
  id,
  version: 1,
  enabledAt: null,
  expiresAt: null,
  hits: 0,
  sentence: '',
});
const textOf = (latencyMs: string | number, enabled = false) =>
  `name: a\nenabled: ${enabled}\nfaults: [{ type: latency, latencyMs: ${latencyMs} }]`;
const write = (...of: Parameters<typeof textOf>) => changeText(textOf(...of), 'yaml');
const delay = () => useDraft.getState().draft?.faults[0]?.fields['latencyMs'];
const save = () => useDraft.getState().save.kind;
const toasts = () => useToasts.getState().toasts.map(({ text }) => text);
const settle = () => vi.advanceTimersByTimeAsync(400);
/** Somebody else turned it on or off, and the view takes that over. */
const turn = (enabled: boolean) => {
  const rules = [ruleOf('a', enabled)];
  useRules.setState({ rules });
  editRule(rules[0]!);
};

beforeEach(() => {
  vi.useFakeTimers();
  update.mockReset();
  update.mockImplementation(({ params, body }) => {
    const was = useRules.getState().rules?.find(({ id }) => id === params.id);
    return Promise.resolve({ ...was!, ...body } as Rule);
  });
  discardDraft();
  useToasts.setState({ toasts: [] });
  useRules.setState({ rules: [ruleOf('a')] });
  editRule(ruleOf('a'));
  return () => vi.useRealTimers();
});

describe('a text that is a rule', () => {
  it('is in the form at once, is saved after a moment, and stays as it was written until it is left', async () => {
    write(700);
    expect(delay()).toBe('700');
    expect(save()).toBe('waiting');
    await settle();
    expect(save()).toBe('saved');
    expect(update.mock.calls[0]?.[0].body).toMatchObject({ faults: [{ latencyMs: 700 }] });
    expect(update.mock.calls[0]?.[0].body).not.toHaveProperty('enabled');
    expect(useDraft.getState().written?.text).toBe(textOf(700));
    leaveText();
    expect(useDraft.getState().written).toBeNull();
  });

  it('turns nothing on behind a Stop all that comes before it is saved', async () => {
    write(700, true);
    useRules.setState({ stopping: true });
    useRules.setState({ stopping: false });
    await settle();
    expect(update.mock.calls).toHaveLength(1);
    expect(update.mock.calls[0]?.[0].body).toMatchObject({ faults: [{ latencyMs: 700 }] });
    expect(update.mock.calls[0]?.[0].body).not.toHaveProperty('enabled');
  });

  it('gives way to the form and to changes from elsewhere', async () => {
    write(700);
    changeDraft({ name: 'b' });
    expect(useDraft.getState().written).toBeNull();
    write(700);
    await settle();
    editRule(ruleOf('a', false, 9));
    expect(useDraft.getState().written).toBeNull();
    expect(delay()).toBe('9');
    expect(toasts()).toEqual([]);
  });
});

describe('`enabled` in a text', () => {
  it('turns the rule on with the same change that says what it does', async () => {
    write(700, true);
    await settle();
    expect(update).toHaveBeenCalledOnce();
    expect(update.mock.calls[0]?.[0].body).toMatchObject({ enabled: true, faults: [{ latencyMs: 700 }] });
    write(800, true);
    await settle();
    expect(update.mock.calls[1]?.[0].body).not.toHaveProperty('enabled');
  });

  it('does not turn on again what was turned off meanwhile', async () => {
    write(700, true);
    await settle();
    changeText('name: [', 'yaml');
    // Stop all, while the text cannot be read.
    useRules.setState({ rules: [ruleOf('a')] });
    write(800, true);
    await settle();
    expect(update.mock.calls.at(-1)?.[0].body).not.toHaveProperty('enabled');
    expect(useDraft.getState().written).toBeNull();
  });

  it('is written anew when the switch says otherwise', async () => {
    write(5);
    await settle();
    expect(useDraft.getState().written).not.toBeNull();
    turn(true);
    expect(useDraft.getState().written).toBeNull();
  });

  it('waits for a text that can be read, and is given up with it', async () => {
    write(700, true);
    write('x', true);
    dropText();
    await settle();
    expect(update.mock.calls[0]?.[0].body).not.toHaveProperty('enabled');
    write(800, true);
    write('x', true);
    write(801, true);
    await settle();
    expect(update.mock.calls[1]?.[0].body).toMatchObject({ enabled: true, faults: [{ latencyMs: 801 }] });
  });

  it('is asked for once: a refusal is not repeated by a later change', async () => {
    update.mockRejectedValueOnce(new Error('no'));
    write(700, true);
    await settle();
    expect(save()).toBe('refused');
    changeDraft({ name: 'b' });
    await settle();
    expect(update.mock.calls[1]?.[0].body).not.toHaveProperty('enabled');
  });
});

describe('a text that is no rule', () => {
  it('leaves the form as it was, and saves nothing until it is one', async () => {
    write(700);
    write('x');
    expect(delay()).toBe('700');
    expect(save()).toBe('invalid');
    expect(useDraft.getState().written?.problem).toMatchObject({ line: 3 });
    leaveText();
    expect(useDraft.getState().written?.text).toBe(textOf('x'));
    await settle();
    expect(update).not.toHaveBeenCalled();
    write(701);
    await settle();
    expect(update).toHaveBeenCalledOnce();
  });

  it('is dropped for what the form says, which is saved if it was not', async () => {
    write('x');
    dropText();
    expect(save()).toBe('clean');
    write(700);
    write('x');
    dropText();
    await settle();
    expect(update.mock.calls[0]?.[0].body).toMatchObject({ faults: [{ latencyMs: 700 }] });
    expect(toasts()).toEqual([]);
  });

  it('is told of when another rule, or a change in the form, takes its place', () => {
    write('x');
    changeDraft({ name: 'b' });
    changeText('{', 'json');
    editRule(ruleOf('c'));
    changeText('name: [', 'yaml');
    startNewRule();
    expect(toasts()).toEqual([
      'The YAML written for “a” was not taken',
      'The JSON written for “b” was not taken',
      'The YAML written for “c” was not taken',
    ]);
    expect(useDraft.getState().written).toBeNull();
  });
});
