import type { Socket } from 'node:net';
import type { NetworkFailure } from '../../proxy/ports.ts';
import type { ProxyConversation, ProxyStep } from '../../proxy/upstream-proxy/conversation.ts';

export interface OpeningOwner {
  /** The socket leads to the upstream from now on, and flows again in the next turn; `hasRest`: it has spoken already. */
  opened(hasRest: boolean): void;
  refused(failure: NetworkFailure): void;
  /** The proxy ended the connection before it had answered. */
  hungUp(): void;
}

/** Holds a conversation with a proxy over a connected socket, whose errors are its owner's. */
export function openByProxy(socket: Socket, conversation: ProxyConversation, owner: OpeningOwner): void {
  const leave = (): void => {
    socket.off('data', take);
    socket.off('end', owner.hungUp);
  };
  const take = (bytes: Buffer): void => {
    const step = conversation.read(bytes);
    if (step.send !== null) socket.write(step.send);
    if (step.type === 'more') return;
    leave();
    if (step.type === 'failed') return owner.refused(step.failure);
    handOver(socket, step, owner);
  };
  socket.on('data', take);
  socket.once('end', owner.hungUp);
  socket.write(conversation.begin());
}

/** Nothing is lost between this reader and the next: it is stopped, given what came too early, and let go on. */
function handOver(socket: Socket, { rest }: Extract<ProxyStep, { type: 'open' }>, owner: OpeningOwner): void {
  socket.pause();
  if (rest !== null) socket.unshift(rest);
  owner.opened(rest !== null);
}
