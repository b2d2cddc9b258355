// What passes inside of a flow, in the window: a real agent, a WebSocket server and a client of `ws`.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test as base } from '@playwright/test';
import type { Page } from '@playwright/test';
import { WebSocket, WebSocketServer } from 'ws';
import { endRealAgents, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

/** A chat that is open through Spike: the client's end of it. */
const test = base.extend<{ page: Page; chat: WebSocket }, { agent: RealAgent }>({
  agent: [
    async ({}, use) => {
      await use(await startRealAgent({ workers: 1 }));
      await endRealAgents();
    },
    { scope: 'worker' },
  ],
  chat: async ({ agent }, use) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    server.on('connection', (socket) => {
      socket.on('message', (bytes: Buffer) => socket.send(`{"echo":"${bytes.toString()}","n":[1,2]}`));
    });
    const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const route = await agent.client.routes.create({ name: 'chat', listen: '127.0.0.1:0', upstream });
    const client = new WebSocket(`ws://${route.address}/room`);
    await once(client, 'open');
    await use(client);
    client.terminate();
    for (const socket of server.clients) socket.terminate();
    server.close();
    await agent.client.routes.remove({ name: 'chat' });
    await agent.client.flows.clear();
  },
});

async function say(chat: WebSocket, text: string): Promise<void> {
  chat.send(text);
  await once(chat, 'message');
}

/** The panel of the one flow that there is, at its messages. */
async function openMessages(page: Page, agent: RealAgent) {
  await page.goto(agent.windowUrl());
  await page.getByRole('row', { name: /^GET \/room, / }).click();
  const panel = page.getByRole('complementary', { name: 'Flow detail' });
  await panel.getByRole('tab', { name: 'Messages' }).click();
  return panel;
}

test('the messages of an open WebSocket are there, and more of them as they pass', async ({
  page,
  agent,
  chat,
}) => {
  await say(chat, 'hello');
  const panel = await openMessages(page, agent);
  const list = panel.getByRole('listbox', { name: 'Messages' });
  await expect(list.getByRole('option')).toHaveCount(2);
  await expect(list.getByRole('option', { name: 'text from the client, 5 B, hello' })).toBeVisible();
  await expect(panel).toContainText('still open');
  await say(chat, 'again');
  await expect(list.getByRole('option')).toHaveCount(4);

  chat.close(1000, 'bye');
  await expect(list.getByRole('option', { name: /^close from the client/ })).toBeVisible();
  await expect(panel).not.toContainText('still open');
});

test('one direction, a search, and a message made readable', async ({ page, agent, chat }) => {
  await say(chat, 'first');
  await say(chat, 'second');
  const panel = await openMessages(page, agent);
  const options = panel.getByRole('listbox', { name: 'Messages' }).getByRole('option');
  await expect(options).toHaveCount(4);
  await panel.getByRole('radio', { name: 'Sent' }).click();
  await expect(options).toHaveCount(2);
  await panel.getByRole('radio', { name: 'All' }).click();
  await panel.getByRole('searchbox', { name: 'Find in messages' }).fill('SECOND');
  await expect(options).toHaveCount(2);
  await expect(panel).toContainText('2 of 4 messages');

  await options.last().click();
  const message = panel.getByRole('region', { name: 'Message' });
  await expect(message).toContainText('"echo": "second"'); // with a space: it was sent without
  await page.keyboard.press('Escape');
  await expect(message).toHaveCount(0);
  await expect(panel).toBeVisible();
});
