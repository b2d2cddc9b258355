import cytoscape from 'cytoscape';
import type { Core, EdgeSingular, ElementDefinition, StylesheetJson } from 'cytoscape';
import type { Route } from './edge-routes.ts';
import { cardHeight } from './geometry.ts';
import type { Place, Places, Point } from './geometry.ts';
import type { Tone } from './edge-words.ts';

/** A line as it is drawn. */
export interface DrawnEdge {
  readonly id: string;
  readonly caller: string;
  readonly callee: string;
  readonly widthPx: number;
  readonly tone: Tone;
  readonly selected: boolean;
  /** Not what is looked for: drawn faintly. */
  readonly dimmed: boolean;
}

export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface GraphObserver {
  onEdge(id: string): void;
  onBackground(): void;
  onMove(name: string, to: Point): void;
  onViewport(viewport: Viewport): void;
}

const smallestZoom = 0.5;
const largestZoom = 1.6;
const marginPx = 12;
const legendPx = 32;
const calmMs = 160;

/**
 * The lines, and all that is done with the pointer: cytoscape draws, pans, zooms and finds what is hit. Cards and labels
 * lie over it as HTML, in the same coordinates, since text and focus belong to the page.
 */
export class MapGraph {
  readonly #cy: Core;
  readonly #observer: GraphObserver;
  #moved = false;
  #touched = false;
  #places: Places = new Map();
  #routes: ReadonlyMap<string, Route> = new Map();

