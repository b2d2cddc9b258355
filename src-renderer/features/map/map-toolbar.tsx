import { LayoutGrid, Maximize, Search } from 'lucide-react';
import type { Service, Topology } from '#shared/contract/topology.ts';
import { useTopology } from '../../stores/topology-store.ts';
import { openView } from '../../stores/view-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { Segments } from '../../ui/segments.tsx';
import type { EdgeFigure } from './edge-words.ts';
import type { MapCanvasHandle } from './map-canvas.tsx';
import { tidy } from './places-store.ts';

interface MapToolbarProps {
  shows: EdgeFigure;
  onShows: (shows: EdgeFigure) => void;
  search: string;
  onSearch: (search: string) => void;
  services: readonly Service[];
  canvas: React.RefObject<MapCanvasHandle | null>;
}

const figures = [
  { value: 'latency', label: 'Latency' },
  { value: 'errors', label: 'Errors' },
  { value: 'bytes', label: 'Bytes' },
] as const satisfies readonly { value: EdgeFigure; label: string }[];

export function MapToolbar({ shows, onShows, search, onSearch, services, canvas }: MapToolbarProps) {
  const layOutAnew = () => {
    const topology: Topology | null = useTopology.getState().topology;
    if (topology === null || canvas.current === null) return;
    tidy(topology.services, topology.edges, canvas.current.layoutSize());
    canvas.current.home();
  };
  const openFirst = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape') onSearch('');
    if (event.key !== 'Enter') return;
    const found = services.find((service) =>
      service.name.toLowerCase().includes(search.trim().toLowerCase()),
    );
    if (found && search.trim() !== '') openView('map', found.name);
  };
  return (
    <div className="toolbar">
      <label className="search map-search">
        <Icon of={Search} className="t3" />
        <input
          type="search"
          aria-label="Search services"
          placeholder="Find a service"
          value={search}
          onChange={(event) => onSearch(event.target.value)}
          onKeyDown={openFirst}
        />
      </label>
      <Segments label="Edges show" value={shows} options={figures} onChange={onShows} />
      <button className="btn" title="Lay the map out anew" onClick={layOutAnew}>
        <Icon of={LayoutGrid} />
        Tidy
      </button>
      <button
        className="btn icon"
        aria-label="Fit to window"
        title="Fit to window"
        onClick={() => canvas.current?.fit()}
      >
        <Icon of={Maximize} />
      </button>
    </div>
  );
}
