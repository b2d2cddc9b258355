import type { ReactNode } from 'react';
import { Check } from 'lucide-react';
import type { Status, WorkerStatus } from '#shared/contract/status.ts';
import { useRoutes } from '../../stores/routes-store.ts';
import { useStatus } from '../../stores/status-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { CommandLine } from './command-line.tsx';
import { FirstCall } from './first-call.tsx';
import { LeftAlone } from './left-alone.tsx';
import { ownerOnly, troubledWorkers, workerWords } from './machine-words.ts';
import { UpstreamFacts } from './upstream-facts.tsx';

/** How Spike itself is, on this machine, and who trusts it. */
export function MachinePanel() {
  const status = useStatus((store) => store.status);
  return (
    <aside className="state" aria-label="State">
      <FirstCall />
      {status !== null && (
        <>
          <Machine status={status} />
          <Trust status={status} />
          <LeftAlone />
          <UpstreamFacts upstreams={status.upstreams} />
        </>
      )}
      <h3>Something off?</h3>
      <CommandLine text="spike doctor" what="the command" />
    </aside>
  );
}

type State = 'ok' | 'warn' | 'error' | 'none';

function Line({ state, children, value }: { state: State; children: ReactNode; value: ReactNode }) {
  return (
    <li>
      <StateGlyph state={state} />
      <span className="grow">{children}</span>
      <span className={state === 'error' ? 'error xs' : state === 'warn' ? 'warn xs' : 't3 xs'}>{value}</span>
    </li>
  );
}

function StateGlyph({ state }: { state: State }) {
  if (state === 'ok') return <Icon of={Check} className="ok" />;
  return (
    <svg className="glyph" viewBox="0 0 10 10" aria-hidden>
      {state === 'warn' && <path d="M5 .8 9.5 9H.5Z" fill="var(--warn-fill)" />}
      {state === 'error' && <rect x="1.2" y="1.2" width="7.6" height="7.6" rx="1" fill="var(--error)" />}
      {state === 'none' && <circle cx="5" cy="5" r="1.6" fill="var(--text-3)" />}
    </svg>
  );
}

function Machine({ status }: { status: Status }) {
  const { proxy, workers, ca } = status;
  const routes = useRoutes((store) => store.routes) ?? [];
  const ready = workers.filter((worker) => worker.state === 'ready').length;
  const bound = routes.filter((route) => route.address !== null).length;
  return (
    <>
      <h3>This machine</h3>
      <ul className="chk">
        <Line
          state={proxy.address === null ? 'error' : 'ok'}
          value={proxy.address === null ? 'not listening' : 'listening'}
        >
          Proxy on <span className="mono">{proxy.address ?? '–'}</span>
        </Line>
        {proxy.error !== null && <li className="chk-note error">{proxy.error}</li>}
        <Line
          state={ready === workers.length && ready > 0 ? 'ok' : 'warn'}
          value={`${ready} of ${workers.length}`}
        >
          Workers
        </Line>
        {troubledWorkers(workers).map((worker) => (
          <WorkerLine key={worker.number} worker={worker} />
        ))}
        <Line state={keyState(ca.keyMode)} value={ca.keyMode ?? 'cannot be told'}>
          {ownerOnly(ca.keyMode) === false
            ? 'Private key readable by others'
            : 'Private key readable by you alone'}
        </Line>
        <Line
          state={routes.length === 0 ? 'none' : bound === routes.length ? 'ok' : 'error'}
          value={routes.length === 0 ? 'none yet' : `${bound} of ${routes.length} listening`}
        >
          Routes
        </Line>
        {routes
          .filter((route) => route.error !== null)
          .map((route) => (
            <li key={route.name} className="chk-note error">
              {route.name}: {route.error}
            </li>
          ))}
      </ul>
    </>
  );
}

function WorkerLine({ worker }: { worker: WorkerStatus }) {
  return <li className={`chk-note ${worker.state === 'ready' ? 't3' : 'warn'}`}>{workerWords(worker)}</li>;
}

function keyState(mode: string | null): State {
  const safe = ownerOnly(mode);
  return safe === null ? 'none' : safe ? 'ok' : 'error';
}

function Trust({ status }: { status: Status }) {
  const { inSystemStore } = status.ca;
  return (
    <>
      <h3>Who trusts Spike’s certificates</h3>
      <ul className="chk">
        <Line state="ok" value="always">
          Commands started by <span className="mono">spike run</span>
        </Line>
        <Line
          state={inSystemStore === null ? 'none' : inSystemStore ? 'ok' : 'warn'}
          value={inSystemStore === null ? 'cannot be told' : inSystemStore ? 'trusts' : 'not yet'}
        >
          System store
        </Line>
      </ul>
      {inSystemStore === false && <CommandLine text="spike ca install" what="the command" />}
      <p className="note">A client without trust refuses the connection; Live names it.</p>
    </>
  );
}
