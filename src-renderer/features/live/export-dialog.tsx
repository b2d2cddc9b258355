import { useEffect, useState } from 'react';
import { Dialog, Switch } from 'radix-ui';
import { saveFile } from '../../bridge/save-file.ts';
import { useCalls } from '../../stores/calls-store.ts';
import { agent } from '../../stores/connection-store.ts';
import { showToast, tellFailure } from '../../stores/toast-store.ts';
import { counted } from '../../ui/words.ts';

/** Writes what the search shows into a HAR file, with the secrets taken out unless told otherwise. */
export function ExportDialog({ onClose }: { onClose: () => void }) {
  const search = useCalls((store) => store.search);
  const [redact, setRedact] = useState(true);
  const [working, setWorking] = useState(false);
  const matching = useMatching(search);

  const write = async () => {
    setWorking(true);
    try {
      const file = await agent().captures.export({ id: 'current', format: 'har', redact, filter: search });
      const path = await saveFile(fileName(new Date()), file);
      if (path !== null)
        showToast({ tone: 'ok', text: `${counted(matching ?? 0, 'call')} written to ${path}` });
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
        <Dialog.Content className="pop dialog">
          <Dialog.Title>Export capture</Dialog.Title>
          <Dialog.Description className="t2 sm">
            As a HAR file, which browsers and other tools read.{' '}
            {search === '' ? 'Every call that is kept, whatever its time.' : 'Every kept call that matches '}
            {search !== '' && <code className="mono">{search}</code>}
          </Dialog.Description>
          <label className="row export-switch">
            <Switch.Root
              className="sw a"
              aria-label="Replace secrets"
              checked={redact}
              onCheckedChange={setRedact}
            />
            <span className="grow">
              Replace secrets
              <span className="xs t3 block">
                {redact
                  ? 'Credentials, cookies, tokens and card numbers are replaced.'
                  : 'Credentials, cookies and tokens will be readable by whoever has the file.'}
              </span>
            </span>
          </label>
          <div className="row actions">
            <Dialog.Close className="btn">Cancel</Dialog.Close>
            <button className="btn primary" disabled={working || !matching} onClick={() => void write()}>
              {working ? 'Exporting…' : `Export ${matching === null ? '' : counted(matching, 'call')}`}
            </button>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function useMatching(search: string): number | null {
  const [matching, setMatching] = useState<number | null>(null);
  useEffect(() => {
    let current = true;
    agent()
      .flows.count({ filter: search })
      .then(
        (count) => current && setMatching(count.matching),
        (error: unknown) => current && tellFailure(error),
      );
    return () => void (current = false);
  }, [search]);
  return matching;
}

/** `spike-2026-03-09-1432.har`, in local time. */
function fileName(now: Date): string {
  const part = (number: number) => String(number).padStart(2, '0');
  const day = `${now.getFullYear()}-${part(now.getMonth() + 1)}-${part(now.getDate())}`;
  return `spike-${day}-${part(now.getHours())}${part(now.getMinutes())}.har`;
}
