// gRPC calls held by hand, as grpc-js, a client and a server that we did not write, sees them.
import { Client, credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  sendUnaryData,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceError,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import { useScene } from '../support/data-plane-test.ts';
import { base64, heldCalls, heldMessage } from '../support/held-calls.ts';

const scene = useScene();
const bytes = (message: Buffer): Buffer => message;
const common = {
  requestStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};
const service = {
  Get: { path: '/shop.Orders/Get', responseStream: false, ...common },
  Watch: { path: '/shop.Orders/Watch', responseStream: true, ...common },
};

let asked: string[] = [];
const orders: UntypedServiceImplementation = {
  Get(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
    asked.push(call.request.toString());
    done(null, Buffer.concat([Buffer.from('re: '), call.request]));
  },
  Watch(call: ServerWritableStream<Buffer, Buffer>) {
    asked.push(call.request.toString());
    call.write(Buffer.from('first'));
  },
};

async function shop(...faults: FaultInput[]): Promise<Client> {
  asked = [];
  const server = new Server();
  server.addService(service, orders);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  scene.peers.also(() => server.forceShutdown());
  await scene.spike.configure({
    routes: [{ name: 'orders', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${port}` }],
    rules: [{ name: 'rule', faults }],
  });
  const client = new Client(scene.spike.address('orders'), credentials.createInsecure());
  scene.peers.also(() => client.close());
  return client;
}

function get(client: Client, deadlineMs = 20_000): Promise<{ error: ServiceError | null; message: string }> {
  const deadline = Date.now() + deadlineMs;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      service.Get.path,
      bytes,
      bytes,
      Buffer.from('order'),
      { deadline },
      (error, value) => resolve({ error, message: value?.toString() ?? '' }),
    );
  });
}

/** One message, as gRPC frames it. */
function framed(message: string): string {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return base64(Buffer.concat([head, Buffer.from(message)]));
}

it('a unary call is held with its message as bytes, and released as it came', async () => {
  const client = await shop({ type: 'breakpoint' });
  const call = get(client);
  const held = await heldMessage(scene.spike);
  expect(held).toMatchObject({
    method: 'POST',
    message: { target: '/shop.Orders/Get', body: framed('order'), isBodyEditable: true, httpVersion: '2' },
  });
  expect(held.message.fixedHeaders).toContainEqual(['te', 'trailers']);
  expect(asked).toEqual([]);
  await scene.spike.held.release(held.id, {});
  expect(await call).toEqual({ error: null, message: 're: order' });
});

it('another message can take its place, in both directions', async () => {
  const client = await shop({ type: 'breakpoint' }, { type: 'breakpoint', at: 'response' });
  const call = get(client);
  const request = await heldMessage(scene.spike);
  await scene.spike.held.release(request.id, { body: framed('other order') });
  await scene.spike.until(() => scene.spike.held.list()[0]?.at === 'response');
  const response = await heldMessage(scene.spike);
  expect(response.message.body).toBe(framed('re: other order'));
  await scene.spike.held.release(response.id, { body: framed('edited') });
  expect(await call).toEqual({ error: null, message: 'edited' });
  expect(asked).toEqual(['other order']);
  expect((await scene.spike.flow()).flow.http?.grpcStatus).toBe(status.OK);
});

it('one that is dropped fails, and so does one that is answered as HTTP', async () => {
  const client = await shop({ type: 'breakpoint' });
  const dropped = get(client);
  const [first] = await heldCalls(scene.spike);
  await scene.spike.held.drop(first?.id ?? '');
  expect((await dropped).error?.code).toBe(status.INTERNAL);
  const answered = get(client);
  const [second] = await heldCalls(scene.spike);
  const headers: [string, string][] = [
    ['content-type', 'application/grpc'],
    ['grpc-status', '7'],
    ['grpc-message', 'by hand'],
  ];
  await scene.spike.held.answer(second?.id ?? '', { status: 200, headers, body: '' });
  expect((await answered).error).toMatchObject({ code: status.PERMISSION_DENIED, details: 'by hand' });
  expect(asked).toEqual([]);
});

it('one whose deadline passes is shown as gone', async () => {
  const client = await shop({ type: 'breakpoint' });
  const call = get(client, 300);
  await heldCalls(scene.spike);
  expect((await call).error?.code).toBe(status.DEADLINE_EXCEEDED);
  await scene.spike.until(() => scene.spike.held.list()[0]?.state === 'caller-gone');
  expect(asked).toEqual([]);
});

it('a stream of answers is held by its head, and passes message by message once it is let go', async () => {
  const client = await shop({ type: 'breakpoint', at: 'response' });
  const call = client.makeServerStreamRequest(service.Watch.path, bytes, bytes, Buffer.from('all'));
  call.on('error', () => undefined); // It is cancelled in the end.
  const [held] = await heldCalls(scene.spike);
  expect((await scene.spike.held.get(held?.id ?? '')).message.why).toBe('it is still coming');
  await scene.spike.held.release(held?.id ?? '', {});
  const first = await new Promise<string>((resolve) =>
    call.on('data', (message: Buffer) => resolve(message.toString())),
  );
  expect(first).toBe('first');
  call.cancel();
});
