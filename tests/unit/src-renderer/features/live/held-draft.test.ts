import { describe, expect, it } from 'vitest';
import type { HeldRequest, HeldResponse } from '#shared/contract/held.ts';
import {
  answerOf,
  answerProblems,
  changedParts,
  draftProblems,
  editOf,
  headersOf,
  refusedProblems,
  untouched,
  withPart,
} from '../../../../../src-renderer/features/live/held/held-draft.ts';
import { formatLeft } from '../../../../../src-renderer/features/live/held/held-words.ts';
import { readHeldBody } from '../../../../../src-renderer/features/live/held/held-body.ts';

const request: HeldRequest = {
  kind: 'request',
  method: 'POST',
  target: '/v1/charge?dry=1',
  httpVersion: '1.1',
  headers: [
    ['Host', 'payments'],
    ['Cookie', 'a=1'],
    ['Cookie', 'b=2'],
  ],
  fixedHeaders: [['Content-Length', '2']],
  trailers: '',
  body: btoa('{}'),
  bodyEncoding: 'identity',
  isBodyEditable: true,
  why: null,
};
const response: HeldResponse = { ...request, kind: 'response', status: 201, reason: 'Created' };

describe('the edit of a held call', () => {
  it('is empty when nothing was touched, or all is again as it came', () => {
    expect(editOf(request, untouched)).toEqual({});
    expect(draftProblems(request, untouched)).toEqual({});
    let draft = withPart(request, untouched, 'method', 'PUT');
    draft = withPart(request, draft, 'headers', headersOf(request, draft).slice(1));
    expect(changedParts(request, draft)).toEqual(['method', 'headers']);
    draft = withPart(request, draft, 'method', 'POST');
    draft = withPart(request, draft, 'headers', headersOf(request, untouched));
    expect(draft).toEqual(untouched);
    expect(withPart(response, untouched, 'status', '201')).toEqual(untouched);
  });

  it('has only what was changed, with names that come twice', () => {
    const headers = headersOf(request, untouched).filter(({ key }) => key !== 1);
    const draft = withPart(request, untouched, 'headers', [
      ...headers,
      { key: 9, name: 'X-Twice', value: '1' },
      { key: 10, name: 'X-Twice', value: '2' },
    ]);
    expect(editOf(request, draft)).toEqual({
      headers: [
        ['Host', 'payments'],
        ['Cookie', 'b=2'],
        ['X-Twice', '1'],
        ['X-Twice', '2'],
      ],
    });
  });

  it('leaves out a row in which nobody wrote, which is no change but stays on the screen', () => {
    const rows = [...headersOf(request, untouched), { key: 3, name: '', value: '' }];
    const draft = withPart(request, untouched, 'headers', rows);
    expect(headersOf(request, draft)).toHaveLength(4);
    expect(changedParts(request, draft)).toEqual([]);
    expect(editOf(request, draft)).toEqual({});
  });

  it('sends a body as UTF-8', () => {
    const draft = withPart(request, untouched, 'body', 'Grüße 🙂');
    const edit = editOf(request, draft);
    expect(Buffer.from(edit.body ?? '', 'base64').toString('utf8')).toBe('Grüße 🙂');
    expect(editOf(request, withPart(request, untouched, 'body', ''))).toEqual({ body: '' });
  });

  it('says at which field what is wrong, also below an empty row', () => {
    const rows = headersOf(request, untouched);
    const draft = {
      ...untouched,
      method: 'PO ST',
      target: 'v1',
      headers: [
        { key: 7, name: '', value: '' },
        ...rows,
        { key: 8, name: 'bad name', value: 'x' },
        { key: 9, name: 'fine', value: 'a\nb' },
        { key: 10, name: 'Content-Length', value: '5' },
      ],
    };
    const problems = draftProblems(request, draft);
    expect(Object.keys(problems).sort()).toEqual([
      'headers.10.name',
      'headers.8.name',
      'headers.9.value',
      'method',
      'target',
    ]);
    expect(problems['headers.10.name']).toContain('framing');
  });

  it('has at most 10 MiB of body, counted in bytes', () => {
    const fits = 'ü'.repeat(5 * 1024 ** 2);
    expect(draftProblems(request, { ...untouched, body: fits })).toEqual({});
    expect(Object.keys(draftProblems(request, { ...untouched, body: `${fits}x` }))).toEqual(['body']);
  });

  it('expects a status from 200 to 599', () => {
    for (const status of ['', '99', '600', 'OK', '2e2', '20.5'])
      expect(draftProblems(response, { ...untouched, status })).toEqual({
        status: 'Expected a status from 200 to 599.',
      });
    expect(editOf(response, { ...untouched, status: ' 404 ' })).toEqual({ status: 404 });
  });

  it('shows what the agent refused at the row that it means', () => {
    const rows = [
      { key: 5, name: '', value: '' },
      { key: 6, name: 'a', value: 'b' },
    ];
    const refused = [
      { path: 'headers[0][1]', message: 'no' },
      { path: 'target', message: 'neither' },
    ];
    expect(refusedProblems(refused, rows)).toEqual({ 'headers.6.value': 'no', target: 'neither' });
  });
});

describe('an answer', () => {
  it('has a status, fields and a body', () => {
    const headers = [{ key: 0, name: 'retry-after', value: '5' }];
    expect(answerOf({ status: '503', headers, body: 'busy' })).toEqual({
      status: 503,
      headers: [['retry-after', '5']],
      body: btoa('busy'),
    });
    expect(answerProblems({ status: '503', headers, body: 'busy' })).toEqual({});
    expect(answerProblems({ status: '1', headers, body: '' })).toHaveProperty('status');
  });
});

describe('a held body', () => {
  const signal = new AbortController().signal;
  const read = (bytes: Uint8Array | string, contentType: string, why: string | null = null) =>
    readHeldBody(
      { body: Buffer.from(bytes).toString('base64'), why, headers: [['Content-Type', contentType]] },
      signal,
    );

  it('keeps the text to the letter beside its indented form', async () => {
    const text = '\uFEFF{"big":12345678901234567890,\r\n"a":1.0}';
    const body = await read(text, 'application/json');
    expect(body.text).toBe(text);
    expect(body.why).toBeNull();
    expect((await read('{"a":1}', 'application/json')).pretty).toContain('\n');
    expect((await read('plain', 'text/plain')).pretty).toBeNull();
  });

  it('is not edited where its bytes would not come back, and says why', async () => {
    expect((await read(Uint8Array.of(0xff, 0xfe, 0), 'application/octet-stream')).why).toContain('not text');
    const latin = await read(Uint8Array.of(0x47, 0xfc), 'text/plain; charset=iso-8859-1');
    expect(latin).toMatchObject({ text: null, why: expect.stringContaining('encoding') as string });
    expect((await read('', 'text/plain', 'it is still coming')).why).toBe(
      'The body cannot be edited: it is still coming.',
    );
  });
});

describe('the time that is left', () => {
  it('counts a second that has begun, and never below zero', () => {
    expect([59_400, 60_000, 10, 0, -5, 3_600_000].map(formatLeft)).toEqual([
      '1:00',
      '1:00',
      '0:01',
      '0:00',
      '0:00',
      '1:00:00',
    ]);
  });
});
