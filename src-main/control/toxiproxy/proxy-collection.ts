import type { AgentEvent } from '#shared/contract/events.ts';
import { SpikeError } from '#shared/contract/errors.ts';
import { isBeyondLoopback } from '#shared/routes/route.ts';
import type { Route } from '#shared/routes/route.ts';
import type { Engine } from '../../engine/engine-interface.ts';
import type { Log } from '../../engine/log.ts';
import {
  proxyAlreadyExists,
  proxyNotFound,
  toxicAlreadyExists,
  toxicNotFound,
  ToxiproxyError,
} from './api-error.ts';
import { resolvedListen, upstreamUrl } from './listen-address.ts';
import { changedProxy, proxiesFrom, proxyFrom } from './proxy.ts';
import type { Proxy, ProxyInput } from './proxy.ts';
import { changedToxic, ruleOf, toxicFrom } from './toxic.ts';
import type { Toxic } from './toxic.ts';

export type ProxyEngine = Pick<Engine, 'routes' | 'rules' | 'settled' | 'subscribe'>;

const origin = 'toxiproxy';
const mostProxies = 1000;

/** What populating came to: the proxies that are there now, and why the rest is not. */
export interface Populated {
  readonly proxies: readonly Proxy[];
  readonly error: ToxiproxyError | null;
}

/**
 * The proxies of Toxiproxy's API, kept as routes and rules of the engine. A change is done when this says so: listeners are
 * bound or closed, and rules hold, on every worker. One change at a time; call `close` to have no part in the engine any more.
 */
