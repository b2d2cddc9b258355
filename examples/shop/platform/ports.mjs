// Who listens where when nothing else is said. All on loopback; a route of Spike's adds 1000 (see spike.yaml).

/** Every service of the shop in the order in which they must start: callees first. */
export const serviceNames = ['stock-db', 'inventory', 'shipping', 'payments', 'orders', 'checkout', 'web'];

const offsets = {
  web: 1,
  orders: 2,
  checkout: 3,
  payments: 4,
  inventory: 5,
  shipping: 6,
  'stock-db': 7,
};

export const defaultPortBase = 8100;

/**
 * The port of a service counted from a base; base 0 means a free port for each.
 * @param {string} name
 * @param {number} [base]
 * @returns {number}
 */
export function portOf(name, base = defaultPortBase) {
  return base === 0 ? 0 : base + offsets[name];
}

/** The scheme that a peer is called with. */
export function schemeOf(name) {
  if (name === 'stock-db') return 'tcp';
  return name === 'payments' ? 'https' : 'http';
}

/** `stock-db` → `STOCK_DB`, as in the variables STOCK_DB_URL and STOCK_DB_PORT. */
export function variableOf(name) {
  return name.toUpperCase().replaceAll('-', '_');
}
