import { useEffect, useRef, useState } from 'react';
import { Copy, Search } from 'lucide-react';
import { RadioGroup } from 'radix-ui';
import type { BodyState, Flow } from '#shared/flow/flow.ts';
import { errorMessage } from '../../../bridge/error-message.ts';
import { agent } from '../../../stores/connection-store.ts';
import { showToast } from '../../../stores/toast-store.ts';
import { CodeView } from '../../../ui/code-view.tsx';
import type { CodeViewHandle } from '../../../ui/code-view.tsx';
import { Icon } from '../../../ui/icon.tsx';
import { formatBytes } from '../../../ui/words.ts';
import { presentBody } from '../body/present-body.ts';
import type { PresentedBody } from '../body/body-format.ts';
import type { Side } from './message-tab.tsx';

type Format = 'tree' | 'raw' | 'hex';
const formatLabels: Record<Format, string> = { tree: 'Tree', raw: 'Raw', hex: 'Hex' };

const absentWords: Partial<Record<BodyState, string>> = {
  none: 'No body.',
  dropped: 'The body was not kept: the capture queue was full.',
  evicted: 'The body is no longer kept: it made room for newer calls.',
};

/** Why there is no body to show; undefined when there is one. */
function absentBody(state: BodyState, { durationMs, http }: Flow, side: Side): string | undefined {
  if (state === 'none' && side === 'response' && durationMs === null && http?.status === null)
    return 'No answer yet.';
  return absentWords[state];
}

interface BodyViewProps {
  flow: Flow;
  side: Side;
  state: BodyState;
  contentType: string | null;
}

/** A body, decoded and made readable; or why there is none. */
export function BodyView({ flow, side, state, contentType }: BodyViewProps) {
  const absent = absentBody(state, flow, side);
  const [format, setFormat] = useState<Format | null>(null);
  const loaded = useBody(flow, side, absent === undefined, contentType);
  const code = useRef<CodeViewHandle>(null);
  if (absent !== undefined) return <p className="bd sm t3">{absent}</p>;
  if (loaded.problem !== null) return <p className="bd sm error">{loaded.problem}</p>;
  if (loaded.body === null) return <p className="bd sm t3">Reading the body…</p>;
  const { body } = loaded;
  const shown = format ?? (body.kind === 'binary' ? 'hex' : 'tree');
  const text = shown === 'hex' ? body.hex : shown === 'raw' ? body.raw : body.pretty;
  return (
    <div className="body-view">
      <div className="row body-bar">
        <FormatChoice value={shown} onChange={setFormat} hasText={body.raw !== null} />
        <span className="xs t3 nowrap clip">{sizeWords(body, flow, side)}</span>
        <span className="grow" />
        <button
          className="btn sm ghost icon"
          aria-label="Find in body"
          disabled={text === null}
          onClick={() => code.current?.find()}
        >
          <Icon of={Search} />
        </button>
        <button
          className="btn sm ghost icon"
          aria-label="Copy body"
          disabled={text === null}
          onClick={() => text !== null && void copyBody(text)}
        >
          <Icon of={Copy} />
        </button>
      </div>
      {state === 'truncated' && (
        <p className="xs warn body-note">
          Only the first {formatBytes(body.sizeBytes)} were kept; the rest passed and was not stored.
        </p>
      )}
      {shown === 'tree' && body.image !== null ? (
        <img className="body-image" src={body.image} alt={`The ${side} body`} />
      ) : (
        <CodeView ref={code} text={text ?? ''} language={shown === 'hex' ? 'text' : body.language} />
      )}
      {shown === 'hex' && body.hexCutAt !== null && (
        <p className="xs t3 body-note">The first {formatBytes(body.hexCutAt)} are shown.</p>
      )}
    </div>
  );
}

function FormatChoice(props: { value: Format; onChange: (format: Format) => void; hasText: boolean }) {
  return (
    <RadioGroup.Root
      className="seg"
      aria-label="Body format"
      value={props.value}
      onValueChange={(value) => props.onChange(value as Format)}
    >
      {(['tree', 'raw', 'hex'] as const).map((format) => (
        <RadioGroup.Item key={format} value={format} disabled={format === 'raw' && !props.hasText}>
          {formatLabels[format]}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}

function sizeWords(body: PresentedBody, flow: Flow, side: Side): string {
  const coding = contentCoding(flow, side);
  const passed = side === 'request' ? flow.sizes.requestBody : flow.sizes.responseBody;
  const decoded = `${body.name} ${formatBytes(body.sizeBytes)}`;
  return coding === null ? decoded : `${decoded}, ${coding} ${formatBytes(passed)}`;
}

function contentCoding({ http }: Flow, side: Side): string | null {
  const fields = side === 'request' ? http?.requestHeaders : http?.responseHeaders;
  return fields?.find(([name]) => name.toLowerCase() === 'content-encoding')?.[1] ?? null;
}

interface LoadedBody {
  body: PresentedBody | null;
  problem: string | null;
}

/** Fetches the body by its flow's id and makes it readable; only while its tab is open. */
function useBody(flow: Flow, side: Side, isKept: boolean, contentType: string | null): LoadedBody {
  const [loaded, setLoaded] = useState<LoadedBody>({ body: null, problem: null });
  const { id, durationMs } = flow;
  useEffect(() => {
    if (!isKept) return;
    const stop = new AbortController();
    const read = async () => {
      try {
        const blob = await agent().flows.body({ id, side, decoded: true }, { signal: stop.signal });
        const body = await presentBody(new Uint8Array(await blob.arrayBuffer()), contentType, stop.signal);
        if (!stop.signal.aborted) setLoaded({ body, problem: null });
      } catch (error) {
        if (!stop.signal.aborted) setLoaded({ body: null, problem: errorMessage(error) });
      }
    };
    void read();
    return () => stop.abort();
  }, [id, durationMs, side, isKept, contentType]);
  return loaded;
}

async function copyBody(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  showToast({ tone: 'info', text: 'The body was copied' });
}
