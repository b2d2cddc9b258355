import { parseNoProxy } from '#shared/workspace/no-proxy.ts';
import type { NoProxyTest } from '#shared/workspace/no-proxy.ts';
import type { UpstreamProxies } from '#shared/workspace/upstream-proxy.ts';
import type { Destination, Via } from '../proxy/ports.ts';
import { isLoopback } from './loopback.ts';

/** Which places are reached by which proxy: one set of settings, compiled. */
export class ProxyChoice {
  /** Another one for each set of settings: credentials that have changed are another way too. */
  readonly generation: number;
  readonly #proxies: UpstreamProxies | null;
  readonly #noProxy: readonly NoProxyTest[];

  /** @param proxies null: everything is called directly. */
  constructor(proxies: UpstreamProxies | null, generation: number) {
    this.generation = generation;
    this.#proxies = proxies;
    this.#noProxy = (proxies?.noProxy ?? [])
      .map(parseNoProxy)
      .filter((test): test is NoProxyTest => typeof test !== 'string'); // refused with the workspace file
  }

  viaOf(scheme: Destination['scheme'], host: string, port: number): Via | null {
    const proxies = this.#proxies;
    const proxy = scheme === 'http' ? proxies?.http : proxies?.https;
    if (proxies === null || proxy === null || proxy === undefined) return null;
    if (!proxies.includeLoopback && isLoopback(host)) return null;
    if (this.#noProxy.some((passesBy) => passesBy(host, port))) return null;
    const speaksHttp = proxy.scheme === 'http' || proxy.scheme === 'https';
    return { proxy, way: scheme === 'http' && speaksHttp ? 'forward' : 'tunnel' };
  }
}
