import type { AutoPassthrough } from '#shared/contract/passthrough.ts';
import { forgetLeftAlone, useLeftAlone } from '../../stores/passthrough-store.ts';
import { addSearchTerm } from '../../stores/calls-store.ts';
import { openView } from '../../stores/view-store.ts';
import { Glyph } from '../../ui/glyph.tsx';
import { formatClock } from '../../ui/words.ts';
import { rejectionWords } from './machine-words.ts';

/** Clients that reject the certificate: their TLS passes through unopened for a while. */
export function LeftAlone() {
  const clients = useLeftAlone();
  if (clients === null) return null;
  return (
    <section aria-label="Left alone">
      <h3>Left alone</h3>
      {clients.length === 0 ? (
        <p className="sm t2">No client has rejected the certificate.</p>
      ) : (
        <ul className="left-alone">
          {clients.map((client) => (
            <Client key={client.id} client={client} />
          ))}
        </ul>
      )}
      <p className="note">
        A client that rejects Spike’s certificate is passed through unopened for an hour, so that it goes on
        working. <span className="mono">tls.autoPassthrough: false</span> turns that off.
      </p>
    </section>
  );
}

function Client({ client }: { client: AutoPassthrough }) {
  const show = () => {
    addSearchTerm('caller', client.client);
    openView('live');
  };
  return (
    <li>
      <Glyph health="slow" />
      <div className="grow">
        <p className="sm">
          <button className="link" title="Its calls in Live" onClick={show}>
            {client.client}
          </button>{' '}
          <span className="t3">to</span> <span className="mono">{client.name}</span>
        </p>
        <p className="xs t3">
          {rejectionWords(client.reason)} at {formatClock(Date.parse(client.since))}; opened again after{' '}
          {formatClock(Date.parse(client.until))}
        </p>
      </div>
      <button
        className="btn sm"
        aria-label={`Forget ${client.client} to ${client.name}`}
        title="Open its next connection again"
        onClick={() => void forgetLeftAlone(client)}
      >
        Forget
      </button>
    </li>
  );
}
