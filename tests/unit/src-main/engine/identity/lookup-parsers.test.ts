// What other programs and the kernel write, read: samples as documented.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalAddress, tcpRows } from '../../../../../src-main/engine/identity/proc-net-tcp.ts';
import {
  parseFolders,
  parseLsof,
  parseProcesses,
} from '../../../../../src-main/engine/identity/process-lookup-macos.ts';
import {
  parseCimProcesses,
  parseNetstat,
} from '../../../../../src-main/engine/identity/process-lookup-windows.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const tcp = `${head}   0: 0100007F:1B9E 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0
   1: 0100007F:C350 0100007F:1B9E 01 00000000:00000000 02:000A7214 00000000  1000        0 777 2 0000000000000000 20 4 30 10 -1
10000: 0100007F:C351 0100007F:1B9E 06 00000000:00000000 03:00001234 00000000     0        0 0 3 0000000000000000
`;
const tcp6 = `${head}   0: 0000000000000000FFFF00000100007F:C352 0000000000000000FFFF00000100007F:1B9E 01 00000000:00000000 00:00000000 00000000  1000        0 888 1 0
   1: 00000000000000000000000001000000:C353 00000000000000000000000001000000:1B9E 01 00000000:00000000 00:00000000 00000000  1000        0 999 1 0
`;
const all = () => true;

describe('/proc/net/tcp', () => {
  test('rows of both tables, IPv4 in IPv6 as IPv4', () => {
    expect([...tcpRows(tcp, all), ...tcpRows(tcp6, all)]).toEqual([
      { localAddress: '127.0.0.1', localPort: 7070, remotePort: 0, isListening: true, inode: 12345 },
      { localAddress: '127.0.0.1', localPort: 50000, remotePort: 7070, isListening: false, inode: 777 },
      { localAddress: '127.0.0.1', localPort: 50001, remotePort: 7070, isListening: false, inode: 0 },
      { localAddress: '127.0.0.1', localPort: 50002, remotePort: 7070, isListening: false, inode: 888 },
      { localAddress: '::1', localPort: 50003, remotePort: 7070, isListening: false, inode: 999 },
    ]);
  });

  test('only those that are wanted', () => {
    expect([...tcpRows(tcp, (local) => local === 50000)].map((row) => row.inode)).toEqual([777]);
  });

  test('a table that ends anywhere gives its whole rows and never throws', () => {
    for (let end = 0; end <= tcp.length; end += 1) {
      for (const row of tcpRows(tcp.slice(0, end), all)) expect(row.localAddress).toBe('127.0.0.1');
    }
    fc.assert(fc.property(fc.string(), (junk) => void [...tcpRows(`${head}${junk}\n${junk}`, all)]));
  });

  test.each([
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['10.1.2.3', '10.1.2.3'],
    ['nonsense:', 'nonsense:'],
  ])('%s is %s', (address, expected) => {
    expect(normalAddress(address)).toBe(expected);
  });
});

describe('macOS', () => {
  test('lsof: connections and listeners', () => {
    const output =
      'p501\nf21\nn127.0.0.1:50000->127.0.0.1:7070\nf22\nn[::1]:50001->[::1]:7070\np502\nf5\nn*:8104\nf6\nn[::1]:8105\n';
    expect([...parseLsof(output)]).toEqual([
      ['127.0.0.1 50000 7070', 501],
      ['::1 50001 7070', 501],
      ['listener 8104', 502],
      ['listener 8105', 502],
    ]);
  });

  test('ps and lsof: names, the environment after the command', () => {
    const folders = parseFolders('p501\nfcwd\nn/x/orders\np502\nfcwd\nn/x/pay\n');
    const output =
      '  501 node server.js --port 1 PATH=/bin SPIKE_SERVICE=checkout\n  502 node server.js PATH=/bin\n  503 /usr/bin/curl http://h/\n\n';
    expect([...parseProcesses(output, folders).values()]).toEqual([
      { pid: 501, name: 'checkout', resolvedBy: 'run' },
      { pid: 502, name: 'pay', resolvedBy: 'process' },
      { pid: 503, name: 'curl', resolvedBy: 'process' },
    ]);
  });
});

describe('Windows', () => {
  test('netstat, in any language', () => {
    const output =
      '\r\nAktive Verbindungen\r\n\r\n  Proto  Lokale Adresse         Remoteadresse          Status           PID\r\n  TCP    127.0.0.1:50000        127.0.0.1:7070         HERGESTELLT      4711\r\n  TCP    0.0.0.0:8104           0.0.0.0:0              ABHÖREN          12\r\n  TCP    [::1]:50001            [::1]:7070             ESTABLISHED      4712\r\n  TCP    127.0.0.1:50002        127.0.0.1:7070         TIME_WAIT        0\r\n';
    expect([...parseNetstat(output)]).toEqual([
      ['127.0.0.1 50000 7070', 4711],
      ['listener 8104', 12],
      ['::1 50001 7070', 4712],
    ]);
  });

  test('Win32_Process: one or many, without a command line where it may not be read', () => {
    const one =
      '{"ProcessId":7,"Name":"node.exe","CommandLine":"\\"C:\\\\Program Files\\\\nodejs\\\\node.exe\\" C:\\\\x\\\\orders.js"}';
    expect(parseCimProcesses(one).get(7)).toEqual({ pid: 7, name: 'orders', resolvedBy: 'process' });
    const many = parseCimProcesses(`[${one},{"ProcessId":8,"Name":"curl.exe","CommandLine":null}]`);
    expect(many.get(8)?.name).toBe('curl');
    expect(parseCimProcesses('').size).toBe(0);
  });
});
