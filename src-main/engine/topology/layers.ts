/** A call direction between two services. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
}

/**
 * The layer of each service, left to right: 0 has no caller, every other one stands right of all its callers. Calls
 * that close a cycle are left out; which ones is decided by the names alone (depth first from the services that nobody
 * calls, in the order of their names), so the same services always get the same layers.
 */
export function layersOf(arrows: readonly Arrow[]): Map<string, number> {
  const callees = calleesOf(arrows);
  const order = topologicalOrder(callees);
  const place = new Map(order.map((name, index) => [name, index]));
  const layers = new Map(order.map((name) => [name, 0]));
  for (const from of order) {
    for (const to of callees.get(from) ?? []) {
      if ((place.get(to) as number) <= (place.get(from) as number)) continue; // Closes a cycle.
      layers.set(to, Math.max(layers.get(to) as number, (layers.get(from) as number) + 1));
    }
  }
  return layers;
}

function calleesOf(arrows: readonly Arrow[]): Map<string, string[]> {
  const names = new Set(arrows.flatMap(({ from, to }) => [from, to]));
  const callees = new Map<string, Set<string>>([...names].sort().map((name) => [name, new Set()]));
  for (const { from, to } of arrows) if (from !== to) callees.get(from)?.add(to);
  return new Map([...callees].map(([name, to]) => [name, [...to].sort()]));
}

/** Reverse postorder; without recursion, since a chain may be as long as there are services. */
function topologicalOrder(callees: ReadonlyMap<string, readonly string[]>): string[] {
  const called = new Set([...callees.values()].flat());
  const names = [...callees.keys()];
  const roots = [...names.filter((name) => !called.has(name)), ...names.filter((name) => called.has(name))];
  const finished: string[] = [];
  const seen = new Set<string>();
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    const path: { name: string; next: number }[] = [{ name: root, next: 0 }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = callees.get(top.name)?.[top.next];
      top.next += 1;
      if (to === undefined) finished.push((path.pop() as { name: string }).name);
      else if (!seen.has(to)) path.push({ name: (seen.add(to), to), next: 0 });
    }
  }
  return finished.reverse();
}
