import { faultSchemas } from '#shared/rules/fault.ts';
import type { FaultType } from '#shared/rules/fault.ts';
import { faultEffect } from '#shared/rules/fault-effects.ts';
import * as breakpoint from '#shared/rules/faults/breakpoint.ts';
import * as connection from '#shared/rules/faults/connection.ts';
import * as http from '#shared/rules/faults/http.ts';
import * as http2 from '#shared/rules/faults/http2.ts';
import * as link from '#shared/rules/faults/link.ts';
import * as tls from '#shared/rules/faults/tls.ts';
import * as websocket from '#shared/rules/faults/websocket.ts';
import { faultForms, faultTypes, newFaultFields, readFault } from './fault-fields.ts';

/** A fault in the menu: with what is known of it before it has any figures. */
export interface FaultChoice {
  readonly type: FaultType;
  readonly title: string;
  readonly icon: string;
  /** One line: what it does. */
  readonly description: string;
}

export interface FaultGroup {
  readonly title: string;
  readonly faults: readonly FaultChoice[];
}

/** A group is a file of definitions: a fault is in the group of the file that it is written in. */
const modules: readonly (readonly [title: string, definitions: object])[] = [
  ['Connection', connection],
  ['Link', link],
  ['HTTP', http],
  ['HTTP/2 and gRPC', http2],
  ['WebSocket', websocket],
  ['TLS', tls],
  ['By hand', breakpoint],
];

export const faultGroups: readonly FaultGroup[] = [
  ...modules.map(([title, definitions]) => ({ title, faults: choicesIn(definitions) })),
  { title: 'Others', faults: faultTypes.filter((type) => !isInModule(type)).map(choiceOf) },
].filter((group) => group.faults.length > 0);

function choicesIn(definitions: object): FaultChoice[] {
  const schemas = new Set<unknown>(Object.values(definitions));
  return faultTypes.filter((type) => schemas.has(faultSchemas[type])).map(choiceOf);
}

function isInModule(type: FaultType): boolean {
  return modules.some(([, definitions]) => Object.values(definitions).includes(faultSchemas[type]));
}

function choiceOf(type: FaultType): FaultChoice {
  const { title, icon, description } = faultForms[type];
  return { type, title, icon, description: description ?? effectOf(type) };
}

/** What it does as it is when it is added: "Calls wait 2 s." */
function effectOf(type: FaultType): string {
  const { fault } = readFault(type, newFaultFields(type));
  return fault === null ? '' : `Calls ${faultEffect(fault, true)}.`;
}

/** The groups with the faults that have every word of the search in title, type, description or group. */
export function searchFaults(search: string): readonly FaultGroup[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return faultGroups
    .map(({ title, faults }) => ({
      title,
      faults: faults.filter((fault) => {
        const text = `${fault.title} ${fault.type} ${fault.description} ${title}`.toLowerCase();
        return words.every((word) => text.includes(word));
      }),
    }))
    .filter((group) => group.faults.length > 0);
}
