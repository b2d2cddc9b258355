import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { splitAddress } from '#shared/routes/route.ts';
import { keepAliveAfterMs } from './keep-alive.ts';

export interface ListenerReport {
  /** A route's name; null for the proxy port. */
  readonly name: string | null;
  readonly address: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface ListenerPlan {
  readonly name: string | null;
  readonly listen: string;
}

interface Bound {
  readonly server: Server;
  readonly plan: ListenerPlan;
  address: string | null;
}

/** Connections that the system may keep waiting to be accepted: bursts of thousands happen when services start. */
const backlog = 4096;

/** The ports that are bound: follows the plan while traffic flows, closing only what is gone or has moved. */
export class Listeners {
  #bound = new Map<string | null, Bound>();
  readonly #accept: (socket: Socket, name: string | null, localAddress: string) => void;
  readonly #report: (report: ListenerReport) => void;

  constructor(
    accept: (socket: Socket, name: string | null, localAddress: string) => void,
    report: (report: ListenerReport) => void,
  ) {
    this.#accept = accept;
    this.#report = report;
  }

  /** Addresses that are bound now. */
  get addresses(): string[] {
    return [...this.#bound.values()].map((bound) => bound.address).filter((address) => address !== null);
  }

  /** Binds what is new and closes what is gone; resolves when each has been bound or reported. */
  async follow(plans: readonly ListenerPlan[]): Promise<void> {
    const wanted = new Map(plans.map((plan) => [plan.name, plan]));
    for (const [name, bound] of [...this.#bound]) {
      if (wanted.get(name)?.listen === bound.plan.listen) continue;
      this.#bound.delete(name);
      bound.server.close();
    }
    await Promise.all(plans.filter((plan) => !this.#bound.has(plan.name)).map((plan) => this.#bind(plan)));
  }

  /** Accepts nothing more; connections that are open stay. */
  close(): void {
    for (const { server } of this.#bound.values()) server.close();
    this.#bound.clear();
  }

  #bind(plan: ListenerPlan): Promise<void> {
    const { host, port } = splitAddress(plan.listen);
    const server = createServer({
      noDelay: true,
      allowHalfOpen: true,
      pauseOnConnect: false,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveAfterMs,
    });
    const bound: Bound = { server, plan, address: null };
    this.#bound.set(plan.name, bound);
    return new Promise((resolve) => {
      server.on('error', (error: NodeJS.ErrnoException) => {
        // Bound already: one connection could not be accepted (EMFILE); the next may be.
        if (bound.address !== null) return;
        if (this.#bound.get(plan.name) === bound) this.#bound.delete(plan.name);
        this.#report({
          name: plan.name,
          address: null,
          error: { code: error.code ?? 'UNKNOWN', message: error.message },
        });
        resolve();
      });
      server.listen({ host, port, backlog }, () => {
        const at = server.address() as AddressInfo;
        bound.address = at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
        this.#report({ name: plan.name, address: bound.address, error: null });
        resolve();
      });
      server.on('connection', (socket) => this.#accept(socket, plan.name, bound.address ?? plan.listen));
    });
  }
}
