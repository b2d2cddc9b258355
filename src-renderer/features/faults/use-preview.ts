import { useEffect, useRef, useState } from 'react';
import type { RulePreview } from '#shared/contract/rule-preview.ts';
import { errorMessage } from '../../bridge/error-message.ts';
import { agent } from '../../stores/connection-store.ts';
import type { EditedRule } from './rule-draft.ts';

/** What is known of what a rule would have hit. While `asking`, the last answer stays in sight. */
export interface PreviewState {
  readonly preview: RulePreview | null;
  readonly problem: string | null;
  readonly asking: boolean;
}

export type AskPreview = (rule: EditedRule) => Promise<RulePreview>;

/** After the last key (design: "the dry run follows 200 ms after typing"). */
export const quietMs = 200;
export const previewWindow = '5m';

/**
 * One question at a time: what is typed while the agent looks is asked when it has answered, and only the last of it.
 *
 *     want ─(200 ms quiet)─► ask ─► answer ─► tell      want while asking ─► asked next
 */
export class PreviewAsker {
  readonly #ask: AskPreview;
  readonly #tell: (state: Partial<PreviewState>) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wanted: EditedRule | null = null;
  #busy = false;
  #closed = false;

  constructor(ask: AskPreview, tell: (state: Partial<PreviewState>) => void) {
    this.#ask = ask;
    this.#tell = tell;
  }

  want(rule: EditedRule): void {
    this.#wanted = rule;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#askNext(), quietMs);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #askNext(): Promise<void> {
    const rule = this.#wanted;
    if (this.#busy || rule === null) return;
    this.#wanted = null;
    this.#busy = true;
    this.#tell({ asking: true });
    const told = await this.#answerTo(rule);
    this.#busy = false;
    if (this.#closed) return;
    this.#tell({ asking: false, ...told });
    if (this.#wanted !== null) await this.#askNext();
  }

  async #answerTo(rule: EditedRule): Promise<Pick<PreviewState, 'preview' | 'problem'>> {
    try {
      return { preview: await this.#ask(rule), problem: null };
    } catch (error) {
      return { preview: null, problem: errorMessage(error) };
    }
  }
}

function askAgent({ match, trigger, faults }: EditedRule): Promise<RulePreview> {
  // One id is enough: the calls themselves are shown by a search.
  return agent().rules.preview({ rule: { match, trigger, faults }, window: previewWindow, limit: 1 });
}

/** How often what is shown is asked anew while nobody types: calls go on. */
const refreshMs = 5000;

/** What the rule would have hit of the calls of the last five minutes. @param rule null: there is no valid one yet. */
export function usePreview(rule: EditedRule | null): PreviewState {
  const [state, setState] = useState<PreviewState>({ preview: null, problem: null, asking: false });
  const asker = useRef<PreviewAsker | null>(null);
  const asked = JSON.stringify(rule === null ? null : [rule.match, rule.trigger, rule.faults]);
  useEffect(() => {
    asker.current = new PreviewAsker(askAgent, (told) => setState((now) => ({ ...now, ...told })));
    return () => asker.current?.close();
  }, []);
  useEffect(() => {
    if (rule === null) return;
    asker.current?.want(rule);
    const timer = setInterval(() => document.hidden || asker.current?.want(rule), refreshMs);
    return () => clearInterval(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `asked` is what of the rule is asked about
  }, [asked]);
  return state;
}
