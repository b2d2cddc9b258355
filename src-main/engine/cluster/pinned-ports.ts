import { withFreePort } from './free-port.ts';
import type { WorkerConfig } from './messages.ts';

interface Pin {
  readonly asked: string;
  readonly address: string;
}

/** The proxy's own listener, beside routes by their names (which cannot be empty). */
const proxyName = '';

/**
 * The ports that stand for port 0, decided once and kept for as long as the listener exists, so that every worker and
 * every replacement listens on the same one (see free-port.ts).
 */
export class PinnedPorts {
  #pins = new Map<string, Pin>();

  /** The configuration with real ports; listeners that are gone give theirs back. */
  async resolve(config: WorkerConfig): Promise<WorkerConfig> {
    const pins = new Map<string, Pin>();
    const proxyListen = await this.#pin(pins, proxyName, config.proxyListen);
    const routes = [];
    for (const route of config.routes) {
      routes.push({ ...route, listen: await this.#pin(pins, route.name, route.listen) });
    }
    this.#pins = pins;
    return { ...config, proxyListen, routes };
  }

  /** Somebody else took the port in between: the next `resolve` finds another. False for a port that was asked for. */
  retry(name: string | null): boolean {
    const key = name ?? proxyName;
    const pin = this.#pins.get(key);
    if (pin === undefined || pin.asked === pin.address) return false;
    return this.#pins.delete(key);
  }

  async #pin(pins: Map<string, Pin>, name: string, asked: string): Promise<string> {
    const before = this.#pins.get(name);
    const pin = before?.asked === asked ? before : { asked, address: await withFreePort(asked) };
    pins.set(name, pin);
    return pin.address;
  }
}
