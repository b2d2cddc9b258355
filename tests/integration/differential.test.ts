import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { DataPlaneHarness, makeAuthority } from '../support/data-plane-harness.ts';
import { assertNothingOpen } from '../support/network-peers.ts';
import { headOf } from '../support/differential/case.ts';
import type { DifferentialCase } from '../support/differential/case.ts';
import { writtenCases } from '../support/differential/cases.ts';
import { play } from '../support/differential/client.ts';
import type { Returned } from '../support/differential/client.ts';
import { expectedAtClient, expectedAtOrigin } from '../support/differential/differences.ts';
import { generatedCases } from '../support/differential/generated-cases.ts';
import type { WireMessage } from '../support/differential/message-splitter.ts';
import { DifferentialOrigin } from '../support/differential/origin.ts';
import type { Arrived } from '../support/differential/origin.ts';

/**
 * The same requests directly and through Spike, compared byte by byte where they arrive and where the answers come back.
 * What may be different is in differences.ts. `SPIKE_DIFFERENTIAL_SEED` and `SPIKE_DIFFERENTIAL_CASES` make others.
 */
const seed = Number(process.env['SPIKE_DIFFERENTIAL_SEED'] ?? 20_260_301);
const count = Number(process.env['SPIKE_DIFFERENTIAL_CASES'] ?? 120);
const cases: readonly DifferentialCase[] = [...writtenCases, ...generatedCases(count, seed)];

const origin = new DifferentialOrigin(cases);
const servers: Server[] = [];
let spike: DataPlaneHarness;
let plainPort: number;
let securePort: number;

/** A way for a case to its origin. */
interface Way {
  readonly name: string;
  connect(): Promise<Socket>;
  /** What the client calls the origin. */
  authority(): string;
  /** Before each target. */
  prefix(): string;
}

const plainAuthority = (): string => `127.0.0.1:${plainPort}`;
const secureAuthority = (): string => `localhost:${securePort}`;

const direct: Way = {
  name: 'direct',
  connect: () => open(plainPort),
  authority: plainAuthority,
  prefix: () => '',
};
const ways: readonly Way[] = [
  { ...direct, name: 'a route', connect: () => open(spike.port('plain')) },
  { ...direct, name: 'the proxy port', connect: () => open(spike.proxyPort), prefix: () => `http://${plainAuthority()}` },
  {
    name: 'CONNECT and TLS',
    connect: async () => secured(await tunnelled(secureAuthority())),
    authority: secureAuthority,
    prefix: () => '',
  },
  {
    name: 'a route to TLS',
    connect: () => open(spike.port('secure')),
    authority: secureAuthority,
    prefix: () => '',
  },
]; // prettier-ignore

beforeAll(async () => {
  const siteCa = await makeAuthority();
  const issuer = createLeafIssuer({ ca: siteCa, now: Date.now });
  const leaf = issuer.issue('localhost');
  if (leaf === null) throw new Error('no certificate');
  const serve = (socket: Socket): void => {
    socket.on('error', () => undefined); // A client that destroys its side; what arrived is compared.
    origin.serve(socket);
  };
  plainPort = await listen(createTcpServer({ noDelay: true }, serve));
  securePort = await listen(
    createTlsServer({ key: issuer.privateKeyPem, cert: leaf.chainPem, noDelay: true } as object, serve),
  );
  spike = await DataPlaneHarness.start({
    routes: [
      { name: 'plain', listen: '127.0.0.1:0', upstream: `http://127.0.0.1:${plainPort}` },
      { name: 'secure', listen: '127.0.0.1:0', upstream: `https://localhost:${securePort}` },
    ],
    tls: { extraRootsPem: [siteCa.certificatePem] },
  });
});

afterAll(async () => {
  await spike[Symbol.asyncDispose]();
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  await assertNothingOpen();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

async function tunnelled(authority: string): Promise<Socket> {
  const socket = await open(spike.proxyPort);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const [established] = (await once(socket, 'data')) as [Buffer];
  expect(established.toString()).toMatch(/^HTTP\/1\.1 200 /);
  return socket;
}

async function secured(socket: Socket): Promise<Socket> {
  const secure = connectTls({
    socket,
    servername: 'localhost',
    ca: spike.caPem,
    allowHalfOpen: true,
  } as object);
  await once(secure, 'secureConnect');
  return secure;
}

interface Seen {
  readonly arrived: Arrived;
  readonly returned: Returned;
}

async function send(way: Way, number: number): Promise<Seen> {
  const one = cases[number] as DifferentialCase;
  const socket = await way.connect();
  const returned = await play(socket, one, number, way.authority(), way.prefix());
  return { arrived: origin.take(), returned };
}

/** One case as it came without Spike: with what the other ways call the origin in place of its address. */
function renamed(text: string, way: Way): string {
  return text.replaceAll(plainAuthority(), way.authority());
}

function expectedArrivals(seen: Seen, way: Way): Arrived {
  const host = way.prefix() === '' ? null : way.authority();
  return seen.arrived.map(
    (message) => message && { head: expectedAtOrigin(renamed(message.head, way), host), body: message.body },
  );
}

function expectedAnswers({ returned }: Seen, { requests }: DifferentialCase): WireMessage[] {
  let index = 0;
  return returned.messages.flatMap(({ head, body }) => {
    const request = requests[index] as DifferentialCase['requests'][number];
    if (!/^HTTP\/1\.\d 1/.test(head)) index += 1;
    const expected = expectedAtClient(head, request);
    return expected === null ? [] : [{ head: expected, body }];
  });
}

/** What is printed of a case that fails: enough to send it again. */
function describeCase({ name, requests, pipelined, pieces }: DifferentialCase): string {
  const text = requests.map((one) => JSON.stringify(headOf(one, '0.0', 'origin') + one.body.slice(0, 2000)));
  return `${name}, ${pipelined ? 'pipelined, ' : ''}in pieces of ${pieces.join()}:\n${text.join('\n')}`;
}

describe.each(ways)('through $name', (way) => {
  it.each(cases.map((one, number) => [one.name, number] as const))('%s', async (_, number) => {
    const one = cases[number] as DifferentialCase;
    const plain = await send(direct, number);
    expect(plain.returned.rest, describeCase(one)).toBe('');
    expect(plain.arrived.filter(Boolean), describeCase(one)).toHaveLength(one.requests.length);
    const through = await send(way, number);
    expect(through.arrived, describeCase(one)).toEqual(expectedArrivals(plain, way));
    expect(through.returned.messages, describeCase(one)).toEqual(expectedAnswers(plain, one));
    expect(through.returned.rest, describeCase(one)).toBe('');
  });
});

/**
 * Behind CONNECT anything may be spoken: what does not begin with a method of capital letters passes as bytes, and is
 * recorded as such.
 */
function isRead({ requests: [first] }: DifferentialCase, way: Way): boolean {
  return (
    way.name !== 'CONNECT and TLS' || (/^[A-Z]/.test(first?.method ?? '') && first?.before === undefined)
  );
}

describe('afterwards', () => {
  it('every request was recorded, without an error', async () => {
    const requests = ways.flatMap((way) =>
      cases.filter((one) => isRead(one, way)).flatMap((one) => one.requests),
    );
    const flows = await spike.flows(requests.length, ({ kind }) => kind === 'http');
    expect(flows).toHaveLength(requests.length);
    expect(flows.filter(({ flow }) => flow.error !== null).map(({ flow }) => flow)).toEqual([]);
  });
});
