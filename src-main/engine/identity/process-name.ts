// The name of a service from what its process was started with. An interpreter's name says nothing, nor does `server.js`: so
// the script, jar, module or program names it if its name tells something, else the package it belongs to, else its folder.
import { basename, dirname, extname, isAbsolute, join } from 'node:path/posix';

export interface StartedWith {
  /** The kernel's short name of the process (at most 15 characters on Linux). */
  readonly comm: string;
  readonly argv: readonly string[];
  /** '' when it may not be read. */
  readonly cwd: string;
  /** Variables that name a service, where the process's environment can be read. */
  readonly otelServiceName?: string | undefined;
}

/** The `name` in the package.json of a folder; null without one. */
export type PackageNameOf = (folder: string) => string | null;

/** Names that half of all programs have. */
const telling =
  /^(?!(?:index|main|server|app|start|cli|run|dev|worker|bin|www|entry|entrypoint|service|src|dist|build|lib|out|cmd|target|release|debug|code|workspace|project|home|root|tmp|usr|opt|srv|manage|wsgi|asgi|__main__|application|program|bootstrap|artisan|rails|config|js|ts|node|api|exe|local)$)[^.].*$/i;
/** Programs that run somebody else's code: what they run comes after. */
const runners = new Set(
  'uvicorn gunicorn hypercorn daphne flask celery waitress-serve puma rackup rails unicorn next nuxt vite nest tsx ts-node nodemon remix webpack parcel astro npm npx yarn pnpm bundle uwsgi'.split(
    ' ',
  ),
);
/** Options of interpreters whose value is the next word. */
const withValue = new Set(
  '-r --require --import --loader --experimental-loader -C --conditions --env-file -W -X -I -cp -classpath --class-path -p --module-path --add-modules --add-opens --add-exports -d -c -f'.split(
    ' ',
  ),
);
const MAX_FOLDERS = 8;

/** Never empty, at most 60 characters. */
export function serviceNameOf(started: StartedWith, packageNameOf: PackageNameOf): string {
  const name =
    started.otelServiceName?.trim() || byProgram(started, packageNameOf) || started.comm || 'unknown';
  // names come from strangers and end in logs and on the map
  return name.replace(/[\x00-\x1f\x7f]/g, '').slice(0, 60) || 'unknown';
}

function byProgram(started: StartedWith, packageNameOf: PackageNameOf): string | null {
  const program = programOf(started);
  const args = started.argv.slice(1);
  if (/^(?:node|nodejs|bun|deno|tsx|ts-node)$/.test(program))
    return byScript(scriptOf(args), started, packageNameOf);
  if (/^(?:python|pypy)[\d.]*$/.test(program)) return byPython(args, started, packageNameOf);
  if (/^javaw?$/.test(program)) return byJava(args) ?? byFolder(started.cwd);
  if (/^(?:ruby|php|perl|lua|Rscript|elixir)[\d.]*$/.test(program))
    return byScript(scriptOf(args), started, packageNameOf);
  if (program === 'dotnet') return byDotnet(args, started.cwd);
  if (/^(?:sh|bash|dash|zsh|fish|ksh|ash)$/.test(program)) return byShell(args, program);
  return telling.test(program) ? program : byFolder(started.cwd);
}

/** The name it was called by, unless the process has changed its title to something else ("nginx: worker process"). */
function programOf({ comm, argv }: StartedWith): string {
  const called = basename((argv[0] ?? '').replaceAll('\\', '/'))
    .replace(/^-/, '')
    .replace(/\.exe$/i, '');
  if (called === '' || /[:\s]/.test(called)) return comm.replace(/\.exe$/i, '');
  return called;
}

/** The first word that is no option and no option's value. */
function scriptOf(args: readonly string[]): string | null {
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] as string;
    // What follows is code, not a file.
    if (/^(?:-e|--eval|-p|--print|-pe|-c)$/.test(arg)) return null;
    if (withValue.has(arg)) at += 1;
    else if (!arg.startsWith('-') && !/^(?:run|serve|task)$/.test(arg))
      return scriptOrTarget(arg, args.slice(at + 1));
  }
  return null;
}

/** Of `node node_modules/.bin/tsx src/orders.ts` the second; of `next dev` none: the folder says more. */
function scriptOrTarget(script: string, rest: readonly string[]): string | null {
  const isTool =
    script.includes('/node_modules/') || script.startsWith('node_modules/') || runners.has(basename(script));
  if (!isTool) return script;
  return rest.find((arg) => /\.(?:[cm]?[jt]sx?|py|rb)$/.test(arg)) ?? null;
}

