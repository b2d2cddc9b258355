import { parseNoProxy } from '#shared/workspace/no-proxy.ts';
import { parseProxyUrl } from '#shared/workspace/upstream-proxy.ts';
import type {
  ProxyAddress,
  UpstreamProxies,
  UpstreamProxySettings,
} from '#shared/workspace/upstream-proxy.ts';
import { SettingError } from '../engine/setting-error.ts';
import type { Environment } from './environment.ts';

/** What `upstreamProxy` of the file means; null: everything is called directly. Throws SettingError for a variable that is wrong. */
export function upstreamProxiesOf(
  settings: UpstreamProxySettings | undefined,
  environment: Environment,
): UpstreamProxies | null {
  if (settings === undefined) return null;
  const { url, noProxy, includeLoopback } = settings;
  if (url === 'env') return proxiesOfEnvironment(environment, noProxy, includeLoopback);
  const proxy = parseProxyUrl(url);
  if (typeof proxy === 'string') throw new SettingError(['upstreamProxy', 'url'], proxy);
  return { http: proxy, https: proxy, noProxy, includeLoopback };
}

/** As curl reads it: the lower case first, `ALL_PROXY` for what has none of its own. */
function proxiesOfEnvironment(
  environment: Environment,
  noProxy: readonly string[],
  includeLoopback: boolean,
): UpstreamProxies | null {
  const all = proxyOf(environment, 'ALL_PROXY');
  const http = proxyOf(environment, 'HTTP_PROXY') ?? all;
  const https = proxyOf(environment, 'HTTPS_PROXY') ?? all;
  if (http === null && https === null) return null;
  const entries = (valueOf(environment, 'NO_PROXY') ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  // Other programs read it too, and not all in the same forms: what Spike does not know is passed over, as they do.
  const known = entries.filter((entry) => typeof parseNoProxy(entry) !== 'string');
  return { http, https, noProxy: [...noProxy, ...known], includeLoopback };
}

function proxyOf(environment: Environment, name: string): ProxyAddress | null {
  const value = valueOf(environment, name);
  if (value === undefined) return null;
  const proxy = parseProxyUrl(value.includes('://') ? value : `http://${value}`);
  if (typeof proxy !== 'string') return proxy;
  throw new SettingError(['upstreamProxy'], `The environment variable ${name} cannot be used. ${proxy}`);
}

function valueOf(environment: Environment, name: string): string | undefined {
  return [environment[name.toLowerCase()], environment[name]].find(
    (value) => value !== undefined && value !== '',
  );
}
