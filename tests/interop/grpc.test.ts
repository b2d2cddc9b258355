import { once } from 'node:events';
import { credentials, Metadata, status, Client } from '@grpc/grpc-js';
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  ServiceError,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { asBytes as bytes, ordersService as service, serveOrders } from '../support/grpc-orders.ts';
import { useScene } from '../support/data-plane-test.ts';

// Services of grpc-js, without a schema: messages are bytes.
const scene = useScene();

type Message = Buffer;

/** What the server saw of calls that did not end well. */
const seen = { cancelled: 0, deadlineMs: 0 };

const orders: UntypedServiceImplementation = {
  Get(call: ServerUnaryCall<Message, Message>, done: sendUnaryData<Message>) {
    const asked = call.request.toString();
    call.on('cancelled', () => (seen.cancelled += 1));
    seen.deadlineMs = Number(call.getDeadline()) - Date.now();
    if (asked === 'never') return;
    if (asked === 'missing') return done({ code: status.NOT_FOUND, details: 'no such order: 7 ü' });
    const [trace] = call.metadata.get('trace-bin');
    call.sendMetadata(headOf('x-head', 'from server'));
    done(
      null,
      trace === undefined ? call.request : Buffer.concat([call.request, trace as Buffer]),
      headOf('x-after', 'bye'),
    );
  },
  List(call: ServerWritableStream<Message, Message>) {
    call.on('cancelled', () => (seen.cancelled += 1));
    const count = Number(call.request.toString());
    for (let i = 0; i < count; i++) call.write(Buffer.from(`order ${i}`));
    if (count < 100) call.end();
  },
  Sum(call: ServerReadableStream<Message, Message>, done: sendUnaryData<Message>) {
    let sum = 0;
    call.on('data', (message: Message) => (sum += message.length));
    call.on('end', () => done(null, Buffer.from(String(sum))));
  },
  Chat(call: ServerDuplexStream<Message, Message>) {
    call.on('data', (message: Message) => call.write(Buffer.concat([Buffer.from('re: '), message])));
    call.on('end', () => call.end());
  },
};

function headOf(name: string, value: string): Metadata {
  const metadata = new Metadata();
  metadata.set(name, value);
  return metadata;
}

const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

/** The service behind a route, and a client of the route. */
async function shop(scheme: 'h2c' | 'http' = 'h2c'): Promise<Client> {
  const port = await serveOrders(scene.peers, orders, unlimited);
  await scene.spike.configure({
    routes: [{ name: 'orders', listen: '127.0.0.1:0', upstream: `${scheme}://127.0.0.1:${port}` }],
  });
  const client = new Client(scene.spike.address('orders'), credentials.createInsecure(), unlimited);
  scene.peers.also(() => client.close());
  return client;
}

interface Answer {
  readonly error: ServiceError | null;
  readonly message: string;
  readonly head: Metadata | null;
  readonly trailers: Metadata;
}

async function get(
  client: Client,
  message: Buffer,
  options: { metadata?: Metadata; deadline?: number } = {},
): Promise<Answer> {
  return await new Promise((resolve) => {
    let head: Metadata | null = null;
    let answered = { error: null as ServiceError | null, message: '' };
    const call = client.makeUnaryRequest(
      service.Get.path, bytes, bytes, message, options.metadata ?? new Metadata(),
      options.deadline === undefined ? {} : { deadline: options.deadline },
      (error, value) => (answered = { error, message: value?.toString() ?? '' }),
    ); // prettier-ignore
    call.on('metadata', (metadata) => (head = metadata));
    // Told last.
    call.on('status', ({ metadata: trailers }) => resolve({ ...answered, head, trailers }));
  });
}

