import { TriangleAlert } from 'lucide-react';
import type { UpstreamsStatus } from '#shared/contract/status.ts';
import { Icon } from '../../ui/icon.tsx';
import { formatDay } from './machine-words.ts';

/** How upstreams are reached, as the workspace says it; passwords and keys never come here. */
export function UpstreamFacts({ upstreams }: { upstreams: UpstreamsStatus }) {
  const { proxy, clientCertificates } = upstreams;
  return (
    <section aria-label="How upstreams are reached">
      <h3>How upstreams are reached</h3>
      <dl className="kv facts">
        {proxy === null ? (
          <Fact name="Proxy">none, directly</Fact>
        ) : (
          <>
            <Fact name="http">{proxy.http ?? 'directly'}</Fact>
            <Fact name="https, tcp">{proxy.https ?? 'directly'}</Fact>
            <Fact name="Directly">
              {[...(proxy.includeLoopback ? [] : ['this machine']), ...proxy.noProxy].join(', ') || 'nothing'}
            </Fact>
          </>
        )}
        {clientCertificates.length === 0 && <Fact name="Certificates">none for upstreams</Fact>}
        {clientCertificates.map((certificate) => (
          <Fact key={certificate.host} name={certificate.host}>
            {certificate.subject}
            <span className={certificate.expired ? 'block xs warn' : 'block xs t3'}>
              {certificate.expired && <Icon of={TriangleAlert} size={12} />}{' '}
              {certificate.expired ? 'expired' : 'until'} {formatDay(certificate.notAfter)}
            </span>
          </Fact>
        ))}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <>
      <dt className="clip" title={name}>
        {name}
      </dt>
      <dd>{children}</dd>
    </>
  );
}
