import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serviceNameOf } from '../../../../../src-main/engine/identity/process-name.ts';

const packages: Record<string, string> = {
  '/x/checkout': '@shop/checkout',
  '/x/mono': 'everything',
  '/x/generic': 'server',
  '/x/tool/node_modules/tsx': 'tsx',
};
const packageNameOf = (folder: string): string | null => packages[folder] ?? null;
const name = (command: string, cwd = '/x/plain', comm = command.split(/[ /]/).at(0) ?? '') =>
  serviceNameOf({ comm, argv: command.split(' '), cwd }, packageNameOf);

describe('a service is named by', () => {
  test.each([
    // A script whose name tells something.
    ['node services/orders.mjs', '/x/mono', 'orders'],
    ['node --enable-source-maps -r dotenv/config services/orders.js', '/x/mono', 'orders'],
    ['/usr/bin/node /x/mono/services/payments.service.js', '/', 'payments'],
    // The package that it belongs to, where it does not.
    ['node server.js', '/x/checkout', 'checkout'],
    ['node src/index.js', '/x/checkout', 'checkout'],
    ['node dist/main.js', '/x/checkout', 'checkout'],
    ['node .', '/x/checkout', 'checkout'],
    ['node -e require("x")', '/x/checkout', 'checkout'],
    // The folder, where no package tells either.
    ['node src/server.js', '/x/inventory', 'inventory'],
    ['node server.js', '/x/generic', 'generic'],
    ['node /app/server.js', '/app', 'server'],
    ['node', '/', 'node'],
    // What tools run.
    ['node node_modules/.bin/next dev', '/x/checkout', 'checkout'],
    ['node /x/tool/node_modules/tsx/dist/cli.mjs src/shipping.ts', '/x/tool', 'shipping'],
    // Python
    ['python3 orders.py', '/x/y', 'orders'],
    ['python3.11 manage.py runserver', '/x/catalogue', 'catalogue'],
    ['python -m orders.main', '/x', 'orders'],
    ['python -m http.server 8000', '/x', 'http.server'],
    ['python -m uvicorn orders.main:app --port 1', '/x', 'orders'],
    ['/usr/bin/python3 /usr/bin/gunicorn -w 2 main:app', '/x/search', 'search'],
    // Java
    ['java -Xmx1g -jar build/libs/orders-service-1.4.2-SNAPSHOT.jar --x', '/', 'orders-service'],
    ['java -cp a:b com.shop.payments.PaymentsApplication', '/', 'Payments'],
    ['java -classpath a com.shop.payments.Main', '/', 'payments'],
    ['java -Dspring.application.name=billing -jar app.jar', '/', 'billing'],
    ['java Stock.java', '/', 'Stock'],
    // Others
    ['ruby app.rb', '/x/reviews', 'reviews'],
    ['puma -C config/puma.rb', '/x/reviews', 'puma'],
    ['dotnet bin/Debug/Orders.dll', '/', 'Orders'],
    ['dotnet run', '/x/orders', 'orders'],
    ['./orders --port 1', '/x', 'orders'],
    ['/tmp/go-build12/b001/exe/main', '/x/ledger', 'ledger'],
    ['curl -s http://h/', '/x', 'curl'],
    ['bash ./loop.sh', '/x', 'loop'],
    ['-bash', '/x', 'bash'],
  ])('%s in %s: %s', (command, cwd, expected) => {
    expect(name(command, cwd)).toBe(expected);
  });

  test('OTEL_SERVICE_NAME before all that', () => {
    const started = { comm: 'node', argv: ['node', 'a.js'], cwd: '/', otelServiceName: 'ledger' };
    expect(serviceNameOf(started, packageNameOf)).toBe('ledger');
  });

  test('the kernel, where the title is no command', () => {
    expect(serviceNameOf({ comm: 'nginx', argv: ['nginx: worker process'], cwd: '/' }, () => null)).toBe(
      'nginx',
    );
    expect(serviceNameOf({ comm: 'postgres', argv: [], cwd: '' }, () => null)).toBe('postgres');
  });

  test('not the name of a user', () => {
    expect(name('node server.js', '/home/ada')).toBe('server');
  });
});

test('any start gives a printable name of bounded length', () => {
  const texts = fc.array(fc.string({ unit: 'binary' }), { maxLength: 6 });
  fc.assert(
    fc.property(
      fc.string(),
      texts,
      fc.string(),
      fc.constantFrom('node', 'python3', 'java', 'dotnet', 'sh', 'x'),
      (comm, rest, cwd, program) => {
        const made = serviceNameOf({ comm, argv: [program, ...rest], cwd: `/${cwd}` }, packageNameOf);
        expect(made.length).toBeGreaterThan(0);
        expect(made.length).toBeLessThanOrEqual(60);
        // Control characters.
        expect(made).not.toMatch(/[\x00-\x1f\x7f]/);
      },
    ),
  );
});
