import { useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import type { Topology } from '#shared/contract/topology.ts';
import { useStatus } from '../../stores/status-store.ts';
import { useTheme } from '../../stores/theme-store.ts';
import { edgeTone, edgeWidth } from './edge-words.ts';
import type { EdgeFigure } from './edge-words.ts';
import { routeEdges } from './edge-routes.ts';
import type { Link, Place, Places } from './geometry.ts';
import { MapGraph } from './map-graph.ts';
import type { DrawnEdge, Viewport } from './map-graph.ts';
import { MapLabels } from './map-labels.tsx';
import { arrange, moveService, settle, usePlaces } from './places-store.ts';
import type { ViewSize } from './places-store.ts';

export interface MapCanvasHandle {
  /** As much as can be in the view. */
  fit(): void;
  /** The room a picture should take: that of the view with the panel open. */
  layoutSize(): ViewSize;
  home(): void;
}

interface MapCanvasProps {
  topology: Topology;
  shows: EdgeFigure;
  search: string;
  selectedId: string | null;
  panelOpen: boolean;
  onSelect: (id: string | null) => void;
  onToggleFault: () => void;
  ref: React.Ref<MapCanvasHandle>;
}

const panelWidth = 396;

export function MapCanvas({ ref, ...props }: MapCanvasProps) {
  const { topology, shows, search, selectedId, panelOpen, onSelect, onToggleFault } = props;
  const host = useRef<HTMLDivElement>(null);
  const layer = useMemo(() => makeLayer(), []);
  const graph = useGraph(host, layer, onSelect);
  const layoutSize = useCallback(() => {
    const { clientWidth = 0, clientHeight = 0 } = host.current ?? {};
    const panel = panelOpen || window.innerWidth < 1180 ? 0 : panelWidth;
    return { width: clientWidth - panel, height: clientHeight };
  }, [panelOpen]);
  const places = useArranged(topology, layoutSize);
  const links = useLinks(topology);
  const routes = useMemo(() => routeEdges(links, places), [links, places]);
  const matches = useMatches(topology, search);
  const theme = useTheme((store) => store.shown);

  useEffect(() => graph?.recolour(), [graph, theme]);
  useEffect(() => {
    graph?.draw(places, routes, drawnEdges(topology, selectedId, places, matches));
  });
  const firstPicture = useRef(true);
  useEffect(() => {
    if (graph === null || places.size === 0) return;
    if (!usePlaces.getState().settled || firstPicture.current) graph.home(!firstPicture.current);
    firstPicture.current = false;
  }, [graph, places]);
  const isDrawn = selectedId !== null && routes.has(selectedId);
  const revealed = useRef<string | null>(null);
  useEffect(() => {
    // Once for each that is selected: it does not hold the view from then on.
    if (graph === null || revealed.current === selectedId || (selectedId !== null && !isDrawn)) return;
    revealed.current = selectedId;
    if (selectedId !== null) graph.reveal(selectedId);
  }, [graph, selectedId, isDrawn]);
  const click = useCallback(
    (id: string) => {
      if (graph?.wasDragged !== true) onSelect(id);
    },
    [graph, onSelect],
  );
  useImperativeHandle(ref, () => ({
    fit: () => graph?.fit(),
    home: () => graph?.home(),
    layoutSize,
  }));
  return (
    <div className="map-canvas" ref={host} onPointerEnter={settle}>
      {createPortal(
        <MapLabels
          topology={topology}
          places={places}
          routes={routes}
          shows={shows}
          selectedId={selectedId}
          matches={matches}
          onSelect={click}
          onToggleFault={onToggleFault}
        />,
        layer.inner,
      )}
    </div>
  );
}

/** The HTML over the lines. Made by hand, since cytoscape empties its host when it goes. */
function makeLayer() {
  const outer = document.createElement('div');
  outer.className = 'map-layer';
  const inner = document.createElement('div');
  inner.className = 'map-space';
  outer.append(inner);
  return { outer, inner };
}

function useGraph(
  host: React.RefObject<HTMLDivElement | null>,
  layer: ReturnType<typeof makeLayer>,
  onSelect: (id: string | null) => void,
): MapGraph | null {
  const [graph, setGraph] = useState<MapGraph | null>(null);
  const select = useRef(onSelect);
  useEffect(() => {
    select.current = onSelect;
  });
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const made = new MapGraph(element, {
      onEdge: (id) => select.current(id),
      onBackground: () => select.current(null),
      onMove: moveService,
      onViewport: (viewport) => showViewport(element, layer, viewport),
    });
    element.append(layer.outer);
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(element);
    setGraph(made);
    return () => {
      observer.disconnect();
      made.destroy();
      setGraph(null);
    };
  }, [host, layer]);
  return graph;
}

/** The HTML follows the lines. Whole px at 100 %, where text must be sharp. */
function showViewport(
  host: HTMLElement,
  { inner, outer }: ReturnType<typeof makeLayer>,
  viewport: Viewport,
): void {
  const { zoom } = viewport;
  const [x, y] = zoom === 1 ? [Math.round(viewport.x), Math.round(viewport.y)] : [viewport.x, viewport.y];
  inner.style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
  inner.style.setProperty('--zoom', String(zoom));
  outer.classList.toggle('far', zoom < 0.995);
  host.style.backgroundPosition = `${x}px ${y}px`;
  host.style.backgroundSize = `${24 * zoom}px ${24 * zoom}px`;
}

/** Places of the services that are shown. */
function useArranged(topology: Topology, layoutSize: () => ViewSize): Places {
  const workspace = useStatus((store) => store.status?.workspace.name ?? null);
  const places = usePlaces((store) => store.places);
  useEffect(() => {
    if (workspace !== null) arrange(workspace, topology.services, topology.edges, layoutSize());
  }, [workspace, topology, layoutSize]);
  const names = topology.services.map((service) => service.name).join('\n');
  return useMemo(() => {
    const shown = new Map<string, Place>();
    for (const name of names.split('\n')) {
      const place = places.get(name);
      if (place) shown.set(name, place);
    }
    return shown;
  }, [places, names]);
}

/** Who calls whom: the same array until an edge comes or goes, however often the figures change. */
function useLinks(topology: Topology): readonly Link[] {
  const [links, setLinks] = useState<readonly Link[]>(topology.edges);
  const same =
    links.length === topology.edges.length && links.every((link, at) => link.id === topology.edges[at]!.id);
  if (!same) setLinks(topology.edges);
  return same ? links : topology.edges;
}

/** Services whose names have the text in them; null while nothing is looked for. */
function useMatches(topology: Topology, search: string): ReadonlySet<string> | null {
  const wanted = search.trim().toLowerCase();
  return useMemo(() => {
    if (wanted === '') return null;
    const found = topology.services.filter((service) => service.name.toLowerCase().includes(wanted));
    return new Set(found.map((service) => service.name));
  }, [topology, wanted]);
}

function drawnEdges(
  topology: Topology,
  selectedId: string | null,
  places: Places,
  matches: ReadonlySet<string> | null,
): DrawnEdge[] {
  return topology.edges
    .filter((edge) => places.has(edge.caller) && places.has(edge.callee))
    .map((edge) => ({
      id: edge.id,
      caller: edge.caller,
      callee: edge.callee,
      widthPx: edgeWidth(edge.stats.perSecond),
      tone: edgeTone(edge),
      selected: edge.id === selectedId,
      dimmed: matches !== null && !matches.has(edge.caller) && !matches.has(edge.callee),
    }));
}
