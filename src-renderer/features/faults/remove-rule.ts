import type { Rule } from '#shared/rules/rule.ts';
import { agent } from '../../stores/connection-store.ts';
import { createRule, useRules } from '../../stores/rules-store.ts';
import { showToast, tellFailure } from '../../stores/toast-store.ts';
import { openView } from '../../stores/view-store.ts';
import { discardDraft } from './draft-store.ts';

/** Deletes a rule at once, and offers to undo that: it comes back with its id and its state, as the last of the list. */
export async function removeRule(rule: Rule): Promise<void> {
  try {
    await agent().rules.remove({ id: rule.id });
  } catch (error) {
    return tellFailure(error);
  }
  discardDraft();
  const rules = useRules.getState().rules ?? [];
  const at = rules.findIndex((other) => other.id === rule.id);
  const rest = rules.filter((other) => other.id !== rule.id);
  useRules.setState({ rules: rest });
  openView('faults', rest[Math.min(Math.max(at, 0), rest.length - 1)]?.id ?? null);
  showToast({
    tone: 'ok',
    text: `${rule.name} was deleted`,
    action: { label: 'Undo', run: () => void restore(rule) },
  });
}

async function restore({ id, name, enabled, match, trigger, faults }: Rule): Promise<void> {
  const made = await createRule({ id, name, enabled, match, trigger, faults });
  if (made !== null) openView('faults', made.id);
}
