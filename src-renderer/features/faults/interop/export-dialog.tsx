import { useEffect, useState } from 'react';
import { Dialog } from 'radix-ui';
import { errorMessage } from '../../../bridge/error-message.ts';
import { saveFile } from '../../../bridge/save-file.ts';
import { agent } from '../../../stores/connection-store.ts';
import { showToast, tellFailure } from '../../../stores/toast-store.ts';
import { CopyButton } from '../../../ui/copy-button.tsx';
import { Segments } from '../../../ui/segments.tsx';
import { counted } from '../../../ui/words.ts';

type Format = 'spike' | 'istio';

const formats: readonly { value: Format; label: string }[] = [
  { value: 'spike', label: 'spike.yaml' },
  { value: 'istio', label: 'Istio' },
];

const words: Readonly<Record<Format, string>> = {
  spike: 'A workspace file of these rules: it can be imported again, and Spike starts with it.',
  istio: 'VirtualServices of what Istio can express. Comments name the rules that it cannot, and why.',
};

/** So much of a long text is shown; all of it is copied and saved. */
const shownLetters = 100_000;

/** The rules as text, to copy or to save: what is shown is what is written. */
export function ExportDialog({ ids, onClose }: { ids: readonly string[]; onClose: () => void }) {
  const [format, setFormat] = useState<Format>('spike');
  const { file, text, problem } = useExport(ids, format);
  const save = async () => {
    if (file === null) return;
    try {
      const place = await saveFile(file.name, file);
      if (place !== null)
        showToast({ tone: 'ok', text: `${counted(ids.length, 'rule')} written to ${place}` });
    } catch (error) {
      tellFailure(error);
    }
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="pop dialog interop">
          <Dialog.Title>Export {counted(ids.length, 'rule')}</Dialog.Title>
          <div className="row interop-format">
            <Segments label="Format" value={format} options={formats} onChange={setFormat} />
          </div>
          <Dialog.Description className="t2 sm">{words[format]}</Dialog.Description>
          {problem === null ? (
            <pre
              className="mono sm interop-preview"
              tabIndex={0}
              aria-label="What is exported"
              aria-busy={file === null}
            >
              {text.slice(0, shownLetters)}
            </pre>
          ) : (
            <p className="sm error" role="alert">
              {problem}
            </p>
          )}
          <div className="row actions">
            <CopyButton text={text} what="the rules" />
            <span className="grow" />
            <Dialog.Close className="btn">Close</Dialog.Close>
            <button className="btn primary" disabled={file === null} onClick={() => void save()}>
              Save…
            </button>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface Exported {
  readonly file: File | null;
  readonly text: string;
  readonly problem: string | null;
}

const nothingYet: Exported = { file: null, text: '', problem: null };

function useExport(ids: readonly string[], format: Format): Exported {
  const [exported, setExported] = useState<Exported & { readonly of?: Format }>(nothingYet);
  useEffect(() => {
    let current = true;
    const ask = async (): Promise<Exported> => {
      try {
        const file = await agent().rules.export({ format, ids: ids.join(',') });
        return { file, text: await file.text(), problem: null };
      } catch (error) {
        return { ...nothingYet, problem: errorMessage(error) };
      }
    };
    void ask().then((answer) => current && setExported({ ...answer, of: format }));
    return () => void (current = false);
  }, [ids, format]);
  return exported.of === format ? exported : nothingYet;
}