  constructor(host: HTMLElement, observer: GraphObserver) {
    this.#observer = observer;
    this.#cy = cytoscape({
      container: host,
      layout: { name: 'preset' },
      style: stylesheet(),
      minZoom: smallestZoom,
      maxZoom: largestZoom,
      autounselectify: true,
      boxSelectionEnabled: false,
      hideEdgesOnViewport: false,
      pixelRatio: 'auto',
    });
    this.#listen();
  }

  /** The pointer was moved since it went down: what follows is the end of a drag, not a click. */
  get wasDragged(): boolean {
    return this.#moved;
  }

  draw(places: Places, routes: ReadonlyMap<string, Route>, edges: readonly DrawnEdge[]): void {
    const moved = places !== this.#places || routes !== this.#routes;
    this.#places = places;
    this.#routes = routes;
    this.#cy.batch(() => {
      const wanted = new Set([...places.keys()].map(nodeId).concat(edges.map((edge) => edge.id)));
      this.#cy.elements().forEach((element) => {
        if (!wanted.has(element.id())) element.remove();
      });
      for (const [name, place] of places) this.#drawNode(name, place);
      for (const edge of edges) this.#drawEdge(edge, moved);
    });
  }

  /** Takes the colours of the theme anew. */
  recolour(): void {
    this.#cy.style(stylesheet());
  }

  /** The size of the host changed. */
  resize(): void {
    this.#cy.resize();
    if (!this.#touched) this.home();
  }

  /** 100 %, everything in the middle, or from its left edge where it is wider than the view. */
  home(animated = true): void {
    this.#show(this.#frame(1), animated);
  }

  /** As much as can be in the view without making text too small. */
  fit(): void {
    const { width, height } = this.#size();
    const box = this.#bounds();
    const across = (width - 2 * marginPx) / (box.right - box.left);
    const down = (height - 2 * marginPx) / (box.bottom - box.top);
    this.#touched = false;
    this.#show(this.#frame(Math.min(1, Math.max(smallestZoom, Math.min(across, down)))), true);
  }

  /** Moves the view no further than needed for an edge and its two cards to be in it. */
  reveal(id: string): void {
    const route = this.#routes.get(id);
    const edge = this.#cy.getElementById(id);
    if (route === undefined || edge.empty()) return;
    const cards = [edge.source(), edge.target()].map((node) => this.#places.get(node.data('name')));
    const points = [route.label, ...cards.flatMap((place) => (place === undefined ? [] : cornersOf(place)))];
    this.#cy.resize(); // the panel has taken its room in this very moment
    this.#touched = true;
    this.#bringIn(points);
  }

  destroy(): void {
    this.#cy.destroy();
  }

  #listen(): void {
    const cy = this.#cy;
    const viewport = () => this.#observer.onViewport({ ...cy.pan(), zoom: cy.zoom() });
    cy.on('viewport', viewport);
    cy.on('tapstart', () => (this.#moved = false));
    cy.on('tapdrag', 'node', () => (this.#moved = true));
    cy.on('dragpan scrollzoom pinchzoom', () => {
      this.#moved = true;
      this.#touched = true;
    });
    cy.on('drag', 'node', (event) => {
      this.#moved = true;
      const { x, y } = event.target.position();
      this.#observer.onMove(event.target.data('name'), { x: Math.round(x), y: Math.round(y) });
    });
    cy.on('tap', (event) => {
      const origin = event.originalEvent?.target;
      // A tap on a card or a label is a click of that button.
      if (origin instanceof Element && origin.closest('button') !== null) return;
      if (event.target === cy) this.#observer.onBackground();
      else if (event.target.isEdge()) this.#observer.onEdge(event.target.id());
    });
    cy.on('mouseover', 'edge', () => (cy.container()!.style.cursor = 'pointer'));
    cy.on('mouseout', 'edge', () => (cy.container()!.style.cursor = ''));
  }

  #bringIn(points: readonly Point[]): void {
    const { x, y } = this.#cy.pan();
    const zoom = this.#cy.zoom();
    const { width, height } = this.#size();
    const need = (from: number, to: number, size: number) => {
      if (from < marginPx) return marginPx - from;
      return to > size - marginPx ? Math.max(size - marginPx - to, marginPx - from) : 0;
    };
    const xs = points.map((point) => point.x * zoom + x);
    const ys = points.map((point) => point.y * zoom + y);
    const dx = need(Math.min(...xs), Math.max(...xs), width);
    const dy = need(Math.min(...ys), Math.max(...ys), height);
    if (dx !== 0 || dy !== 0) this.#show({ x: x + dx, y: y + dy, zoom }, true);
  }

  #drawNode(name: string, place: Place): void {
    const node = this.#cy.getElementById(nodeId(name));
    if (node.empty()) {
      const data = { id: nodeId(name), name, width: place.width };
      this.#cy.add({ group: 'nodes', data, position: { x: place.x, y: place.y } });
      return;
    }
    const at = node.position();
    if ((at.x !== place.x || at.y !== place.y) && !node.grabbed()) node.position({ x: place.x, y: place.y });
  }

  #drawEdge(edge: DrawnEdge, moved: boolean): void {
    const classes = `${edge.tone}${edge.selected ? ' selected' : ''}${edge.dimmed ? ' dimmed' : ''}`;
    const present = this.#cy.getElementById(edge.id);
    if (present.empty()) {
      this.#cy.add(this.#newEdge(edge, classes));
      return;
    }
    if (present.data('widthPx') !== edge.widthPx) present.data('widthPx', edge.widthPx);
    if (present.data('classes') !== classes) {
      present.data('classes', classes);
      present.classes(classes);
    }
    if (moved) present.data(this.#shape(edge));
  }

  #newEdge(edge: DrawnEdge, classes: string): ElementDefinition {
    const data = {
      id: edge.id,
      source: nodeId(edge.caller),
      target: nodeId(edge.callee),
      widthPx: edge.widthPx,
      classes,
      ...this.#shape(edge),
    };
    return { group: 'edges', data, classes };
  }

  /** A route in cytoscape's terms: ends from the middle of their cards, controls from the straight line between them. */
  #shape({ id, caller, callee }: DrawnEdge) {
    const route = this.#routes.get(id);
    const [from, to] = [this.#places.get(caller), this.#places.get(callee)];
    if (route === undefined || from === undefined || to === undefined) return { routed: 'no' };
    const controls = route.controls.map((point) => fromLine(point, route.start, route.end));
    return {
      routed: 'yes',
      sourceEnd: `${route.start.x - from.x}px ${route.start.y - from.y}px`,
      targetEnd: `${route.end.x - to.x}px ${route.end.y - to.y}px`,
      distances: controls.map((control) => control.distance),
      weights: controls.map((control) => control.weight),
    };
  }

  #bounds() {
    const corners = [...this.#places.values()].flatMap(cornersOf);
    const xs = corners.map((corner) => corner.x);
    const ys = corners.map((corner) => corner.y);
    return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  }

  #frame(zoom: number): Viewport {
    const { width, height } = this.#size();
    const box = this.#bounds();
    const start = (from: number, to: number, size: number) => {
      const spare = size - (to - from) * zoom;
      return Math.round((spare < 2 * marginPx ? marginPx : spare / 2) - from * zoom);
    };
    return { x: start(box.left, box.right, width), y: start(box.top, box.bottom, height), zoom };
  }

  /** The room for the picture: above the legend. */
  #size() {
    return { width: this.#cy.width(), height: Math.max(0, this.#cy.height() - legendPx) };
  }

  #show({ x, y, zoom }: Viewport, animated: boolean): void {
    if (this.#places.size === 0) return;
    this.#cy.stop();
    const calm = animated && !window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (calm) this.#cy.animate({ pan: { x, y }, zoom }, { duration: calmMs, easing: 'ease-out' });
    else this.#cy.viewport({ zoom, pan: { x, y } });
  }
}

