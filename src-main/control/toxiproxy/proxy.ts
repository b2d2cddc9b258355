import { badRequestBody, missingField } from './api-error.ts';
import { decodeJson, goArray, GoObject } from './go-json.ts';
import { upstreamUrl } from './listen-address.ts';
import { toxicJson } from './toxic.ts';
import type { Toxic } from './toxic.ts';

/** A proxy as its client sees it. */
export interface Proxy {
  readonly name: string;
  /** The name of its route, and of the callee. */
  readonly route: string;
  /** host:port; the one that is bound, once it has been. */
  listen: string;
  /** host:port */
  upstream: string;
  enabled: boolean;
  /** In the order in which they were added, each with the id of its rule; null: it has none. */
  readonly toxics: { toxic: Toxic; readonly ruleId: string | null }[];
}

/** What a client says of a proxy. */
export interface ProxyInput {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
  readonly enabled: boolean;
}

const mostPopulated = 1000;

/** @throws ToxiproxyError 400 */
export function proxyFrom(body: string): ProxyInput {
  const input = inputFrom(new GoObject(decodeJson(body), 'Proxy'));
  if (input.name === '') throw missingField('name');
  if (input.upstream === '') throw missingField('upstream');
  return input;
}

/** All of them are looked at before the first is made. @throws ToxiproxyError 400 with the place of what is missing. */
export function proxiesFrom(body: string): ProxyInput[] {
  const items = goArray(decodeJson(body), '[]toxiproxy.Proxy');
  if (items.length > mostPopulated) throw badRequestBody(`more than ${mostPopulated} proxies`);
  const inputs = items.map((item) => inputFrom(new GoObject(item, 'Proxy')));
  inputs.forEach(({ name, upstream }, index) => {
    if (name === '') throw missingField(`name at proxy ${index + 1}`);
    if (upstream === '') throw missingField(`upstream at proxy ${index + 1}`);
    upstreamUrl(upstream);
  });
  return inputs;
}

/** What a body changes of a proxy: its name stays. */
export function changedProxy(proxy: ProxyInput, body: string): ProxyInput {
  const { listen, upstream, enabled } = inputFrom(new GoObject(decodeJson(body), 'Proxy'), proxy);
  return { name: proxy.name, listen, upstream, enabled };
}

const unset: ProxyInput = { name: '', listen: '', upstream: '', enabled: true };

function inputFrom(given: GoObject, before: ProxyInput = unset): ProxyInput {
  return {
    name: given.string('name') ?? before.name,
    listen: given.string('listen') ?? before.listen,
    upstream: given.string('upstream') ?? before.upstream,
    enabled: given.boolean('enabled') ?? before.enabled,
  };
}

export function proxyJson(proxy: Proxy): string {
  const { name, listen, upstream, enabled } = proxy;
  return `${JSON.stringify({ name, listen, upstream, enabled }).slice(0, -1)},"toxics":${toxicsJson(proxy)}}`;
}

/** Those upstream first, each in its order: as the chains of Toxiproxy are listed. */
export function toxicsJson({ toxics }: Proxy): string {
  const of = (wanted: Toxic['direction']): string[] =>
    toxics.filter(({ toxic }) => toxic.direction === wanted).map(({ toxic }) => toxicJson(toxic));
  return `[${[...of('upstream'), ...of('downstream')].join(',')}]`;
}
