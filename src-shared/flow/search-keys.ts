import { failureCauses } from './failure-cause.ts';
import { flowKinds } from './flow.ts';
import { protocols } from './flow-summary.ts';

/** What can stand before `:` or a comparison in a search. One table feeds the parser, the completion and the manual. */
export interface SearchKey {
  readonly key: string;
  /** For completion: a few words. */
  readonly description: string;
  readonly example: string;
  /**
   * How its value is compared. Case does not matter for letters of ASCII, anywhere.
   * `whole`: the whole text, `*` for any part. `part`: anywhere in the text, or the whole text once there is a `*`.
   * `prefix`: the beginning. `list`: one of several, with commas between them. `choice`: one of `values`. `number`, `duration`, `size`: with `>`, `>=`, `<`, `<=`, `=` or `:`.
   */
  readonly compares: 'whole' | 'part' | 'prefix' | 'list' | 'choice' | 'number' | 'duration' | 'size';
  /** The values worth offering, all of them for `choice`. */
  readonly values: readonly string[];
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

export const textKeys = {
  service: key('whole', 'Caller or callee', 'service:orders'),
  caller: key('whole', 'The service that calls', 'caller:checkout'),
  callee: key('whole', 'The service that is called', 'callee:orders-*'),
  method: key('whole', 'HTTP method', 'method:POST', methods),
  host: key('part', 'Host of the URL', 'host:*.example'),
  path: key('part', 'Path and query', 'path:/api/*'),
  route: key('whole', 'Name of the route', 'route:orders'),
  trace: key('prefix', 'Trace id, or its beginning', 'trace:4bf92f35'),
  error: key('part', 'Why it failed', 'error:upstream-*', failureCauses),
  fault: key('part', 'Rule or type of a fault that acted; * for any', 'fault:*'),
  rule: key('whole', 'Id of a rule that acted', 'rule:payments-is-slow'),
  header: key('part', 'Header line of request or response', 'header:"content-type: text/html"'),
  body: key('part', 'Text in a stored body, or in a message inside the flow', 'body:"out of stock"'),
} as const;
export type TextKey = keyof typeof textKeys;

export const listKeys = {
  id: key('list', 'Ids of flows', 'id:mfx3k2a1c000703k3v9q2'),
} as const;
export type ListKey = keyof typeof listKeys;

export const choiceKeys = {
  proto: key('choice', 'Protocol', 'proto:grpc', protocols),
  kind: key('choice', 'Kind of flow', 'kind:refused', flowKinds),
  playback: key('choice', 'Answered from a recording', 'playback:yes', ['yes', 'no']),
} as const;
export type ChoiceKey = keyof typeof choiceKeys;

export const numberKeys = {
  status: key('number', 'HTTP status, or a class such as 5xx', 'status:5xx', ['2xx', '3xx', '4xx', '5xx']),
  latency: key('duration', 'From the first byte to the last', 'latency>1s', ['100ms', '1s']),
  size: key('size', 'Bytes of the response', 'size>10kB', ['10kB', '1MB']),
} as const;
export type NumberKey = keyof typeof numberKeys;

const table = { ...textKeys, ...listKeys, ...choiceKeys, ...numberKeys };
export const searchKeys: readonly SearchKey[] = Object.entries(table).map(([name, rest]) => ({
  key: name,
  ...rest,
}));

export const isTextKey = (name: string): name is TextKey => Object.hasOwn(textKeys, name);
export const isListKey = (name: string): name is ListKey => Object.hasOwn(listKeys, name);
export const isChoiceKey = (name: string): name is ChoiceKey => Object.hasOwn(choiceKeys, name);
export const isNumberKey = (name: string): name is NumberKey => Object.hasOwn(numberKeys, name);

function key(
  compares: SearchKey['compares'],
  description: string,
  example: string,
  values: readonly string[] = [],
): Omit<SearchKey, 'key'> {
  return { compares, description, example, values };
}
