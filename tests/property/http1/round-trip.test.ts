import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestHead, ResponseHead } from '../../../src-main/engine/proxy/http1/head.ts';
import {
  serializeRequestHead,
  serializeResponseHead,
} from '../../../src-main/engine/proxy/http1/serialize-head.ts';
import { bytesOf, pipeline, request } from './arbitraries.ts';
import { observe } from './observe.ts';

const everyIndex = (input: Buffer): number[] => [...input.keys()];
const hop: [string, string][] = [
  ['Connection', 'keep-alive, x-nominated'],
  ['X-Nominated', 'v'],
  ['KEEP-ALIVE', 'timeout=5'],
  ['Proxy-Connection', 'close'],
  ['proxy-authorization', 'Basic eDp5'],
  ['Te', 'gzip'],
  ['upgrade', 'h2c'],
];

describe('generated messages', () => {
  it('come out as they went in: heads, payload, wire bytes, trailers', () => {
    fc.assert(
      fc.property(pipeline, fc.boolean(), (messages, bytewise) => {
        const input = bytesOf(messages);
        const seen = observe(input, bytewise ? everyIndex(input) : [], {
          kind: messages[0]?.kind ?? 'request',
        });
        expect(seen.error).toBeNull();
        expect(seen.end).toBe('complete');
        expect(seen.messages).toHaveLength(messages.length);
        seen.messages.forEach((message, i) => {
          expect(message.head?.text).toBe(messages[i]?.head);
          expect(message.head?.fields).toEqual(messages[i]?.fields);
          expect(message.data.toString('latin1')).toBe(messages[i]?.payload);
          expect(message.wire.toString('latin1')).toBe(messages[i]?.wire);
          expect(message.trailers).toEqual(messages[i]?.trailers);
        });
        const again = seen.messages.map((message) => [
          Buffer.from(message.head?.text ?? '', 'latin1'),
          message.wire,
        ]);
        expect(Buffer.concat(again.flat()).equals(input)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('are serialised with order, case and duplicates kept, from the text and from the list', () => {
    fc.assert(
      fc.property(pipeline, (messages) => {
        const seen = observe(bytesOf(messages), [], { kind: messages[0]?.kind ?? 'request' });
        for (const { head } of seen.messages) {
          expect(serialize(head as RequestHead | ResponseHead)).toBe(head?.text);
          const listed = head?.fields ?? [];
          head?.replaceFields(listed);
          const back = observe(Buffer.from(serialize(head as RequestHead | ResponseHead), 'latin1'), [], {
            kind: messages[0]?.kind ?? 'request',
          });
          expect(back.messages[0]?.head?.fields).toEqual(listed);
        }
      }),
    );
  });

  it('lose hop-by-hop fields wherever they stand, and nothing else', () => {
    const inserted = fc.array(fc.tuple(fc.constantFrom(...hop), fc.nat()), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(request, inserted, (message, insertions) => {
        const fields: [string, string][] = [];
        for (let i = 0; i < message.fields.length; i += 2) {
          fields.push([message.fields[i] as string, message.fields[i + 1] as string]);
        }
        const nominates = insertions.some(([[name]]) => name === 'Connection');
        const kept = nominates
          ? []
          : insertions.filter(([[name]]) => name === 'X-Nominated').map(([field]) => field);
        for (const [field, at] of insertions) fields.splice(at % (fields.length + 1), 0, field);
        const head = `${message.startLine}\r\n${fields.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`;
        const seen = observe(Buffer.from(head, 'latin1'), [], { kind: 'request' });
        const sent = serializeRequestHead(seen.messages[0]?.head as RequestHead);
        const back = observe(Buffer.from(sent, 'latin1'), [], { kind: 'request' }).messages[0]?.head;
        const names = hop.map(([name]) => name).filter((name) => kept.length === 0 || name !== 'X-Nominated');
        expect(back?.fields).toEqual(fields.filter(([name]) => !names.includes(name)).flat());
      }),
      { numRuns: 300 },
    );
  });
});

function serialize(head: RequestHead | ResponseHead): string {
  return 'method' in head ? serializeRequestHead(head) : serializeResponseHead(head);
}
