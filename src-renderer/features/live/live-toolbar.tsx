import { useState } from 'react';
import { ChevronDown, Check, Clock, Download, Trash2 } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { clearCalls, setRange, useCalls } from '../../stores/calls-store.ts';
import { agent } from '../../stores/connection-store.ts';
import { offeredRanges, rangeLabel, sameRange } from '../../stores/time-range.ts';
import { showToast, tellFailure } from '../../stores/toast-store.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Icon } from '../../ui/icon.tsx';
import { counted } from '../../ui/words.ts';
import { ExportDialog } from './export-dialog.tsx';
import { SearchBox } from './search-box.tsx';

/** The search, the time, and what can be done with what is shown. */
export function LiveToolbar() {
  const [dialog, setDialog] = useState<'export' | 'clear' | null>(null);
  const close = () => setDialog(null);
  return (
    <div className="toolbar">
      <SearchBox />
      <RangeMenu />
      <button className="btn icon" aria-label="Export" title="Export…" onClick={() => setDialog('export')}>
        <Icon of={Download} />
      </button>
      <button
        className="btn icon"
        aria-label="Clear calls"
        title="Clear calls…"
        onClick={() => setDialog('clear')}
      >
        <Icon of={Trash2} />
      </button>
      {dialog === 'export' && <ExportDialog onClose={close} />}
      <ClearDialog open={dialog === 'clear'} onClose={close} />
    </div>
  );
}

function RangeMenu() {
  const range = useCalls((store) => store.range);
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="btn" aria-label={`Time: ${rangeLabel(range)}`}>
        <Icon of={Clock} />
        {rangeLabel(range)}
        <Icon of={ChevronDown} className="t3" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="pop menu" align="end" sideOffset={4}>
          {offeredRanges.map((offered) => (
            <DropdownMenu.CheckboxItem
              key={offered.label}
              checked={sameRange(offered.range, range)}
              onSelect={() => setRange(offered.range)}
            >
              {offered.label}
              <DropdownMenu.ItemIndicator>
                <Icon of={Check} />
              </DropdownMenu.ItemIndicator>
            </DropdownMenu.CheckboxItem>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function ClearDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const total = useCalls((store) => store.total);
  const clear = async () => {
    try {
      const { removed } = await agent().flows.clear();
      clearCalls();
      showToast({ tone: 'ok', text: `${counted(removed, 'call')} forgotten` });
    } catch (error) {
      tellFailure(error);
    }
  };
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title="Clear calls"
      confirm={total === null ? 'Clear calls' : `Clear ${counted(total, 'call')}`}
      onConfirm={() => void clear()}
    >
      All captured calls and their bodies are deleted, also those that the search or the time hides. This
      cannot be undone.
    </ConfirmDialog>
  );
}
