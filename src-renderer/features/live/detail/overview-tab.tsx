import type { ReactNode } from 'react';
import { injectedDelayMs } from '#shared/flow/flow.ts';
import type { Flow, ServiceName } from '#shared/flow/flow.ts';
import { parseMicroseconds } from '#shared/flow/flow-summary.ts';
import { counted, formatBytes, formatDuration, formatHeld, formatTime, unknown } from '../../../ui/words.ts';

const resolverWords: Record<ServiceName['resolvedBy'], string> = {
  listener: 'by its route',
  'proxy-user': 'by proxy user name',
  run: 'by spike run',
  process: 'by process',
  route: 'by route',
  host: 'by host',
  address: 'by address',
};

/** Who, where, when, how much. */
export function OverviewTab({ flow }: { flow: Flow }) {
  const held = injectedDelayMs(flow);
  return (
    <div className="bd">
      {flow.error !== null && <p className="failure sm">{flow.error.message}</p>}
      <Facts
        facts={[
          ['Caller', <Named key="caller" service={flow.caller} />],
          ['Callee', <Named key="callee" service={flow.callee} />],
          flow.http !== null && [
            'URL',
            <span key="url" className="mono url">
              {flow.http.url}
            </span>,
          ],
          ['Started', startedWords(flow)],
          [
            'Took',
            <span key="took">
              {flow.durationMs === null ? 'still open' : formatDuration(flow.durationMs)}
              {held > 0 && <span className="fault"> {formatHeld(held)} held by Spike</span>}
            </span>,
          ],
          flow.error !== null && [
            'Failed',
            <span key="failed" className="mono sm">{`${flow.error.cause} (${flow.error.code})`}</span>,
          ],
          flow.playback !== null && ['Answered', `from the recording ${flow.playback}`],
          flow.trace !== null && [
            'Trace',
            <span key="trace" className="mono url">
              {flow.trace.traceId}
            </span>,
          ],
        ]}
      />
      <h3 className="cap">Connection</h3>
      <Facts
        facts={[
          ['Number', flow.connectionId],
          ['Client', flow.client],
          ['Upstream', upstreamWords(flow)],
          ['TLS', tlsWords(flow)],
          ['Route', flow.route ?? 'none, by the proxy port'],
          ['Worker', String(flow.worker)],
        ]}
      />
      <ClientHello flow={flow} />
      <h3 className="cap">Sizes</h3>
      <Facts
        facts={[
          [
            'Request',
            `${formatBytes(flow.sizes.requestHead)} head, ${formatBytes(flow.sizes.requestBody)} body`,
          ],
          [
            'Response',
            `${formatBytes(flow.sizes.responseHead)} head, ${formatBytes(flow.sizes.responseBody)} body`,
          ],
        ]}
      />
      {flow.rawHead !== null && (
        <>
          <h3 className="cap">As it came</h3>
          <pre className="code raw-head">{visible(flow.rawHead)}</pre>
        </>
      )}
    </div>
  );
}

/** What the client said of itself before anything was answered. */
function ClientHello({ flow: { tls } }: { flow: Flow }) {
  if (tls === null || (tls.hello === null && tls.note === null)) return null;
  const { hello, note } = tls;
  return (
    <>
      <h3 className="cap">Client hello</h3>
      {note !== null && <p className="sm warn">{note}</p>}
      {hello !== null && (
        <Facts
          facts={[
            [
              'JA4',
              <span key="ja4" className="mono url">
                {hello.ja4}
              </span>,
            ],
            ['Offers', hello.alpn.length === 0 ? 'no protocol by name' : hello.alpn.join(', ')],
            ['Versions', hello.versions.map((version) => version.replace(/^TLSv/, '')).join(', ')],
            [
              'Size',
              `${formatBytes(hello.sizeBytes)}, ${counted(hello.cipherSuites, 'cipher suite')}, ${counted(hello.extensions, 'extension')}`,
            ],
          ]}
        />
      )}
    </>
  );
}

type Fact = readonly [label: string, value: ReactNode] | false;

function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className="kv facts">
      {facts.map(
        (fact) =>
          fact !== false && (
            <div key={fact[0]} className="fact">
              <dt>{fact[0]}</dt>
              <dd>{fact[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Named({ service }: { service: ServiceName }) {
  return (
    <>
      {service.name}{' '}
      <span className="t3">
        {resolverWords[service.resolvedBy]}
        {service.pid !== null && `, pid ${service.pid}`}
      </span>
    </>
  );
}

/** To the microsecond, as the flow has it: `14:32:31.684 206`. */
function startedWords(flow: Flow): string {
  const ms = parseMicroseconds(flow.startedAt);
  const micros = Math.round((ms - Math.floor(ms)) * 1000);
  return `${formatTime(ms)} ${String(micros).padStart(3, '0')}`;
}

function upstreamWords({ upstream, http }: Flow): string {
  if (upstream === null) return 'none was reached';
  const version = http === null ? '' : `, HTTP/${http.httpVersion}`;
  return `${upstream.address}${version}${upstream.reused ? ', connection reused' : ''}`;
}

function tlsWords({ tls }: Flow): string {
  if (tls === null) return 'none';
  const version = tls.version?.replace(/^TLSv?/, '') ?? unknown;
  const how = tls.intercepted ? 'opened with Spike’s CA' : 'passed through';
  return [version, how, tls.sni, tls.alpn].filter((part) => part !== null).join(', ');
}

/** Control characters of a refused head are what it was refused for: they must be seen. */
function visible(head: string): string {
  return head.replace(/\r\n|\r|\n|\0/g, (found) => shownControls[found] ?? found);
}

const shownControls: Readonly<Record<string, string>> = { '\r\n': '␍␊\n', '\r': '␍', '\n': '␊\n', '\0': '␀' };
