import { splitAddress } from '#shared/routes/route.ts';
import { isLoopback } from './loopback.ts';

/** Addresses by port: asked for each call, so a port that is none of them costs one look-up. */
class PortSet {
  readonly #hosts = new Map<number, Set<string>>();

  constructor(addresses: Iterable<string>) {
    for (const address of addresses) {
      const { host, port } = splitAddress(address);
      const hosts = this.#hosts.get(port) ?? new Set();
      hosts.add(host);
      if (isLoopback(host)) hosts.add('loopback');
      // Bound to all of this machine's addresses: then each of them is Spike.
      if (host === '0.0.0.0' || host === '::') hosts.add('any');
      this.#hosts.set(port, hosts);
    }
  }

  has(host: string, port: number, sameMachine: boolean): boolean {
    const hosts = this.#hosts.get(port);
    if (hosts === undefined) return false;
    return (
      hosts.has(host) || (sameMachine && hosts.has('any')) || (isLoopback(host) && hosts.has('loopback'))
    );
  }
}

/** Spike's own ports: a call to them would go round in a circle, or reach the control API from where it must not. */
export class OwnPorts {
  #forbidden = new PortSet([]);
  #all = new PortSet([]);

  /**
   * @param forbidden The proxy's address and the control API's.
   * @param routes Where routes listen: they may be called, and lead on; but not serve as a proxy.
   */
  set(forbidden: Iterable<string>, routes: Iterable<string>): void {
    const first = [...forbidden];
    this.#forbidden = new PortSet(first);
    this.#all = new PortSet([...first, ...routes]);
  }

  /** Whether no call is forwarded there. `sameMachine`: the address is known to be one of this machine's. */
  forbids(host: string, port: number, sameMachine = false): boolean {
    return this.#forbidden.has(host, port, sameMachine);
  }

  /** Whether an upstream proxy there would be Spike itself. */
  includes(host: string, port: number, sameMachine = false): boolean {
    return this.#all.has(host, port, sameMachine);
  }
}
