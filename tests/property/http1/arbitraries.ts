import fc from 'fast-check';

/** A generated message: its bytes, and what has to come out of them. */
export interface GeneratedMessage {
  readonly kind: 'request' | 'response';
  readonly startLine: string;
  readonly fields: readonly string[];
  readonly head: string;
  readonly payload: string;
  /** The body as on the wire. */
  readonly wire: string;
  readonly trailers: readonly string[];
}

const tokenCharacters = [..."!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"];
const token = fc.string({ unit: fc.constantFrom(...tokenCharacters), minLength: 1, maxLength: 12 });
const latin1 = (from: number, to: number) =>
  fc.integer({ min: from, max: to }).map((code) => String.fromCharCode(code));
const valueUnit = fc.oneof(
  { weight: 8, arbitrary: latin1(0x20, 0x7e) },
  latin1(0x80, 0xff),
  fc.constant('\t'),
);
const fieldValue = fc
  .string({ unit: valueUnit, maxLength: 20 })
  .map((value) => value.replace(/^[ \t]+|[ \t]+$/g, ''));

/** Names that the codec looks at are made by the message itself, or they would mean something. */
const meaningful =
  /^(te|host|expect|upgrade|connection|keep-alive|content.length|transfer.encoding|proxy-.*)$/i;
const fieldName = token.filter((name) => !meaningful.test(name));
const space = fc.constantFrom('', ' ', '  ', '\t', ' \t ');

const plainFields = fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 5 });
export const payload = fc.string({ unit: latin1(0, 255), maxLength: 30 });

const extension = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.tuple(token, token).map(([name, value]) => `;${name}=${value}`),
);
const chunk = fc.tuple(
  payload.filter((data) => data !== ''),
  extension,
  fc.boolean(),
  fc.nat(2),
);

function chunkText([data, ext, upper, zeros]: [string, string, boolean, number]): string {
  const size = data.length.toString(16);
  return `${'0'.repeat(zeros)}${upper ? size.toUpperCase() : size}${ext}\r\n${data}\r\n`;
}

interface Body {
  readonly field: readonly [string, string];
  readonly payload: string;
  readonly wire: string;
  readonly trailers: readonly string[];
}

const lengthBody: fc.Arbitrary<Body> = payload.map((text) => ({
  field: ['Content-Length', String(text.length)],
  payload: text,
  wire: text,
  trailers: [],
}));

const chunkedBody: fc.Arbitrary<Body> = fc
  .tuple(
    fc.array(chunk, { maxLength: 4 }),
    extension,
    fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 2 }),
  )
  .map(([chunks, lastExtension, trailers]) => ({
    field: ['transfer-Encoding', 'chunked'],
    payload: chunks.map(([data]) => data).join(''),
    wire: `${chunks.map(chunkText).join('')}0${lastExtension}\r\n${lines(trailers)}\r\n`,
    trailers: trailers.flat(),
  }));

const noBody: fc.Arbitrary<Body | null> = fc.constant(null);

function lines(fields: readonly (readonly [string, string])[], pad = ' '): string {
  return fields.map(([name, value]) => `${name}:${pad}${value}\r\n`).join('');
}

function assemble(
  kind: GeneratedMessage['kind'],
  startLine: string,
  fields: readonly (readonly [string, string])[],
  body: Body | null,
  pad: string,
): GeneratedMessage {
  return {
    kind,
    startLine,
    fields: fields.flat(),
    head: `${startLine}\r\n${lines(fields, pad)}\r\n`,
    payload: body?.payload ?? '',
    wire: body?.wire ?? '',
    trailers: body?.trailers ?? [],
  };
}

const target = fc.string({ unit: latin1(0x24, 0x7e), maxLength: 15 }).map((text) => `/${text}`);
const method = fc
  .oneof(fc.constantFrom('GET', 'POST', 'PUT', 'HEAD', 'OPTIONS'), token)
  .filter((m) => m !== 'CONNECT');

/** A request with Host and framing fields at a random place among others. */
export const request: fc.Arbitrary<GeneratedMessage> = fc
  .tuple(method, target, plainFields, plainFields, fc.oneof(noBody, lengthBody, chunkedBody), space)
  .map(([name, path, before, after, body, pad]) => {
    const own: [string, string][] = [
      ['hOst', 'shop.test:8080'],
      ...(body ? [body.field as [string, string]] : []),
    ];
    return assemble(
      'request',
      `${name} ${path} HTTP/1.1`,
      [...before, ...own, ...after],
      body,
      withoutTab(pad, body),
    );
  });

/** A response that frames its body, so that others can follow it. */
export const response: fc.Arbitrary<GeneratedMessage> = fc
  .tuple(
    fc.integer({ min: 200, max: 599 }),
    fieldValue,
    plainFields,
    plainFields,
    fc.oneof(lengthBody, chunkedBody),
    space,
  )
  .filter(([status]) => status !== 204 && status !== 304)
  .map(([status, reason, before, after, body, pad]) =>
    assemble(
      'response',
      `HTTP/1.1 ${status} ${reason}`,
      [...before, body.field as [string, string], ...after],
      body,
      withoutTab(pad, body),
    ),
  );

/** Tabs around framing values are refused on purpose. */
function withoutTab(pad: string, body: Body | null): string {
  return body === null ? pad : pad.replace('\t', ' ');
}

export const pipeline = fc.oneof(
  fc.array(request, { minLength: 1, maxLength: 3 }),
  fc.array(response, { minLength: 1, maxLength: 3 }),
);

export function bytesOf(messages: readonly GeneratedMessage[]): Buffer {
  return Buffer.from(messages.map((message) => message.head + message.wire).join(''), 'latin1');
}