describe('gRPC through a route', () => {
  it.each(['h2c', 'http'] as const)('unary, with metadata both ways, over %s', async (scheme) => {
    const client = await shop(scheme);
    const metadata = headOf('x-tenant', 'blue');
    metadata.set('trace-bin', Buffer.from([0, 1, 254, 255]));
    const { error, message, head, trailers } = await get(client, Buffer.from('order'), { metadata });
    expect(error).toBeNull();
    expect(Buffer.from(message.slice(0, 5)).toString()).toBe('order');
    expect(head?.get('x-head')).toEqual(['from server']);
    expect(trailers.get('x-after')).toEqual(['bye']);
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({
      kind: 'http',
      http: { httpVersion: '2', method: 'POST', status: 200, grpcStatus: 0 },
      messages: { count: 2, dropped: 0 },
      error: null,
    });
    expect(flow.http?.url).toMatch(/\/shop\.Orders\/Get$/);
    expect(flow.http?.requestHeaders).toContainEqual(['x-tenant', 'blue']);
  });

  it('unary, answered with a status alone', async () => {
    const client = await shop();
    const { error } = await get(client, Buffer.from('missing'));
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'no such order: 7 ü' });
    expect((await scene.spike.flow()).flow).toMatchObject({
      http: { status: 200, grpcStatus: 5 },
      messages: { count: 1 },
    });
  });

  it('unary, with messages of many megabytes', async () => {
    const client = await shop();
    const large = Buffer.alloc(12 * 1024 * 1024, 'x');
    const { error, message } = await get(client, large);
    expect(error).toBeNull();
    expect(message).toHaveLength(large.length);
    const { flow } = await scene.spike.flow();
    expect(flow.sizes).toMatchObject({ requestBody: large.length + 5, responseBody: large.length + 5 });
    expect(flow.messages).toMatchObject({ count: 2 });
  });

  it('server streaming', async () => {
    const client = await shop();
    const call = client.makeServerStreamRequest(service.List.path, bytes, bytes, Buffer.from('50'));
    const messages: string[] = [];
    call.on('data', (message: Buffer) => void messages.push(message.toString()));
    await once(call, 'end');
    expect(messages).toEqual(Array.from({ length: 50 }, (_, i) => `order ${i}`));
    expect((await scene.spike.flow()).flow).toMatchObject({
      http: { grpcStatus: 0 },
      messages: { count: 51 },
    });
  });

  it('client streaming', async () => {
    const client = await shop();
    const sum = await new Promise<string>((resolve, reject) => {
      const call = client.makeClientStreamRequest(service.Sum.path, bytes, bytes, (error, value) =>
        error === null ? resolve(String(value)) : reject(error),
      );
      for (let i = 0; i < 40; i++) call.write(Buffer.alloc(i * 100));
      call.end();
    });
    expect(sum).toBe('78000');
    expect((await scene.spike.flow()).flow).toMatchObject({
      http: { grpcStatus: 0 },
      messages: { count: 41 },
    });
  });

  it('both at once: an answer comes while the request is open', async () => {
    const client = await shop();
    const call = client.makeBidiStreamRequest(service.Chat.path, bytes, bytes);
    for (const said of ['one', 'two', 'three']) {
      call.write(Buffer.from(said));
      const [answer] = (await once(call, 'data')) as [Buffer];
      expect(answer.toString()).toBe(`re: ${said}`);
    }
    call.end();
    call.resume();
    const [{ code }] = (await once(call, 'status')) as [{ code: number }];
    expect(code).toBe(status.OK);
    expect((await scene.spike.flow()).flow.messages).toMatchObject({ count: 6 });
  });

  it('a deadline crosses Spike, and its end cancels the call at the server', async () => {
    const client = await shop();
    const before = seen.cancelled;
    const { error } = await get(client, Buffer.from('never'), { deadline: Date.now() + 300 });
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect(seen.deadlineMs).toBeGreaterThan(0);
    expect(seen.deadlineMs).toBeLessThanOrEqual(300);
    await expect.poll(() => seen.cancelled).toBe(before + 1);
    expect((await scene.spike.flow()).flow.error).toMatchObject({
      cause: 'client-closed',
      code: 'HTTP2_CANCEL',
    });
  });

  it('a client that cancels a stream cancels it at the server', async () => {
    const client = await shop();
    const before = seen.cancelled;
    const call = client.makeServerStreamRequest(service.List.path, bytes, bytes, Buffer.from('100'));
    call.on('error', () => undefined); // It says that it was cancelled.
    await once(call, 'data');
    call.cancel();
    await expect.poll(() => seen.cancelled).toBe(before + 1);
    expect((await scene.spike.flow()).flow.error?.cause).toBe('client-closed');
  });

  it('faults act on calls: a status of HTTP is UNAVAILABLE to the client, a reset INTERNAL', async () => {
    const client = await shop();
    await scene.spike.configure({ rules: [{ name: 'down', faults: [{ type: 'status', status: 503 }] }] });
    expect((await get(client, Buffer.from('order'))).error?.code).toBe(status.UNAVAILABLE);
    await scene.spike.configure({ rules: [{ name: 'cut', faults: [{ type: 'reset', at: 'after-head' }] }] });
    expect((await get(client, Buffer.from('order'))).error?.code).toBe(status.INTERNAL);
    await scene.spike.configure({ rules: [] });
    expect((await get(client, Buffer.from('order'))).message).toBe('order');
  });
});
