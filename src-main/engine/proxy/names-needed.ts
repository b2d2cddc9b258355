import { needs } from '../rules/compiled-rules.ts';
import type { NameHolder } from './ports.ts';

/** What a call has to wait for before rules can be matched: names that they ask for and that are being looked up. Null: nothing. */
export function namesNeeded(needed: number, caller: NameHolder, callee: NameHolder): Promise<unknown> | null {
  const forCaller = (needed & needs.caller) === 0 ? null : caller.ready;
  const forCallee = (needed & needs.callee) === 0 ? null : callee.ready;
  if (forCaller === null || forCallee === null) return forCaller ?? forCallee;
  return Promise.all([forCaller, forCallee]);
}
