// Faults of gRPC as grpc-js, a client and a server that we did not write, sees them.
import { once } from 'node:events';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type {
  ClientDuplexStream,
  sendUnaryData,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceError,
  StatusObject,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import { asBytes as bytes, ordersService as service, serveOrders } from '../support/grpc-orders.ts';
import { useScene } from '../support/data-plane-test.ts';

const scene = useScene();

/** What the server saw. */
let seen = { calls: 0, messages: 0, cancelled: 0 };

interface ServerCall {
  on(event: 'cancelled', listener: () => void): unknown;
}

function begun(call: ServerCall): void {
  seen.calls += 1;
  call.on('cancelled', () => (seen.cancelled += 1));
}

const orders: UntypedServiceImplementation = {
  Get(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
    begun(call);
    seen.messages += 1;
    done(null, call.request);
  },
  List(call: ServerWritableStream<Buffer, Buffer>) {
    begun(call);
    seen.messages += 1;
    const count = Number(call.request.toString());
    for (let i = 0; i < count; i++) call.write(Buffer.from(`order ${i}`));
    // Without an end by itself: what ends it is seen.
    if (count < 100) call.end();
  },
  Sum(call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
    begun(call);
    let sum = 0;
    call.on('data', (message: Buffer) => {
      seen.messages += 1;
      sum += message.length;
    });
    call.on('end', () => done(null, Buffer.from(String(sum))));
  },
  Chat(call: ServerDuplexStream<Buffer, Buffer>) {
    begun(call);
    call.on('data', (message: Buffer) => {
      seen.messages += 1;
      call.write(Buffer.concat([Buffer.from('re: '), message]));
    });
    call.on('end', () => call.end());
  },
};

/** The service behind a route with that fault, and a client of the route. */
async function shop(...faults: FaultInput[]): Promise<Client> {
  seen = { calls: 0, messages: 0, cancelled: 0 };
  const port = await serveOrders(scene.peers, orders);
  await scene.spike.configure({
    routes: [{ name: 'orders', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${port}` }],
    rules: [{ name: 'rule', faults }],
  });
  const client = new Client(scene.spike.address('orders'), credentials.createInsecure());
  scene.peers.also(() => client.close());
  return client;
}

async function get(client: Client): Promise<{ error: ServiceError | null; message: string }> {
  return await new Promise((resolve) => {
    client.makeUnaryRequest(service.Get.path, bytes, bytes, Buffer.from('order'), (error, value) =>
      resolve({ error, message: value?.toString() ?? '' }),
    );
  });
}

interface Ended {
  readonly messages: string[];
  readonly status: StatusObject;
}

/** What comes of a call whose answer is a stream. */
async function endOf(call: {
  on(event: 'data', listener: (message: Buffer) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
}): Promise<Ended> {
  const messages: string[] = [];
  call.on('data', (message) => void messages.push(message.toString()));
  call.on('error', () => undefined); // Its status says the same.
  const ended = await new Promise<StatusObject>((resolve) => call.on('status', resolve));
  return { messages, status: ended };
}

async function list(client: Client, count: number): Promise<Ended> {
  return await endOf(
    client.makeServerStreamRequest(service.List.path, bytes, bytes, Buffer.from(String(count))),
  );
}

function chat(client: Client): ClientDuplexStream<Buffer, Buffer> {
  return client.makeBidiStreamRequest(service.Chat.path, bytes, bytes, new Metadata());
}

describe('grpc-status', () => {
  it.each(['trailers-only', 'trailers'] as const)('ends a call with a status: %s', async (form) => {
    const client = await shop({ type: 'grpc-status', status: 'UNAVAILABLE', message: '50 % dün', form });
    const { error } = await get(client);
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: '50 % dün' });
    expect(seen.calls).toBe(0);
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({
      error: null,
      http: { status: 200, grpcStatus: status.UNAVAILABLE },
      faults: [{ code: 14, status: 200, note: 'answered UNAVAILABLE without asking the upstream' }],
    });
  });

  it('without a status, which a client takes for UNKNOWN', async () => {
    const client = await shop({ type: 'grpc-status', form: 'missing' });
    expect((await get(client)).error?.code).toBe(status.UNKNOWN);
    const { flow } = await scene.spike.flow();
    expect(flow.http?.grpcStatus).toBeNull();
    expect(flow.faults[0]?.note).toBe('answered without a gRPC status without asking the upstream');
  });

  it('ends calls of every kind, and one hit is one call', async () => {
    const client = await shop({ type: 'grpc-status', status: 'PERMISSION_DENIED' });
    expect((await list(client, 3)).status.code).toBe(status.PERMISSION_DENIED);
    const sum = await new Promise<ServiceError | null>((resolve) => {
      const call = client.makeClientStreamRequest(service.Sum.path, bytes, bytes, (error) => resolve(error));
      call.write(Buffer.from('1'));
      call.write(Buffer.from('2'));
    });
    expect(sum?.code).toBe(status.PERMISSION_DENIED);
    const call = chat(client);
    call.write(Buffer.from('hello'));
    expect((await endOf(call)).status.code).toBe(status.PERMISSION_DENIED);
    expect(seen.calls).toBe(0);
    await scene.spike.flows(3);
    await expect.poll(() => scene.spike.hits.get('rule')).toBe(3);
  });
});

describe('grpc-abort', () => {
  it('a stream of answers, after some of them', async () => {
    const client = await shop({ type: 'grpc-abort', afterMessages: 3, status: 'DATA_LOSS', message: 'cut' });
    const ended = await list(client, 100);
    expect(ended.messages).toEqual(['order 0', 'order 1', 'order 2']);
    expect(ended.status).toMatchObject({ code: status.DATA_LOSS, details: 'cut' });
    await expect.poll(() => seen.cancelled).toBe(1);
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ error: null, http: { grpcStatus: status.DATA_LOSS } });
    expect(flow.faults).toMatchObject([
      {
        direction: 'response',
        messages: 3,
        code: 15,
        note: 'ended the call with DATA_LOSS after 3 messages of the response',
      },
    ]);
  });

  it('leaves a call alone that has fewer messages', async () => {
    const client = await shop({ type: 'grpc-abort', afterMessages: 3 });
    expect(await list(client, 2)).toMatchObject({
      messages: ['order 0', 'order 1'],
      status: { code: status.OK },
    });
    expect((await scene.spike.flow()).flow.faults[0]).toMatchObject({ messages: 2, code: null });
  });

  it.each([0, 1])('a unary call, after %i messages of the answer', async (afterMessages) => {
    const client = await shop({ type: 'grpc-abort', afterMessages, status: 'ABORTED' });
    expect((await get(client)).error?.code).toBe(status.ABORTED);
    expect(seen.calls).toBe(1);
  });

  it('the request before anything of it is sent', async () => {
    const client = await shop({ type: 'grpc-abort', direction: 'request', afterMessages: 0 });
    expect((await get(client)).error?.code).toBe(status.UNAVAILABLE);
    expect(seen.calls).toBe(0);
  });

  it('a stream of requests, after some of them; the server sees these, and a cancelled call', async () => {
    const client = await shop({ type: 'grpc-abort', direction: 'request', afterMessages: 2 });
    const error = await new Promise<ServiceError | null>((resolve) => {
      const call = client.makeClientStreamRequest(service.Sum.path, bytes, bytes, (failure) =>
        resolve(failure),
      );
      for (let i = 0; i < 5; i++) call.write(Buffer.from('x'));
      call.end();
    });
    expect(error?.code).toBe(status.UNAVAILABLE);
    await expect.poll(() => seen).toEqual({ calls: 1, messages: 2, cancelled: 1 });
    expect((await scene.spike.flow()).flow.faults[0]).toMatchObject({ messages: 2, code: 14 });
  });

  it('both at once: what was answered stays, the status follows', async () => {
    const client = await shop({ type: 'grpc-abort', direction: 'request', afterMessages: 2 });
    const call = chat(client);
    const ended = endOf(call);
    call.write(Buffer.from('one'));
    await once(call, 'data');
    call.write(Buffer.from('two'));
    expect((await ended).status.code).toBe(status.UNAVAILABLE);
    expect((await ended).messages[0]).toBe('re: one');
    await expect.poll(() => seen.cancelled).toBe(1);
  });
});

describe('grpc-delay', () => {
  it('holds each message, keeps their order and loses none', async () => {
    const client = await shop({ type: 'grpc-delay', delayMs: 40 });
    const ended = await list(client, 20);
    expect(ended.messages).toEqual(Array.from({ length: 20 }, (_, i) => `order ${i}`));
    expect(ended.status.code).toBe(status.OK);
    const [mark] = (await scene.spike.flow()).flow.faults;
    expect(mark).toMatchObject({ messages: 20, outcome: 'done' });
    expect(mark?.delayedMs).toBeGreaterThanOrEqual(39);
  });

  it('turned off, lets go of what it holds', async () => {
    const client = await shop({ type: 'grpc-delay', direction: 'request', delayMs: 3_600_000 });
    const call = chat(client);
    const ended = endOf(call);
    for (const said of ['one', 'two']) call.write(Buffer.from(said));
    call.end();
    await scene.spike.until(() => scene.spike.open.some(({ faults }) => faults.length > 0));
    await scene.spike.configure({ rules: [] });
    expect(await ended).toMatchObject({ messages: ['re: one', 're: two'], status: { code: status.OK } });
  });
});

it('tells calls that are not gRPC that it did nothing', async () => {
  await shop({ type: 'grpc-status' }, { type: 'goaway' });
  const answer = await fetch(`http://${scene.spike.address('orders')}/shop.Orders/Get`);
  await answer.text();
  const { flow } = await scene.spike.flow();
  expect(flow.faults.map(({ type, note }) => [type, note])).toEqual([
    ['grpc-status', 'did nothing: the call is not gRPC in HTTP/2'],
    ['goaway', 'did nothing: the call is not in HTTP/2'],
  ]);
});