/** Left top and right bottom of a card. */
function cornersOf({ x, y, width }: Place): readonly [Point, Point] {
  return [
    { x: x - width / 2, y: y - cardHeight / 2 },
    { x: x + width / 2, y: y + cardHeight / 2 },
  ];
}

/** Services and edges share one space of ids in cytoscape. */
function nodeId(name: string): string {
  return `service ${name}`;
}

/** How far along a line a point is (0 to 1), and how far beside it (px, to the left of its direction negative). */
function fromLine(point: Point, start: Point, end: Point): { weight: number; distance: number } {
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  const length = Math.hypot(dx, dy);
  const [px, py] = [point.x - start.x, point.y - start.y];
  return { weight: (px * dx + py * dy) / length ** 2, distance: (px * -dy + py * dx) / length };
}

function stylesheet(): StylesheetJson {
  const tokens = getComputedStyle(document.documentElement);
  const token = (name: string) => tokens.getPropertyValue(name).trim();
  const toned = (tone: Tone, colour: string, more: object = {}) => ({
    selector: `edge.${tone}`,
    style: { 'line-color': token(colour), 'target-arrow-color': token(colour), ...more },
  });
  const list = (key: string) => (edge: EdgeSingular) => edge.data(key);
  return [
    {
      selector: 'node',
      style: {
        shape: 'round-rectangle',
        width: 'data(width)',
        height: cardHeight,
        'background-opacity': 0,
        'overlay-opacity': 0,
        'active-bg-opacity': 0,
      },
    },
    {
      selector: 'edge',
      style: {
        width: 'data(widthPx)',
        'curve-style': 'bezier',
        'target-arrow-shape': 'triangle',
        'arrow-scale': 0.85,
        'overlay-opacity': 0,
        'underlay-color': token('--accent'),
        'underlay-opacity': 0,
      },
    },
    {
      selector: 'edge[routed = "yes"]',
      style: {
        'curve-style': 'unbundled-bezier',
        'edge-distances': 'endpoints',
        'source-endpoint': list('sourceEnd'),
        'target-endpoint': list('targetEnd'),
        'control-point-distances': list('distances'),
        'control-point-weights': list('weights'),
      },
    },
    toned('quiet', '--control-line'),
    toned('warn', '--warn-fill'),
    toned('error', '--error'),
    toned('fault', '--fault', { 'line-style': 'dashed', 'line-dash-pattern': [7, 4] }),
    toned('play', '--play', { 'line-style': 'dashed', 'line-dash-pattern': [1.5, 4.5], 'line-cap': 'round' }),
    { selector: 'edge.dimmed', style: { opacity: 0.25 } },
    { selector: 'edge.selected', style: { 'underlay-opacity': 0.22, 'underlay-padding': 4, opacity: 1 } },
  ] as StylesheetJson;
}
