import { MessageChannel } from 'node:worker_threads';
import { EventEmitter } from 'node:events';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentClient } from '#shared/contract/contract.ts';
import { createPortServer } from '../../src-main/control/message-port.ts';
import { startHarness } from '../support/control-harness.ts';
import type { ControlHarness } from '../support/control-harness.ts';

let harness: ControlHarness;
beforeEach(async () => void (harness = await startHarness()));
afterEach(() => harness.close());

describe('a port', () => {
  it('gives up what was asked for over it when it closes', async () => {
    const { port1, port2 } = new MessageChannel();
    createPortServer(harness.control)(port1);
    port2.start();
    const client: AgentClient = createORPCClient(new RPCLink({ port: port2 }));
    const events = await client.agent.events();
    await events.next();
    expect(harness.control.events.readers).toBe(1);
    port2.close();
    await expect.poll(() => harness.control.events.readers).toBe(0);
    expect(harness.engine.listeners).toBe(0);
  });

  it.each([['{ this is no message'], [42], [null], [{ i: 1 }], [new Uint8Array([255, 0])]])(
    'survives a message that is none: %j',
    async (message) => {
      const { port1, port2 } = new MessageChannel();
      createPortServer(harness.control)(port1);
      port2.start();
      port2.postMessage(message);
      const client: AgentClient = createORPCClient(new RPCLink({ port: port2 }));
      expect((await client.agent.status()).version).toBe('0.0.0-test');
      expect(harness.logged.map((line) => line.message)).toEqual(['an RPC message was not understood']);
      port2.close();
    },
  );

  it("may be Electron's, which has `on` and hands over events", async () => {
    const port = new ElectronPort();
    createPortServer(harness.control)(port);
    expect(port.started).toBe(true);
    const answered = new Promise((resolve) => (port.postMessage = resolve));
    port.emit('message', { data: JSON.stringify({ i: '1', p: { u: '/agent/status' } }), ports: [] });
    expect(JSON.parse((await answered) as string)).toMatchObject({
      p: { b: { json: { shell: 'headless' } } },
    });
    port.emit('close');
  });
});

/** The shape of `MessagePortMain` (Electron's documentation): an emitter, without addEventListener. */
class ElectronPort extends EventEmitter {
  started = false;
  postMessage: (message: unknown) => void = () => undefined;
  start(): void {
    this.started = true;
  }
}
