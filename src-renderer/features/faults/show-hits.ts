import { mostPreviewedFlows } from '#shared/contract/rule-preview.ts';
import { setRange, setSearchText } from '../../stores/calls-store.ts';
import { agent } from '../../stores/connection-store.ts';
import { showToast, tellFailure } from '../../stores/toast-store.ts';
import { openView } from '../../stores/view-store.ts';
import { counted, formatCount } from '../../ui/words.ts';
import type { EditedRule } from './rule-draft.ts';
import { previewWindow } from './use-preview.ts';

/** Opens Live with exactly the calls that the rule would have hit; the newest of them where they are many. */
export async function showHits({ match, trigger, faults }: EditedRule): Promise<void> {
  try {
    const rule = { match, trigger, faults };
    const { flows, hits } = await agent().rules.preview({
      rule,
      window: previewWindow,
      limit: mostPreviewedFlows,
    });
    if (flows.length === 0) return void showToast({ tone: 'info', text: 'None of them is kept any more' });
    if (hits > flows.length) {
      const text = `The newest ${formatCount(flows.length)} of ${counted(hits, 'call')} are shown`;
      showToast({ tone: 'info', text });
    }
    setRange({ kind: 'all' });
    setSearchText(`id:${flows.join(',')}`);
    openView('live');
  } catch (error) {
    tellFailure(error);
  }
}
