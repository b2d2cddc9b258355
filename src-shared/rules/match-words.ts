import type { BodyMatch, Match, ValueTest } from './match.ts';

/** A piece of a sentence; what is `strong` comes from the rule and is set off in the window. */
export interface SentencePart {
  readonly text: string;
  readonly strong: boolean;
}

export function plain(text: string): SentencePart {
  return { text, strong: false };
}

export function strong(text: string): SentencePart {
  return { text, strong: true };
}

const nouns = {
  any: ['call', 'calls'],
  http: ['HTTP call', 'HTTP calls'],
  grpc: ['gRPC call', 'gRPC calls'],
  websocket: ['WebSocket', 'WebSockets'],
  tcp: ['connection', 'connections'],
} as const;

/** What is called, without who calls: "POST /v1/charge/* calls". */
export function calledWords(match: Match, many: boolean): SentencePart[] {
  const grpc = match.grpc === undefined ? [] : [`${match.grpc.service ?? '*'}/${match.grpc.method ?? '*'}`];
  const what = [match.method, match.path, ...grpc].filter((part) => part !== undefined).join(' ');
  const kind = match.grpc === undefined ? (match.protocol ?? 'any') : 'grpc';
  const noun = nouns[kind][many ? 1 : 0];
  return what === '' ? [plain(noun)] : [strong(what), plain(` ${noun}`)];
}

/** Where the calls go, and what is asked of them besides: " to payments with x-tenant: acme that are answered 5xx". */
export function conditionWords(match: Match, many: boolean): SentencePart[] {
  return [...placeWords(match), ...withWords(match), ...statusWords(match, many)];
}

function placeWords({ callee, host, route, listener, traceId }: Match): SentencePart[] {
  const parts: SentencePart[] = [];
  if (callee !== undefined) parts.push(plain(' to '), strong(callee));
  if (host !== undefined) parts.push(plain(callee === undefined ? ' to ' : ' at '), strong(host));
  if (route !== undefined) parts.push(plain(' by the route '), strong(route));
  if (listener === 'proxy') parts.push(plain(' through the proxy port'));
  else if (listener !== undefined) parts.push(plain(' through the port of '), strong(listener));
  if (traceId !== undefined) parts.push(plain(' of the trace '), strong(traceId));
  return parts;
}

function withWords({ query = {}, header = {}, body }: Match): SentencePart[] {
  const conditions = [
    ...Object.entries(query).map(([name, test]) => valueWords(`?${name}`, '=', test)),
    ...Object.entries(header).map(([name, test]) => valueWords(name, ': ', test)),
    ...(body === undefined ? [] : [bodyWords(body)]),
  ];
  return conditions.flatMap((words, index) => [plain(index === 0 ? ' with ' : ' and '), ...words]);
}

function valueWords(name: string, between: string, test: ValueTest): SentencePart[] {
  if (test === true) return [strong(name)];
  return test === false ? [plain('no '), strong(name)] : [strong(`${name}${between}${test}`)];
}

function bodyWords({ contains, matches, json = '', equals, exists }: BodyMatch): SentencePart[] {
  if (contains !== undefined) return [plain('“'), strong(contains), plain('” in the body')];
  if (matches !== undefined) return [plain('a body that matches '), strong(`/${matches}/`)];
  if (equals !== undefined) return [strong(`${json} = ${JSON.stringify(equals)}`), plain(' in the body')];
  return [...(exists === false ? [plain('no ')] : []), strong(json), plain(' in the body')];
}

function statusWords({ status }: Match, many: boolean): SentencePart[] {
  if (status === undefined) return [];
  return [plain(` that ${many ? 'are' : 'is'} answered `), strong(String(status))];
}
