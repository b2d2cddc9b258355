import { expect, test } from 'vitest';
import { BodyCollector, createBodyBudget } from '../../../../../src-main/engine/capture/body-collector.ts';
import { ExchangeRecord } from '../../../../../src-main/engine/proxy/exchange-record.ts';
import { fakeNetwork } from '../../../../support/fake-network.ts';

test('an exchange that becomes a tunnel gives back the memory of what it kept', () => {
  const { environment, facts } = fakeNetwork();
  const budget = createBodyBudget();
  const record = new ExchangeRecord(
    { ...environment, collectBody: () => new BodyCollector(1000, budget) },
    facts,
    environment.destination('http', 'orders', 80),
    { method: 'POST', path: '/', httpVersion: '1.1', fieldsText: '', headBytes: 10 },
    0,
  );
  record.requestData(Buffer.from('body of an upgrade'));
  expect(budget.heldBytes).toBeGreaterThan(0);
  expect(record.becameTunnel()).toBe(record.flow);
  expect(budget.heldBytes).toBe(0);
});