export class ProxyCollection {
  readonly #proxies = new Map<string, Proxy>();
  readonly #engine: ProxyEngine;
  readonly #log: Log;
  readonly #unsubscribe: () => void;
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: ProxyEngine, log: Log) {
    this.#engine = engine;
    this.#log = log;
    this.#unsubscribe = engine.subscribe((event) => this.#happened(event));
  }

  close(): void {
    this.#unsubscribe();
  }

  /** By their names. */
  all(): Proxy[] {
    return [...this.#proxies.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): Proxy {
    const proxy = this.#proxies.get(name);
    if (proxy === undefined) throw proxyNotFound();
    return proxy;
  }

  toxic(proxyName: string, name: string): Toxic {
    return findToxic(this.get(proxyName), name).toxic;
  }

  create(body: string): Promise<Proxy> {
    return this.#next(async () => {
      const input = proxyFrom(body);
      if (this.#proxies.has(input.name)) throw proxyAlreadyExists();
      return this.#add(input);
    });
  }

  populate(body: string): Promise<Populated> {
    return this.#next(async () => {
      const proxies: Proxy[] = [];
      try {
        for (const input of proxiesFrom(body)) proxies.push(await this.#createOrReplace(input));
        return { proxies, error: null };
      } catch (error) {
        return { proxies, error: toxiproxyError(error) };
      }
    });
  }

  update(name: string, body: string): Promise<Proxy> {
    return this.#next(async () => {
      const proxy = this.get(name);
      const wanted = changedProxy(proxy, body);
      upstreamUrl(wanted.upstream);
      if (await differs(proxy, wanted)) {
        await this.#stop(proxy);
        proxy.listen = wanted.listen;
        proxy.upstream = wanted.upstream;
      }
      if (wanted.enabled && !proxy.enabled) await this.#start(proxy);
      else if (!wanted.enabled) await this.#stop(proxy);
      return proxy;
    });
  }

  remove(name: string): Promise<void> {
    return this.#next(() => this.#remove(this.get(name)));
  }

  /** Enables every proxy and removes every toxic. */
  reset(): Promise<void> {
    return this.#next(async () => {
      for (const proxy of this.#proxies.values()) {
        if (!proxy.enabled) await this.#start(proxy);
        await this.#removeToxics(proxy);
      }
    });
  }

  addToxic(proxyName: string, body: string): Promise<Toxic> {
    return this.#next(async () => {
      const proxy = this.get(proxyName);
      const toxic = toxicFrom(body, (name) => {
        if (proxy.toxics.some((known) => known.toxic.name === name)) throw toxicAlreadyExists();
      });
      const ruleId = this.#createRule(toxic, proxy);
      proxy.toxics.push({ toxic, ruleId });
      await this.#engine.settled();
      return toxic;
    });
  }

  updateToxic(proxyName: string, name: string, body: string): Promise<Toxic> {
    return this.#next(async () => {
      const proxy = this.get(proxyName);
      const known = findToxic(proxy, name);
      const toxic = changedToxic(known.toxic, body);
      const rule = ruleOf(toxic, proxy.name, proxy.route);
      if (known.ruleId !== null && rule !== null) {
        const { name: ruleName } = this.#engine.rules.get(known.ruleId);
        this.#engine.rules.replace(known.ruleId, { ...rule, name: ruleName }, origin);
      }
      known.toxic = toxic;
      await this.#engine.settled();
      return toxic;
    });
  }

  removeToxic(proxyName: string, name: string): Promise<void> {
    return this.#next(async () => {
      const proxy = this.get(proxyName);
      const known = findToxic(proxy, name);
      proxy.toxics.splice(proxy.toxics.indexOf(known), 1);
      if (known.ruleId !== null) this.#engine.rules.remove(known.ruleId);
      await this.#engine.settled();
    });
  }

  // --- one change at a time

  #next<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#last.then(change);
    this.#last = done.catch(() => undefined); // told to who asked for it
    return done;
  }

  // --- proxies

  #newProxy({ name, listen, upstream }: ProxyInput): Proxy {
    if (this.#proxies.size >= mostProxies)
      throw new ToxiproxyError(500, `there are ${mostProxies} proxies, which is the most`);
    upstreamUrl(upstream);
    return { name, route: this.#freeRoute(name), listen, upstream, enabled: false, toxics: [] };
  }

  async #createOrReplace(input: ProxyInput): Promise<Proxy> {
    const existing = this.#proxies.get(input.name);
    if (existing === undefined) return this.#add(input);
    if (!(await differs(existing, input))) return existing;
    const toxics = existing.toxics.map(({ toxic }) => toxic);
    await this.#remove(existing);
    try {
      return await this.#add(input);
    } catch (error) {
      // The old one stays known, and stays off: as Toxiproxy leaves it.
      for (const toxic of toxics) existing.toxics.push({ toxic, ruleId: this.#createRule(toxic, existing) });
      this.#proxies.set(existing.name, existing);
      throw error;
    }
  }

  /** A proxy that cannot listen is not added. */
  async #add(input: ProxyInput): Promise<Proxy> {
    const proxy = this.#newProxy(input);
    if (input.enabled) await this.#start(proxy);
    this.#proxies.set(proxy.name, proxy);
    return proxy;
  }

  async #start(proxy: Proxy): Promise<void> {
    const listen = await resolvedListen(proxy.listen);
    const { address } = await this.#bind(proxy, listen).catch((error: unknown) => {
      // Go's empty host means IPv4 where a machine has nothing else.
      if (!listen.startsWith('[::]') || !hasNoIpv6(error)) throw listenError(listen, error);
      return this.#bind(proxy, listen.replace('[::]', '0.0.0.0'));
    });
    proxy.listen = address ?? listen;
    proxy.enabled = true;
    if (!isBeyondLoopback(proxy.listen)) return;
    const { name } = proxy;
    this.#log.warn({ proxy: name, listen: proxy.listen }, 'A proxy can be reached from other machines');
  }

  #bind({ route, upstream }: Proxy, listen: string): Promise<Route> {
    return this.#engine.routes.create({ name: route, listen, upstream: upstreamUrl(upstream) }, origin);
  }

  /** Its connections end, and its port is free, when this resolves. */
  async #stop(proxy: Proxy): Promise<void> {
    if (!proxy.enabled) return;
    proxy.enabled = false;
    await this.#engine.routes.remove(proxy.route);
  }

  async #remove(proxy: Proxy): Promise<void> {
    this.#proxies.delete(proxy.name);
    // First: rules that go would let out what they hold.
    await this.#stop(proxy);
    await this.#removeToxics(proxy);
  }

  async #removeToxics(proxy: Proxy): Promise<void> {
    for (const { ruleId } of proxy.toxics.splice(0)) if (ruleId !== null) this.#engine.rules.remove(ruleId);
    await this.#engine.settled();
  }

  // --- names in the engine

  /** A proxy may be called anything, a route not. */
  #freeRoute(name: string): string {
    const taken = new Set([
      ...this.#engine.routes.list().map((route) => route.name),
      ...[...this.#proxies.values()].map((proxy) => proxy.route),
    ]);
    const base = name
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 56);
    return free(base === '' ? 'proxy' : base, (candidate) => taken.has(candidate));
  }

  #createRule(toxic: Toxic, { name, route }: Proxy): string | null {
    const rule = ruleOf(toxic, name, route);
    if (rule === null) return null;
    const taken = new Set(this.#engine.rules.list().map((known) => known.name));
    const ruleName = free(rule.name.slice(0, 190), (candidate) => taken.has(candidate), ' ');
    return this.#engine.rules.create({ ...rule, name: ruleName }, origin).id;
  }

  /** Somebody removes in the window what was made here. */
  #happened(event: AgentEvent): void {
    if (event.type !== 'route.removed' && event.type !== 'rule.removed') return;
    for (const proxy of this.#proxies.values()) {
      if (event.type === 'route.removed') {
        if (proxy.route === event.name) proxy.enabled = false;
      } else {
        const index = proxy.toxics.findIndex(({ ruleId }) => ruleId === event.id);
        if (index >= 0) proxy.toxics.splice(index, 1);
      }
    }
  }
}

