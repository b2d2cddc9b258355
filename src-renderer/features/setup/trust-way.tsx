import { useState } from 'react';
import { Download } from 'lucide-react';
import { saveFile } from '../../bridge/save-file.ts';
import { agent } from '../../stores/connection-store.ts';
import { useStatus } from '../../stores/status-store.ts';
import { showToast, tellFailure } from '../../stores/toast-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { Segments } from '../../ui/segments.tsx';
import { CommandLine } from './command-line.tsx';
import { trustGuides } from './trust-guides.ts';
import { Way } from './way.tsx';

const fileName = 'spike-ca.pem';

export function TrustWay() {
  const [id, setId] = useState('debian');
  const ca = useStatus((store) => store.status?.ca ?? null);
  const proxy = useStatus((store) => store.status?.proxy.address ?? '127.0.0.1:7070');
  const guide = trustGuides.find((known) => known.id === id) ?? trustGuides[0]!;
  const text = guide.commands(ca?.path ?? fileName, proxy).join('\n');
  return (
    <Way
      title="Trust the certificate"
      words="For HTTPS of clients that spike run did not start. Spike makes a certificate for each name, signed by its own CA."
    >
      <div className="row">
        <button className="btn" onClick={() => void download()}>
          <Icon of={Download} />
          Download {fileName}
        </button>
        {ca !== null && (
          <span className="sm t3 clip">until {new Date(ca.notAfter).toISOString().slice(0, 10)}</span>
        )}
      </div>
      <Segments
        label="Where to trust it"
        value={id}
        options={trustGuides.map(({ id: value, label }) => ({ value, label }))}
        onChange={setId}
      />
      <CommandLine text={text} what="the commands" />
      <p className="note">{guide.note}</p>
      {ca !== null && (
        <p className="note fingerprint">
          SHA-256 <span className="mono">{ca.fingerprint256}</span>
        </p>
      )}
    </Way>
  );
}

async function download(): Promise<void> {
  try {
    const where = await saveFile(fileName, await agent().agent.caCertificate());
    if (where !== null) showToast({ tone: 'ok', text: `The certificate was saved as ${where}` });
  } catch (error) {
    tellFailure(error);
  }
}
