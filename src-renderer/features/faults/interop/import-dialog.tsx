import { useEffect, useState } from 'react';
import { CircleAlert, FileUp, Info } from 'lucide-react';
import { Dialog, Switch } from 'radix-ui';
import type { RuleDefinition } from '#shared/rules/rule.ts';
import { ruleSentence } from '#shared/rules/sentence.ts';
import { errorMessage } from '../../../bridge/error-message.ts';
import { agent } from '../../../stores/connection-store.ts';
import { useRules } from '../../../stores/rules-store.ts';
import { showToast, tellFailure } from '../../../stores/toast-store.ts';
import { openView } from '../../../stores/view-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { counted } from '../../../ui/words.ts';

interface Note {
  readonly line: number;
  readonly at: string;
  readonly message: string;
}

/** What the agent would make of the text; null while nothing is asked. */
type Reading =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'reading' }
  | { readonly kind: 'rules'; readonly rules: readonly RuleDefinition[]; readonly notes: readonly Note[] }
  | { readonly kind: 'refused'; readonly message: string };

const quietMs = 250;

/** Rules from a text: of Spike, Istio or Envoy. What each becomes is shown before it is added. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [enabled, setEnabled] = useState(false);
  const [rename, setRename] = useState(true);
  const [working, setWorking] = useState(false);
  const taken = rename ? 'rename' : 'refuse';
  const reading = useReading(text, taken);
  const count = reading.kind === 'rules' ? reading.rules.length : 0;
  const add = async () => {
    setWorking(true);
    try {
      const { added } = await agent().rules.import({ text, enabled, taken });
      useRules.setState({ rules: await agent().rules.list() });
      openView('faults', added[0]?.id ?? null);
      showToast({
        tone: 'ok',
        text: `${counted(added.length, 'rule')} imported${enabled ? ', and on' : ''}`,
        action: { label: 'Undo', run: () => void removeAll(added.map(({ id }) => id)) },
      });
      onClose();
    } catch (error) {
      tellFailure(error);
      setWorking(false);
    }
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="pop dialog interop">
          <Dialog.Title>Import rules</Dialog.Title>
          <Dialog.Description className="t2 sm">
            YAML or JSON: rules of a spike.yaml, VirtualServices of Istio, or a configuration with Envoy’s
            fault filter.
          </Dialog.Description>
          <TextBox text={text} onText={setText} />
          <ReadingView reading={reading} />
          <div className="row interop-switches">
            <label className="row sm">
              <Switch.Root
                className="sw a"
                aria-label="Turn them on"
                checked={enabled}
                onCheckedChange={setEnabled}
              />
              Turn them on
            </label>
            <label className="row sm">
              <Switch.Root
                className="sw a"
                aria-label="Rename where a name is taken"
                checked={rename}
                onCheckedChange={setRename}
              />
              Rename where a name is taken
            </label>
            <span className="grow" />
            <Dialog.Close className="btn">Cancel</Dialog.Close>
            <button className="btn primary" disabled={working || count === 0} onClick={() => void add()}>
              {count === 0 ? 'Import' : `Import ${counted(count, 'rule')}`}
            </button>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

async function removeAll(ids: readonly string[]): Promise<void> {
  try {
    for (const id of ids) await agent().rules.remove({ id });
  } catch (error) {
    tellFailure(error);
  }
}

function TextBox({ text, onText }: { text: string; onText: (text: string) => void }) {
  return (
    <div className="interop-text">
      <textarea
        className="mono sm"
        aria-label="Text to import"
        placeholder="Paste here, or drop a file"
        spellCheck={false}
        autoFocus
        value={text}
        onChange={(event) => onText(event.target.value)}
        onDragOver={(event) => event.dataTransfer.types.includes('Files') && event.preventDefault()}
        onDrop={(event) => {
          const [file] = event.dataTransfer.files;
          if (file === undefined) return;
          event.preventDefault();
          void file.text().then(onText);
        }}
      />
      <FileButton onText={onText} />
    </div>
  );
}

function FileButton({ onText }: { onText: (text: string) => void }) {
  return (
    <label className="btn sm interop-file">
      <Icon of={FileUp} />
      Open a file…
      <input
        type="file"
        className="sr-only"
        aria-label="File to import"
        accept=".yaml,.yml,.json"
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          event.target.value = '';
          if (file !== undefined) void file.text().then(onText);
        }}
      />
    </label>
  );
}

/** Asks what the text would make once nobody has typed for a moment; an older answer is dropped. */
function useReading(text: string, taken: 'rename' | 'refuse'): Reading {
  const [answer, setAnswer] = useState<{ asked: string; reading: Reading } | null>(null);
  const asked = `${taken} ${text}`;
  useEffect(() => {
    if (text.trim() === '') return;
    let current = true;
    const ask = async (): Promise<Reading> => {
      try {
        const { rules, notes } = await agent().rules.import({ text, taken, apply: false });
        return { kind: 'rules', rules, notes };
      } catch (error) {
        return { kind: 'refused', message: errorMessage(error) };
      }
    };
    const timer = setTimeout(() => {
      void ask().then((reading) => current && setAnswer({ asked, reading }));
    }, quietMs);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [asked, text, taken]);
  if (text.trim() === '') return { kind: 'nothing' };
  return answer?.asked === asked ? answer.reading : { kind: 'reading' };
}

const shownAtMost = 200;

function ReadingView({ reading }: { reading: Reading }) {
  if (reading.kind === 'nothing') return <div className="interop-reading" />;
  if (reading.kind === 'reading') {
    return (
      <div className="interop-reading" aria-busy>
        <p className="sm t3">Reading…</p>
      </div>
    );
  }
  if (reading.kind === 'refused') {
    return (
      <div className="interop-reading">
        <p className="sm error row" role="alert">
          <Icon of={CircleAlert} />
          {reading.message}
        </p>
      </div>
    );
  }
  return (
    <div className="interop-reading">
      <ul aria-label="What they become">
        {reading.rules.slice(0, shownAtMost).map((rule) => (
          <li key={rule.name}>
            <span className="m">{rule.name}</span>
            <span className="sm t2">{ruleSentence(rule)}</span>
          </li>
        ))}
      </ul>
      {reading.rules.length > shownAtMost && (
        <p className="xs t3">And {counted(reading.rules.length - shownAtMost, 'more rule', 'more rules')}.</p>
      )}
      {reading.notes.length > 0 && (
        <ul className="interop-notes" aria-label="What they do not say">
          {reading.notes.slice(0, shownAtMost).map((note, index) => (
            <li key={index} className="xs t2">
              <Icon of={Info} size={12} className="t3" />
              <span>
                <span className="t3 num">Line {note.line}</span> {note.at !== '' && <code>{note.at}</code>}{' '}
                {note.message}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