function free(base: string, isTaken: (name: string) => boolean, separator = '-'): string {
  if (!isTaken(base)) return base;
  for (let number = 2; ; number += 1)
    if (!isTaken(`${base}${separator}${number}`)) return `${base}${separator}${number}`;
}

function findToxic(proxy: Proxy, name: string): Proxy['toxics'][number] {
  const found = proxy.toxics.find(({ toxic }) => toxic.name === name);
  if (found === undefined) throw toxicNotFound();
  return found;
}

async function differs(proxy: Proxy, wanted: ProxyInput): Promise<boolean> {
  if (proxy.upstream !== wanted.upstream) return true;
  if (proxy.listen === wanted.listen) return false;
  return (await resolvedListen(wanted.listen)) !== (await resolvedListen(proxy.listen));
}

function listenError(listen: string, error: unknown): unknown {
  if (!(error instanceof SpikeError)) return error;
  const isTaken = error.code === 'conflict' || isCode(error.details, 'EADDRINUSE');
  const why = isTaken
    ? 'address already in use'
    : isCode(error.details, 'EACCES')
      ? 'permission denied'
      : null;
  if (why !== null) return new ToxiproxyError(500, `listen tcp ${listen}: bind: ${why}`);
  return new ToxiproxyError(500, error.message);
}

function hasNoIpv6(error: unknown): boolean {
  if (!(error instanceof SpikeError)) return false;
  return isCode(error.details, 'EAFNOSUPPORT') || isCode(error.details, 'EADDRNOTAVAIL');
}

function isCode(details: unknown, code: string): boolean {
  return typeof details === 'object' && details !== null && (details as { code?: unknown }).code === code;
}

/** A failure that is told to the client, in its API's form; what is a bug is thrown on. */
export function toxiproxyError(error: unknown): ToxiproxyError {
  if (error instanceof ToxiproxyError) return error;
  if (error instanceof SpikeError) return new ToxiproxyError(500, error.message);
  throw error;
}
