import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ChannelOptions, MethodDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Peers } from './network-peers.ts';

/** How a message is written, and how it is read. */
export const asBytes = (message: Buffer): Buffer => message;

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/shop.Orders/${name}`,
    requestStream,
    responseStream,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  };
}

/** A service of grpc-js with one method of each kind, without a schema: messages are bytes. */
export const ordersService = {
  Get: method('Get', false, false),
  List: method('List', false, true),
  Sum: method('Sum', true, false),
  Chat: method('Chat', true, true),
};

/** Serves it in clear text until the test is over. @returns its port. */
export async function serveOrders(
  peers: Peers,
  orders: UntypedServiceImplementation,
  options: ChannelOptions = {},
): Promise<number> {
  const server = new Server(options);
  server.addService(ordersService, orders);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  peers.also(() => server.forceShutdown());
  return port;
}
