import type { RuleInput } from '#shared/rules/rule.ts';
import { invalidStream, invalidToxicType } from './api-error.ts';
import { decodeJson, GoObject } from './go-json.ts';
import { toxicType } from './toxic-types.ts';
import type { ToxicAttributes } from './toxic-types.ts';

export type Stream = 'upstream' | 'downstream';

/** A toxic as its client sees it. */
export interface Toxic {
  readonly name: string;
  readonly type: string;
  /** As it was written; `direction` is what it means. */
  readonly stream: string;
  readonly direction: Stream;
  /** The share of links that it acts on, 0 to 1. */
  readonly toxicity: number;
  readonly attributes: ToxicAttributes;
}

/**
 * The toxic that a body asks for.
 * @param isTaken Whether the proxy has a toxic of that name.
 * @throws ToxiproxyError in the order of Toxiproxy's own checks: body, stream, type, name, attributes.
 */
export function toxicFrom(body: string, refuseTaken: (name: string) => void): Toxic {
  const json = decodeJson(body);
  const given = new GoObject(json, 'ToxicWrapper');
  const stream = given.string('stream') ?? 'downstream';
  const typeName = given.string('type') ?? '';
  const name = given.string('name') ?? '';
  const toxicity = given.float32('toxicity') ?? 1;
  given.object('attributes', 'NoopToxic');
  const direction = directionOf(stream);
  const type = toxicType(typeName);
  if (type === null) throw invalidToxicType();
  const named = name === '' ? `${typeName}_${stream}` : name;
  refuseTaken(named);
  const attributes = attributesFrom(given, typeName, {});
  return { name: named, type: typeName, stream, direction, toxicity, attributes };
}

/** The toxic with what a body changes of it: its attributes, one by one, and its toxicity. */
export function changedToxic(toxic: Toxic, body: string): Toxic {
  const given = new GoObject(decodeJson(body), 'ToxicWrapper');
  const attributes = attributesFrom(given, toxic.type, toxic.attributes);
  return { ...toxic, attributes, toxicity: given.float32('toxicity') ?? toxic.toxicity };
}

function attributesFrom(given: GoObject, typeName: string, before: ToxicAttributes): ToxicAttributes {
  const type = toxicType(typeName);
  if (type === null) throw invalidToxicType();
  const values = given.object('attributes', type.struct);
  return Object.fromEntries(type.attributes.map((name) => [name, values.int64(name) ?? before[name] ?? 0n]));
}

function directionOf(stream: string): Stream {
  const direction = stream.toLowerCase();
  if (direction !== 'upstream' && direction !== 'downstream') throw invalidStream();
  return direction;
}

/** As the API writes it; by hand, because an int64 does not fit into a number. */
export function toxicJson({ attributes, name, type, stream, toxicity }: Toxic): string {
  const pairs = Object.entries(attributes).map(([attribute, value]) => `"${attribute}":${value}`);
  const rest = JSON.stringify({ name, type, stream, toxicity });
  return `{"attributes":{${pairs.join(',')}},${rest.slice(1)}`;
}

/**
 * The rule that does what a toxic does, on the connections of one route.
 * @returns null for a toxic that does nothing.
 */
export function ruleOf(toxic: Toxic, proxyName: string, route: string): Omit<RuleInput, 'id'> | null {
  const fault = toxicType(toxic.type)?.fault(
    toxic.attributes,
    toxic.direction === 'upstream' ? 'request' : 'response',
  );
  if (fault === null || fault === undefined) return null;
  const { toxicity } = toxic;
  return {
    name: `Toxiproxy: ${toxic.name} on ${proxyName}`.slice(0, 200),
    enabled: true,
    // The callee is the route's name: so that the rule shows on its edge, and no other connection looks at it.
    match: { listener: route, callee: route, protocol: 'tcp' },
    trigger: toxicity >= 1 ? {} : { probability: Math.max(0, toxicity) },
    faults: [fault],
  };
}
