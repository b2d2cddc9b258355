import { RouteDefinitionSchema } from '#shared/routes/route.ts';
import type { RouteDefinition } from '#shared/routes/route.ts';

export const routeFields = ['name', 'listen', 'upstream'] as const;
export type RouteField = (typeof routeFields)[number];
export type RouteTexts = Readonly<Record<RouteField, string>>;
export type RouteProblems = Partial<Readonly<Record<RouteField, string>>>;

/** The route that the form says, or what is wrong with which field. A bare port listens on this machine. */
export function readRoute(
  texts: RouteTexts,
  taken: readonly string[],
): { route: RouteDefinition; problems: null } | { route: null; problems: RouteProblems } {
  const listen = /^\d{1,5}$/.test(texts.listen.trim())
    ? `127.0.0.1:${texts.listen.trim()}`
    : texts.listen.trim();
  const read = RouteDefinitionSchema.safeParse({
    name: texts.name.trim(),
    listen,
    upstream: texts.upstream.trim(),
  });
  const problems: Partial<Record<RouteField, string>> = {};
  for (const issue of read.error?.issues ?? []) {
    const field = routeFields.find((name) => name === issue.path[0]);
    if (field !== undefined) problems[field] ??= issue.message;
  }
  if (taken.includes(texts.name.trim())) problems.name ??= 'There is a route of this name.';
  if (!read.success || Object.keys(problems).length > 0) return { route: null, problems };
  return { route: read.data, problems: null };
}

/** Which field a refusal of the agent is about: a port that is taken belongs to the address. */
export function fieldOfRefusal(code: string | null): RouteField | null {
  if (code === 'port-in-use') return 'listen';
  return code === 'conflict' ? 'name' : null;
}

/** What a service is told in place of the real address: an example by the kind of upstream. */
export function exampleFor(upstream: string, address: string): string {
  const port = Number(/:(\d+)\/?$/.exec(upstream)?.[1] ?? 0);
  if (upstream.startsWith('http')) return `http://${address}`;
  if (port === 5432) return `DATABASE_URL=postgres://app@${address}/shop`;
  if (port === 6379) return `REDIS_URL=redis://${address}`;
  if (port === 3306) return `DATABASE_URL=mysql://app@${address}/shop`;
  if (port === 27_017) return `MONGO_URL=mongodb://${address}/shop`;
  return address;
}
