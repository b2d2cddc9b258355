import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { SpikeError } from '#shared/contract/errors.ts';
import { CommandFailure, exitStatusOf, UsageError } from '../../../../src-main/cli/exit-status.ts';
import { readableLine } from '../../../../src-main/cli/log-stream.ts';
import { listeningInodes } from '../../../../src-main/cli/port-owner.ts';
import { tableText } from '../../../../src-main/cli/table.ts';
import { wholeFileDefect, WorkspaceFileError } from '../../../../src-main/workspace/defect.ts';

describe('exit codes', () => {
  it.each([
    [new CommanderError(0, 'commander.helpDisplayed', ''), 0],
    [new CommanderError(1, 'commander.unknownOption', ''), 2],
    [new UsageError('x'), 2],
    [new WorkspaceFileError('spike.yaml', wholeFileDefect('x')), 2],
    [new SpikeError('port-in-use', 'x'), 2],
    [new SpikeError('not-found', 'x'), 1],
    [new CommandFailure('x'), 1],
    [new TypeError('a bug'), 1],
  ])('%s', (error, code) => {
    expect(exitStatusOf(error).code).toBe(code);
  });

  it('a bug is told with its trace', () => {
    expect(exitStatusOf(new TypeError('a bug')).message).toMatch(/should not:\nTypeError: a bug\n +at /);
  });
});

describe('tables', () => {
  it('are as wide as their cells; figures end below each other', () => {
    expect(
      tableText(
        ['ID', 'HITS'],
        [
          ['a', '1'],
          ['long', '20'],
        ],
        [1],
      ),
    ).toBe('ID    HITS\na        1\nlong    20\n');
  });

  it('pass no control character of captured text to the terminal', () => {
    expect(tableText(['ID'], [['\u001b[2Jx\u202e\n']])).toBe('ID\n\ufffd[2Jx\ufffd\ufffd\n');
  });
});

it('log lines for people', () => {
  const line = readableLine('{"level":40,"time":0,"pid":1,"path":"/a","n":2,"msg":"It is\\nso"}');
  expect(line.slice(8)).toBe('  warning  It is so  path=/a  n=2');
});

it('who listens is read from the kernel’s table', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1B9E 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1',
    '   1: 0100007F:1B9E 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 222 1',
    '   2: 0100007F:1B9F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 333 1',
  ].join('\n');
  expect(listeningInodes(table, 7070)).toEqual(['111']);
});
