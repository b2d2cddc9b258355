import { useCallback, useRef, useState } from 'react';
import type { Edge, Topology } from '#shared/contract/topology.ts';
import { useConnection } from '../../stores/connection-store.ts';
import { useTopologyEvery } from '../../stores/topology-store.ts';
import { openView, useView } from '../../stores/view-store.ts';
import { useKeys } from '../../ui/keys.ts';
import { EdgePanel } from './edge-panel.tsx';
import type { EdgePanelHandle } from './edge-panel.tsx';
import type { EdgeFigure } from './edge-words.ts';
import { IncidentNote } from './incident-note.tsx';
import { Legend } from './legend.tsx';
import { MapCanvas } from './map-canvas.tsx';
import type { MapCanvasHandle } from './map-canvas.tsx';
import { MapEmpty } from './map-empty.tsx';
import { MapToolbar } from './map-toolbar.tsx';
import { ServicePanel } from './service-panel.tsx';
import './map.css';

const redrawMs = 500;

/** Who calls whom, how that goes, and what Spike does to it. What is selected is in the address: `#/map/a→b`. */
export function MapView() {
  const topology = useTopologyEvery(redrawMs);
  const item = useView((view) => view.item);
  const phase = useConnection((store) => store.state.phase);
  const [shows, setShows] = useState<EdgeFigure>('latency');
  const [search, setSearch] = useState('');
  const canvas = useRef<MapCanvasHandle>(null);
  const panel = useRef<EdgePanelHandle>(null);
  const toggleFault = useCallback(() => panel.current?.toggleFault(), []);
  const selection = useSelection(topology, item);
  useKeys({
    Escape: () => (search === '' ? select(null) : setSearch('')),
    '/': () => document.querySelector<HTMLInputElement>('.map-search input')?.focus(),
  });
  if (topology === null || topology.services.length === 0) {
    return (
      <MapEmpty waiting={topology === null} unreachable={phase !== 'online' && phase !== 'connecting'} />
    );
  }
  const open = selection.edge !== null || selection.service !== null;
  return (
    <div className={open ? 'map-split with-panel' : 'map-split'}>
      <section className="map-main" aria-label="Service map">
        <MapToolbar
          shows={shows}
          onShows={setShows}
          search={search}
          onSearch={setSearch}
          services={topology.services}
          canvas={canvas}
        />
        <MapCanvas
          ref={canvas}
          topology={topology}
          shows={shows}
          search={search}
          selectedId={item}
          panelOpen={open}
          onSelect={select}
          onToggleFault={toggleFault}
        />
        <IncidentNote incidents={topology.incidents} />
        <Legend />
      </section>
      {selection.edge !== null && (
        <EdgePanel ref={panel} key={selection.edge.id} edge={selection.edge} onClose={() => select(null)} />
      )}
      {selection.service !== null && (
        <ServicePanel
          service={selection.service}
          edges={topology.edges}
          onSelect={select}
          onClose={() => select(null)}
        />
      )}
    </div>
  );
}

function select(id: string | null): void {
  openView('map', id);
}

/** What the address names: an edge, else a service. An edge that went quiet stays open with its last figures. */
function useSelection(topology: Topology | null, item: string | null) {
  const edge = topology?.edges.find((known) => known.id === item) ?? null;
  const service = topology?.services.find((known) => known.name === item) ?? null;
  const [last, setLast] = useState<Edge | null>(null);
  if (edge !== null && edge !== last) setLast(edge);
  const kept = edge ?? (service === null && last?.id === item ? last : null);
  return { edge: kept, service: kept === null ? service : null };
}