function byScript(
  script: string | null,
  { cwd, comm }: StartedWith,
  packageNameOf: PackageNameOf,
): string | null {
  const path = script === null ? '' : isAbsolute(script) ? script : join(cwd, script);
  const stem = stemOf(path);
  if (telling.test(stem)) return stem;
  const folder = path === '' ? cwd : dirname(path);
  return byPackage(folder, packageNameOf) ?? byFolder(folder) ?? (stem || comm);
}

/** Without the endings that languages pile up: `orders.service.min.js` is `orders`. */
const stemOf = (path: string): string =>
  basename(path, extname(path)).replace(/\.(?:service|server|main|app|min|bundle)$/i, '');

function byPackage(from: string, packageNameOf: PackageNameOf): string | null {
  for (
    let folder = from, climbed = 0;
    climbed < MAX_FOLDERS && folder !== '' && folder !== '.';
    climbed += 1
  ) {
    const name = packageNameOf(folder)?.replace(/^@[^/]*\//, '');
    if (name !== undefined) return telling.test(name) ? name : null;
    if (dirname(folder) === folder) return null;
    folder = dirname(folder);
  }
  return null;
}

/** The nearest folder with a name that tells something; not the folder of a user or of all users. */
function byFolder(from: string): string | null {
  for (let folder = from; folder !== '' && folder !== '.' && folder !== '/'; folder = dirname(folder)) {
    const name = basename(folder);
    if (dirname(folder) === '/home' || dirname(folder) === '/Users') return null;
    if (telling.test(name)) return name;
  }
  return null;
}

function byPython(
  args: readonly string[],
  started: StartedWith,
  packageNameOf: PackageNameOf,
): string | null {
  const moduleAt = args.indexOf('-m');
  const script = moduleAt >= 0 ? null : scriptOf(args);
  const called = moduleAt >= 0 ? (args[moduleAt + 1] ?? '') : stemOf(firstFile(args) ?? '');
  if (runners.has(called))
    return byTarget(args.slice(args.findIndex((arg) => arg.endsWith(called)) + 1), started.cwd);
  if (moduleAt < 0) return byScript(script, started, packageNameOf);
  return called.split('.').find((part) => telling.test(part)) === undefined
    ? byFolder(started.cwd)
    : moduleName(called);
}

const firstFile = (args: readonly string[]): string | undefined => args.find((arg) => !arg.startsWith('-'));

/** `orders.main:app` is orders; `http.server` stays whole, since it is known by that. */
function moduleName(module: string): string {
  const parts = module.split('.');
  if (parts[0] === 'http') return module;
  return parts.find((part) => telling.test(part)) ?? module;
}

/** What `uvicorn` and its like are told to run. */
function byTarget(args: readonly string[], cwd: string): string | null {
  const target = args.find((arg) => /^[\w.]+:\w+/.test(arg)) ?? '';
  const part = target
    .split(':', 1)[0]
    ?.split('.')
    .find((word) => telling.test(word));
  return part || byFolder(cwd);
}

function byJava(args: readonly string[]): string | null {
  const property = args.find((arg) => /^-D(?:spring\.application\.name|otel\.service\.name)=./.test(arg));
  if (property !== undefined) return property.slice(property.indexOf('=') + 1);
  const jarAt = args.indexOf('-jar');
  if (jarAt >= 0) return jarName(args[jarAt + 1] ?? '');
  const target = scriptOf(args.filter((arg) => !arg.startsWith('@')));
  if (target === null) return null;
  if (/\.(?:java|jar)$/.test(target)) return stemOf(target);
  return className(target);
}

/** `orders-service-1.4.2-SNAPSHOT-all.jar` is orders-service. */
function jarName(path: string): string | null {
  const stem = basename(path, '.jar')
    .replace(/-\d[\w.]*(?:[.-][\w.]+)*$/, '')
    .replace(/-(?:all|fat|shadow|exec|boot|runner)$/, '');
  return telling.test(stem) ? stem : null;
}

/** The simple name of a main class without what all of them end in; its package if nothing is left. */
function className(name: string): string | null {
  const parts = name.replace(/^.*\//, '').split('.');
  const simple = (parts.pop() ?? '').replace(/(?:Application|Main|Server|App|Kt|Launcher)+$/, '');
  if (simple !== '' && telling.test(simple)) return simple;
  return parts.reverse().find((part) => telling.test(part)) ?? null;
}

function byDotnet(args: readonly string[], cwd: string): string | null {
  const assembly = args.find((arg) => arg.endsWith('.dll'));
  return assembly === undefined ? byFolder(cwd) : stemOf(assembly.replaceAll('\\', '/'));
}

function byShell(args: readonly string[], shell: string): string {
  const script = scriptOf(args);
  const stem = script === null ? '' : stemOf(script);
  return stem === '' ? shell : stem;
}
