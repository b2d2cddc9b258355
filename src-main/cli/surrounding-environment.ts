/** The environment that Spike was started with, as it was: for commands that pass it on or talk about it. */
export const surroundingEnvironment: NodeJS.ProcessEnv = { ...process.env };

/**
 * Has this process ask its agent directly. Within `spike run`, or with NODE_USE_ENV_PROXY set for other reasons, Node would
 * send the question through the proxy, which must not forward to the agent's own API. Node reads the variable at each
 * request, and prefers the one in lower case.
 */
export function askAgentsDirectly(): void {
  if (surroundingEnvironment['NODE_USE_ENV_PROXY'] === undefined) return;
  const own = surroundingEnvironment['no_proxy'] ?? surroundingEnvironment['NO_PROXY'];
  process.env['no_proxy'] = ['127.0.0.1', 'localhost', '[::1]', ...(own ? [own] : [])].join(',');
}
