import { SpikeError } from '#shared/contract/errors.ts';
import type { Origin, Route, RouteDefinition } from '#shared/routes/route.ts';
import { RouteDefinitionSchema, splitAddress } from '#shared/routes/route.ts';

/** A route as workers get it. */
export interface ConfiguredRoute extends RouteDefinition {
  /** Absent: the users'. */
  readonly origin?: Origin;
}

interface Entry {
  readonly definition: RouteDefinition;
  /** null: the users'. */
  readonly origin: Origin | null;
  address: string | null;
  error: string | null;
  /** Of the system, for the error. */
  errorCode: string | null;
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

  definitions(): ConfiguredRoute[] {
    return [...this.#entries.values()].map(({ definition, origin }) =>
      origin === null ? definition : { ...definition, origin },
    );
  }

  /** Binds a new route on every worker; a port that cannot be bound is an error, and nothing is left of the route. */
  async create(input: RouteDefinition, origin: Origin | null = null): Promise<Route> {
    const definition = RouteDefinitionSchema.parse(input);
    if (this.#entries.has(definition.name)) {
      throw taken(definition.name);
    }
    this.#refusePort(definition);
    const entry: Entry = { definition, origin, address: null, error: null, errorCode: null };
    this.#entries.set(definition.name, entry);
    await this.#events.apply();
    const { error, errorCode } = entry;
    if (error !== null) {
      this.#entries.delete(definition.name);
      await this.#events.apply();
      throw new SpikeError('port-in-use', error, { code: errorCode });
    }
    this.#events.changed(routeOf(entry));
    return routeOf(entry);
  }

  async remove(name: string): Promise<void> {
    if (!this.#entries.delete(name)) throw new SpikeError('not-found', `There is no route called "${name}".`);
    this.#events.removed(name);
    await this.#events.apply();
  }

  /**
   * Takes over the whole list of the users' routes; what is equal stays bound, and those of another origin stay. A port that is
   * taken leaves that route unbound, with its reason.
   */
  async load(definitions: readonly RouteDefinition[]): Promise<void> {
    const before = this.#entries;
    const next = new Map([...before].filter(([, { origin }]) => origin !== null));
    for (const definition of definitions) {
      const known = before.get(definition.name);
      if (known !== undefined && known.origin !== null) throw taken(definition.name);
      const same = known !== undefined && JSON.stringify(known.definition) === JSON.stringify(definition);
      next.set(
        definition.name,
        same ? known : { definition, origin: null, address: null, error: null, errorCode: null },
      );
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
    entry.errorCode = error?.code ?? null;
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

function routeOf({ definition, origin, address, error }: Entry): Route {
  return { ...definition, ...(origin === null ? {} : { origin }), address, error };
}

function taken(name: string): SpikeError {
  return new SpikeError('conflict', `There is a route called "${name}" already.`);
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
