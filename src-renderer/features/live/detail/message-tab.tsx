import { useState } from 'react';
import { ChevronDown, ChevronRight, Copy } from 'lucide-react';
import type { Fields, Flow } from '#shared/flow/flow.ts';
import { showToast } from '../../../stores/toast-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { BodyView } from './body-view.tsx';

export type Side = 'request' | 'response';

/** A request or a response: its body, then its head. */
export function MessageTab({ flow, side }: { flow: Flow; side: Side }) {
  const { http } = flow;
  if (http === null) {
    const state = flow.bytes?.[side] ?? 'none';
    return <BodyView flow={flow} side={side} state={state} contentType={null} />;
  }
  const isRequest = side === 'request';
  const headers = isRequest ? http.requestHeaders : http.responseHeaders;
  return (
    <>
      <BodyView
        flow={flow}
        side={side}
        state={isRequest ? http.requestBody : http.responseBody}
        contentType={field(headers, 'content-type')}
      />
      <Headers title="Headers" fields={headers} />
      {!isRequest && http.trailers.length > 0 && <Headers title="Trailers" fields={http.trailers} />}
    </>
  );
}

/** The value of a field, whatever the case of its name (RFC 9110, section 5.1). */
function field(fields: Fields, wanted: string): string | null {
  return fields.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? null;
}

function Headers({ title, fields }: { title: string; fields: Fields }) {
  // In a small window the body needs the room.
  const [open, setOpen] = useState(() => window.matchMedia('(min-width: 1180px)').matches);
  const copyAll = () => void copy(fields.map(([name, value]) => `${name}: ${value}`).join('\n'), title);
  return (
    <div className="sec headers">
      <h3 className="row">
        <button className="row grow" aria-expanded={open} onClick={() => setOpen(!open)}>
          {title}
          <span className="t3">{fields.length}</span>
          <span className="grow" />
        </button>
        {fields.length > 0 && (
          <button className="btn ghost sm icon" aria-label={`Copy ${title.toLowerCase()}`} onClick={copyAll}>
            <Icon of={Copy} size={12} />
          </button>
        )}
        <Icon of={open ? ChevronDown : ChevronRight} className="t3" />
      </h3>
      {open && (
        <dl className="kv mono">
          {fields.map(([name, value], index) => (
            <div key={index} className="fact" title={value} onDoubleClick={() => void copy(value, name)}>
              <dt className="clip">{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

async function copy(text: string, what: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  showToast({ tone: 'info', text: `${what} copied` });
}
