import { SpikeError } from '#shared/contract/errors.ts';
import type { Route, RouteDefinition } from '#shared/routes/route.ts';
import { RouteDefinitionSchema, splitAddress } from '#shared/routes/route.ts';

interface Entry {
  readonly definition: RouteDefinition;
  address: string | null;
  error: string | null;
}

export interface RouteTableEvents {
  changed(route: Route): void;
  removed(name: string): void;
  /** Has the workers take over what is wanted; resolves when they have, with every listener bound or reported. */
  apply(): Promise<void>;
}

/** The routes of an agent, and whether their listeners are bound. */
export class RouteTable {
  #entries = new Map<string, Entry>();
  readonly #events: RouteTableEvents;

  constructor(events: RouteTableEvents) {
    this.#events = events;
  }

  list(): Route[] {
    return [...this.#entries.values()].map(routeOf);
  }

  definitions(): RouteDefinition[] {
    return [...this.#entries.values()].map((entry) => entry.definition);
  }

  /** Binds a new route on every worker; a port that cannot be bound is an error, and nothing is left of the route. */
  async create(input: RouteDefinition): Promise<Route> {
    const definition = RouteDefinitionSchema.parse(input);
    if (this.#entries.has(definition.name)) {
      throw new SpikeError('conflict', `There is a route called "${definition.name}" already.`);
    }
    this.#refusePort(definition);
    const entry: Entry = { definition, address: null, error: null };
    this.#entries.set(definition.name, entry);
    await this.#events.apply();
    if (entry.error !== null) {
      this.#entries.delete(definition.name);
      await this.#events.apply();
      throw new SpikeError('port-in-use', entry.error);
    }
    this.#events.changed(routeOf(entry));
    return routeOf(entry);
  }

  async remove(name: string): Promise<void> {
    if (!this.#entries.delete(name)) throw new SpikeError('not-found', `There is no route called "${name}".`);
    this.#events.removed(name);
    await this.#events.apply();
  }

  /** Takes over a whole list; what is equal stays bound. A port that is taken leaves that route unbound, with its reason. */
  async load(definitions: readonly RouteDefinition[]): Promise<void> {
    const before = this.#entries;
    const next = new Map<string, Entry>();
    for (const definition of definitions) {
      const known = before.get(definition.name);
      const same = known !== undefined && JSON.stringify(known.definition) === JSON.stringify(definition);
      next.set(definition.name, same ? known : { definition, address: null, error: null });
    }
    this.#entries = next;
    for (const name of before.keys()) if (!next.has(name)) this.#events.removed(name);
    await this.#events.apply();
    for (const [name, entry] of next) if (before.get(name) !== entry) this.#events.changed(routeOf(entry));
  }

  /** What a worker says of a listener. */
  reported(name: string, address: string | null, error: { code: string; message: string } | null): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    const told = error === null ? null : unboundReason(entry.definition, error);
    if (entry.address === address && entry.error === told) return;
    entry.address = address;
    entry.error = told;
    this.#events.changed(routeOf(entry));
  }

  #refusePort({ name, listen }: RouteDefinition): void {
    const { port } = splitAddress(listen);
    if (port === 0) return;
    for (const other of this.#entries.values()) {
      if (other.definition.listen === listen) {
        throw new SpikeError(
          'conflict',
          `${listen} is the port of the route "${other.definition.name}"; "${name}" needs another.`,
        );
      }
    }
  }
}

function routeOf({ definition, address, error }: Entry): Route {
  return { ...definition, address, error };
}

function unboundReason({ name, listen }: RouteDefinition, error: { code: string; message: string }): string {
  if (error.code === 'EADDRINUSE') {
    return `${listen} is taken by another program: the route "${name}" does not listen. Free the port, or give the route another.`;
  }
  if (error.code === 'EACCES')
    return `${listen} may not be used by this user (ports below 1024 need rights): the route "${name}" does not listen.`;
  if (error.code === 'EADDRNOTAVAIL')
    return `${listen} is no address of this machine: the route "${name}" does not listen.`;
  return `The route "${name}" does not listen on ${listen}: ${error.message}`;
}
