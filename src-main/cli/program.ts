import { Command } from 'commander';
import { addCaCommand } from './commands/ca.ts';
import { addCaptureCommand } from './commands/capture.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addHeldCommand } from './commands/held.ts';
import { addOpenCommand } from './commands/open.ts';
import { addRulesCommand } from './commands/rules.ts';
import { addRunCommand } from './commands/run.ts';
import { addScenarioCommand } from './commands/scenario.ts';
import { addStartCommand } from './commands/start.ts';
import { packageVersion } from './package-directory.ts';

/** The whole command line. Errors are thrown as CommanderError, after commander has printed them. */
export function createProgram(): Command {
  const program = new Command('spike')
    .description('Watch, break, record and replay the calls between your services.')
    .version(packageVersion, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError('(spike --help lists the commands)')
    .exitOverride();
  const add = [
    addOpenCommand,
    addStartCommand,
    addRunCommand,
    addCaCommand,
    addRulesCommand,
    addHeldCommand,
    addScenarioCommand,
    addCaptureCommand,
    addDoctorCommand,
  ];
  for (const addTo of add) addTo(program);
  for (const command of program.commands) inheritAll(program, command);
  return program;
}

/** A command made with `addCommand` or `command` does not take over the settings of one that is made later. */
function inheritAll(parent: Command, command: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheritAll(command, child);
}
