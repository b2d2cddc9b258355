import { traverseContractProcedures } from '@orpc/server';
import { contract } from '#shared/contract/contract.ts';

interface ContractPath {
  readonly method: string;
  readonly pattern: RegExp;
}

const paths: readonly ContractPath[] = collectPaths();

/** The methods that the contract has at a path, in alphabetical order; none: the path is unknown. */
export function methodsAt(pathname: string): string[] {
  const found = paths.filter(({ pattern }) => pattern.test(pathname)).map(({ method }) => method);
  return [...new Set(found)].sort();
}

function collectPaths(): ContractPath[] {
  const found: ContractPath[] = [];
  traverseContractProcedures({ router: contract, path: [] }, ({ contract: procedure, path: name }) => {
    const { method, path } = procedure['~orpc'].route;
    if (method === undefined || path === undefined) throw new Error(`${name.join('.')} has no REST path`);
    found.push({ method, pattern: patternOf(path) });
  });
  return found;
}

function patternOf(path: string): RegExp {
  const literal = (text: string): string => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  const source = path
    .split(/\{[^}]+\}/)
    .map(literal)
    .join('[^/]+');
  return new RegExp(`^${source}$`);
}
