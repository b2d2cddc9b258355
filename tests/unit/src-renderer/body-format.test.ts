import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBody, hexDump } from '../../../src-renderer/features/live/body/body-format.ts';
import { prettyJson } from '../../../src-renderer/features/live/body/pretty-json.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('prettyJson', () => {
  it('breaks lines, and leaves what is short on one', () => {
    expect(prettyJson('{"id":"ch_3","amount":{"value":5480,"currency":"EUR"},"list":[1,2]}')).toBe(
      '{\n  "id": "ch_3",\n  "amount": { "value": 5480, "currency": "EUR" },\n  "list": [1, 2]\n}',
    );
  });

  it('keeps every literal as it was written', () => {
    expect(prettyJson('{"n":12345678901234567890,"e":1.10e5,"k":1,"k":2}')).toBe(
      '{\n  "n": 12345678901234567890,\n  "e": 1.10e5,\n  "k": 1,\n  "k": 2\n}',
    );
  });

  it('says null to what is not JSON', () => {
    expect(prettyJson('{"a":}')).toBeNull();
    expect(prettyJson('')).toBeNull();
  });

  it('means the same as what came, for any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(prettyJson(text) ?? 'null')).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe('formatBody', () => {
  it('knows JSON by its type, also by its suffix, and by its look', () => {
    for (const type of ['application/json; charset=utf-8', 'application/problem+json', null]) {
      expect(formatBody(bytes('{"a":1}'), type)).toMatchObject({ kind: 'json', name: 'JSON' });
    }
  });

  it('shows broken JSON as the text that it is', () => {
    expect(formatBody(bytes('{"a":'), 'application/json')).toMatchObject({ kind: 'text', pretty: '{"a":' });
  });

  it('decodes by charset', () => {
    expect(formatBody(Uint8Array.of(0xe9), 'text/plain; charset=iso-8859-1').raw).toBe('é');
  });

  it('shows bytes that are no text as hex', () => {
    const body = formatBody(Uint8Array.of(0xff, 0xfe, 0x00), 'text/plain');
    expect(body).toMatchObject({ kind: 'binary', raw: null, pretty: null });
    expect(body.hex).toContain('ff fe 00');
  });

  it('makes a picture of an image and of nothing else', () => {
    expect(formatBody(Uint8Array.of(1, 2), 'image/png').image).toBe('data:image/png;base64,AQI=');
    expect(formatBody(bytes('<svg/>'), 'image/svg+xml').image).toBeNull();
  });
});

describe('hexDump', () => {
  it('has offset, two groups of eight, and what can be printed', () => {
    expect(hexDump(bytes('Hello, Spike! 123'))).toBe(
      '00000000  48 65 6c 6c 6f 2c 20 53  70 69 6b 65 21 20 31 32  Hello, Spike! 12\n' +
        `00000010  33${' '.repeat(21)}  ${' '.repeat(23)}  3`,
    );
  });
});
