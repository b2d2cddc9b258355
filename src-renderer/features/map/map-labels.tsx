import { memo } from 'react';
import { Database, Globe, History, Server, Unplug, UserRound, Zap } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import type { Edge, Service, Topology } from '#shared/contract/topology.ts';
import { Glyph } from '../../ui/glyph.tsx';
import { Icon } from '../../ui/icon.tsx';
import { edgeLabel, edgeName, edgeTone, serviceName } from './edge-words.ts';
import type { EdgeFigure, Tone } from './edge-words.ts';
import type { Route } from './edge-routes.ts';
import { cardHeight } from './geometry.ts';
import type { Place, Places } from './geometry.ts';

interface MapLabelsProps {
  topology: Topology;
  places: Places;
  routes: ReadonlyMap<string, Route>;
  shows: EdgeFigure;
  selectedId: string | null;
  matches: ReadonlySet<string> | null;
  onSelect: (id: string) => void;
  /** Space on the selected edge. */
  onToggleFault: () => void;
}

/**
 * Cards and labels: buttons with names, in the order of the layers, so that whoever does not see the map can use it. Each
 * list is one stop of the Tab key; arrows go on from there.
 */
export function MapLabels(props: MapLabelsProps) {
  const { topology, places, routes, selectedId, matches } = props;
  const { onSelect, onToggleFault } = props;
  const order = new Map(
    inLayerOrder(topology.services, places).map((service, index) => [service.name, index]),
  );
  const rank = (name: string) => order.get(name) ?? 0;
  const services = [...topology.services].sort((a, b) => rank(a.name) - rank(b.name));
  const edges = [...topology.edges].sort(
    (a, b) => rank(a.caller) - rank(b.caller) || rank(a.callee) - rank(b.callee),
  );
  const firstEdge = edges.find((edge) => edge.id === selectedId) ?? edges[0];
  const firstService = services.find((service) => service.name === selectedId) ?? services[0];
  return (
    <>
      <ul aria-label="Services on the map" onKeyDown={moveFocus}>
        {services.map((service) => {
          const place = places.get(service.name);
          if (place === undefined) return null;
          return (
            <ServiceCard
              key={service.name}
              name={service.name}
              note={service.note}
              kind={service.kind}
              health={service.health}
              place={place}
              selected={service.name === selectedId}
              dimmed={matches !== null && !matches.has(service.name)}
              inTabOrder={service === firstService}
              onSelect={onSelect}
            />
          );
        })}
      </ul>
      <ul aria-label="Calls between services" onKeyDown={moveFocus}>
        {edges.map((edge) => {
          const route = routes.get(edge.id);
          if (route === undefined) return null;
          const { rate, figure, tone } = edgeLabel(edge, props.shows);
          return (
            <EdgeLabel
              key={edge.id}
              id={edge.id}
              name={edgeName(edge)}
              rate={rate}
              figure={figure}
              figureTone={tone}
              tone={edgeTone(edge)}
              x={route.label.x}
              y={route.label.y}
              selected={edge.id === selectedId}
              dimmed={matches !== null && !matches.has(edge.caller) && !matches.has(edge.callee)}
              inTabOrder={edge === firstEdge}
              onSelect={onSelect}
              onToggleFault={onToggleFault}
            />
          );
        })}
      </ul>
    </>
  );
}

/** By column, then from top to bottom, as they are seen. */
function inLayerOrder(services: readonly Service[], places: Places): Service[] {
  const at = (service: Service) => places.get(service.name) ?? { x: service.depth, y: 0 };
  return [...services].sort(
    (a, b) => a.depth - b.depth || at(a).y - at(b).y || at(a).x - at(b).x || (a.name < b.name ? -1 : 1),
  );
}

function moveFocus(event: React.KeyboardEvent<HTMLUListElement>): void {
  const forward = event.key === 'ArrowDown' || event.key === 'ArrowRight';
  const back = event.key === 'ArrowUp' || event.key === 'ArrowLeft';
  if (!forward && !back) return;
  event.preventDefault();
  const buttons = [...event.currentTarget.querySelectorAll('button')];
  const at = buttons.indexOf(event.target as HTMLButtonElement);
  buttons[at + (forward ? 1 : -1)]?.focus();
}

const kindIcons: Record<Service['kind'], LucideIcon> = {
  client: UserRound,
  service: Server,
  database: Database,
  external: Globe,
};

interface ServiceCardProps extends Pick<Service, 'name' | 'note' | 'kind' | 'health'> {
  place: Place;
  selected: boolean;
  dimmed: boolean;
  inTabOrder: boolean;
  onSelect: (id: string) => void;
}

const ServiceCard = memo(function ServiceCard(props: ServiceCardProps) {
  const { name, note, kind, health, place } = props;
  const classes = ['card', kind, health, props.selected && 'selected', props.dimmed && 'dimmed'];
  return (
    <li>
      <button
        className={classes.filter(Boolean).join(' ')}
        aria-label={serviceName({ name, note })}
        aria-pressed={props.selected}
        tabIndex={props.inTabOrder ? 0 : -1}
        title={serviceName({ name, note })}
        style={{
          left: place.x - place.width / 2,
          top: place.y - cardHeight / 2,
          width: place.width,
          height: cardHeight,
        }}
        onClick={() => props.onSelect(name)}
      >
        <span className="row">
          <Icon of={kindIcons[kind]} size={13} className="t3" />
          <span className="name clip">{name}</span>
          {kind !== 'client' && <Glyph health={health} />}
        </span>
        <span className="note clip">{note}</span>
      </button>
    </li>
  );
});

const toneIcons: Partial<Record<Tone, LucideIcon>> = { fault: Zap, error: Unplug, play: History };

interface EdgeLabelProps extends Pick<Edge, 'id'> {
  name: string;
  rate: string;
  figure: string;
  figureTone: Tone;
  tone: Tone;
  x: number;
  y: number;
  selected: boolean;
  dimmed: boolean;
  inTabOrder: boolean;
  onSelect: (id: string) => void;
  onToggleFault: () => void;
}

const EdgeLabel = memo(function EdgeLabel(props: EdgeLabelProps) {
  const icon = toneIcons[props.tone];
  const classes = ['edge-label', props.tone, props.selected && 'selected', props.dimmed && 'dimmed'];
  return (
    <li>
      <button
        className={classes.filter(Boolean).join(' ')}
        aria-label={props.name}
        aria-pressed={props.selected}
        tabIndex={props.inTabOrder ? 0 : -1}
        style={{ left: props.x, top: props.y }}
        onClick={() => props.onSelect(props.id)}
        onKeyDown={(event) => {
          if (event.key !== ' ' || !props.selected) return;
          event.preventDefault(); // else it would be a click, which selects what is selected
          props.onToggleFault();
        }}
      >
        {icon && <Icon of={icon} size={13} className={props.tone} />}
        <span>
          <span className="rate">{props.rate}</span>
          <span className={props.figureTone}>{props.figure}</span>
        </span>
      </button>
    </li>
  );
});
