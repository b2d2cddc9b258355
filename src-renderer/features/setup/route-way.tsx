import { useState } from 'react';
import { Trash2 } from 'lucide-react';
import type { Route } from '#shared/routes/route.ts';
import { errorCode, errorMessage } from '../../bridge/error-message.ts';
import { agent } from '../../stores/connection-store.ts';
import { applyRouteEvent, useRoutes } from '../../stores/routes-store.ts';
import { showToast, tellFailure } from '../../stores/toast-store.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Glyph } from '../../ui/glyph.tsx';
import { Icon } from '../../ui/icon.tsx';
import { CommandLine } from './command-line.tsx';
import { exampleFor, fieldOfRefusal, readRoute } from './route-form.ts';
import type { RouteField, RouteProblems, RouteTexts } from './route-form.ts';
import { Way } from './way.tsx';

const empty: RouteTexts = { name: '', listen: '', upstream: '' };
const titles: Record<RouteField, string> = { name: 'Name', listen: 'Listens on', upstream: 'Forwards to' };
const examples: RouteTexts = { name: 'postgres', listen: '127.0.0.1:9432', upstream: 'tcp://127.0.0.1:5432' };

export function RouteWay() {
  const routes = useRoutes((store) => store.routes) ?? [];
  return (
    <Way
      title="Add a route"
      words="Best for databases, and for clients that ignore a proxy. Each route has a port of its own."
    >
      <RouteForm taken={routes.map((route) => route.name)} />
      <p className="note">Then give your service the address of the route in place of the real one.</p>
      {routes.length > 0 && <RouteList routes={routes} />}
    </Way>
  );
}

function RouteForm({ taken }: { taken: readonly string[] }) {
  const [texts, setTexts] = useState(empty);
  const [left, setLeft] = useState<ReadonlySet<RouteField>>(new Set());
  const [refusal, setRefusal] = useState<{ field: RouteField | null; message: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const { route, problems } = readRoute(texts, taken);
  const shown = visibleProblems(texts, problems ?? {}, left);
  if (refusal?.field) shown[refusal.field] = refusal.message;
  const add = async (event: React.FormEvent) => {
    event.preventDefault();
    setLeft(new Set(['name', 'listen', 'upstream']));
    if (route === null || busy) return;
    setBusy(true);
    try {
      const made = await agent().routes.create(route);
      applyRouteEvent({ type: 'route.changed', route: made });
      setTexts(empty);
      setLeft(new Set());
      setRefusal(null);
    } catch (error) {
      setRefusal({ field: fieldOfRefusal(errorCode(error)), message: errorMessage(error) });
    } finally {
      setBusy(false);
    }
  };
  const field = (name: RouteField) => (
    <RouteInput
      name={name}
      value={texts[name]}
      problem={shown[name]}
      onChange={(text) => {
        setTexts({ ...texts, [name]: text });
        setRefusal(null);
      }}
      onLeave={() => setLeft(new Set([...left, name]))}
    />
  );
  return (
    <form className="route-form" aria-label="Add a route" noValidate onSubmit={(event) => void add(event)}>
      {field('name')}
      {field('listen')}
      {field('upstream')}
      <button className="btn" disabled={busy}>
        Add route
      </button>
      {refusal !== null && refusal.field === null && (
        <p className="problem refusal" role="alert">
          {refusal.message}
        </p>
      )}
    </form>
  );
}

/** Nobody is told off for a field that is empty or not finished: only what was left, and what is plainly wrong. */
function visibleProblems(
  texts: RouteTexts,
  problems: RouteProblems,
  left: ReadonlySet<RouteField>,
): Partial<Record<RouteField, string>> {
  return Object.fromEntries(
    Object.entries(problems).filter(([name]) => {
      const field = name as RouteField;
      return left.has(field) && (texts[field] !== '' || left.size === 3);
    }),
  );
}

interface RouteInputProps {
  name: RouteField;
  value: string;
  problem: string | undefined;
  onChange: (text: string) => void;
  onLeave: () => void;
}

function RouteInput({ name, value, problem, onChange, onLeave }: RouteInputProps) {
  const problemId = `route-${name}-problem`;
  return (
    <label className={`f route-${name}`}>
      <span>{titles[name]}</span>
      <span
        className={name === 'name' ? 'field' : 'field mono'}
        data-invalid={problem === undefined ? undefined : true}
      >
        <input
          value={value}
          placeholder={examples[name]}
          aria-label={titles[name]}
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : problemId}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
          onBlur={onLeave}
        />
      </span>
      {problem !== undefined && (
        <span id={problemId} className="problem" role="alert">
          {problem}
        </span>
      )}
    </label>
  );
}

function RouteList({ routes }: { routes: readonly Route[] }) {
  const [shown, setShown] = useState<string | null>(null);
  const newest = routes.find((route) => route.name === shown);
  return (
    <>
      <table className="tbl routes" aria-label="Routes">
        <thead>
          <tr>
            <th>Route</th>
            <th>Listens on</th>
            <th>Forwards to</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {routes.map((route) => (
            <tr key={route.name} onPointerEnter={() => setShown(route.name)}>
              <td>
                <span className="row">
                  <Glyph health={route.address === null ? 'failing' : 'fine'} />
                  <span className="clip">{route.name}</span>
                </span>
              </td>
              <td className="mono" title={route.error ?? undefined}>
                {route.address ?? <span className="error">{route.error ?? 'not bound'}</span>}
              </td>
              <td className="mono t2 clip">{route.upstream}</td>
              <td className="r">
                {route.address !== null && (
                  <CopyButton text={route.address} what={`the address of ${route.name}`} iconOnly />
                )}
                <button
                  className="btn sm ghost icon"
                  aria-label={`Remove route ${route.name}`}
                  title="Remove"
                  onClick={() => void removeRoute(route)}
                >
                  <Icon of={Trash2} />
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {newest?.address && (
        <CommandLine
          text={exampleFor(newest.upstream, newest.address)}
          what={`the example for ${newest.name}`}
        />
      )}
    </>
  );
}

/** Removes a route at once, and offers to undo that. */
async function removeRoute({ name, listen, upstream }: Route): Promise<void> {
  try {
    await agent().routes.remove({ name });
    applyRouteEvent({ type: 'route.removed', name });
  } catch (error) {
    return tellFailure(error);
  }
  const restore = async () => {
    try {
      applyRouteEvent({
        type: 'route.changed',
        route: await agent().routes.create({ name, listen, upstream }),
      });
    } catch (error) {
      tellFailure(error);
    }
  };
  showToast({
    tone: 'ok',
    text: `Route ${name} was removed`,
    action: { label: 'Undo', run: () => void restore() },
  });
}
