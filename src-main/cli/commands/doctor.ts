import type { Command } from 'commander';
import { withHome } from '../options.ts';
import type { HomeOption } from '../options.ts';
import { homeOf } from '../options.ts';
import { examine } from '../doctor.ts';
import type { Examined } from '../doctor.ts';
import { exitCodes } from '../exit-status.ts';
import { askAgentsDirectly, surroundingEnvironment } from '../surrounding-environment.ts';
import { printable } from '../table.ts';

export function addDoctorCommand(program: Command): void {
  withHome(
    program
      .command('doctor')
      .description('check trust, ports, proxies and runtimes, and say how to mend what is found'),
  ).action(async (flags: HomeOption) => {
    askAgentsDirectly();
    const found = await examine({ home: homeOf(flags), environment: surroundingEnvironment });
    for (const line of found) process.stdout.write(textOf(line));
    if (found.some(({ state }) => state === 'problem')) process.exitCode = exitCodes.failed;
  });
}

const marks = { ok: 'OK      ', note: 'note    ', problem: 'problem ' } as const;

function textOf({ state, what, mend }: Examined): string {
  const first = `${marks[state]} ${printable(what)}\n`;
  return mend === undefined ? first : `${first}          → ${printable(mend)}\n`;
}
