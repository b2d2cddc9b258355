import { describe, expect, it } from 'vitest';
import { faultSchemas } from '#shared/rules/fault.ts';
import * as breakpoint from '#shared/rules/faults/breakpoint.ts';
import * as connection from '#shared/rules/faults/connection.ts';
import * as http from '#shared/rules/faults/http.ts';
import * as http2 from '#shared/rules/faults/http2.ts';
import * as link from '#shared/rules/faults/link.ts';
import * as tls from '#shared/rules/faults/tls.ts';
import * as websocket from '#shared/rules/faults/websocket.ts';
import { presets } from '#shared/rules/presets.ts';
import { faultGroups, searchFaults } from '../../../../../src-renderer/features/faults/fault-groups.ts';
import { faultIcons } from '../../../../../src-renderer/features/faults/fault-icons.ts';

/** Every definition that there is, also of faults that nothing runs yet. */
const definitions = [breakpoint, connection, http, http2, link, tls, websocket]
  .flatMap(
    (module) => Object.values(module) as { meta?: () => { title?: string; icon?: string } | undefined }[],
  )
  .flatMap((definition) => (typeof definition.meta === 'function' ? [definition.meta() ?? {}] : []));

describe('the menu of faults', () => {
  it('has every fault once, and none outside of the groups', () => {
    const listed = faultGroups.flatMap((group) => group.faults.map((fault) => fault.type));
    expect([...listed].sort()).toEqual(Object.keys(faultSchemas).sort());
    expect(faultGroups.map((group) => group.title)).not.toContain('Others');
  });

  it('says of each what it does', () => {
    for (const { faults } of faultGroups) {
      for (const fault of faults) {
        expect(fault.title).not.toBe('');
        if (!['redirect-upstream', 'file-answer', 'headers'].includes(fault.type))
          expect(fault.description).toMatch(/\.$/);
      }
    }
  });

  it('knows the icon of each definition, and of each preset', () => {
    expect(definitions.length).toBeGreaterThanOrEqual(Object.keys(faultSchemas).length);
    const named = [...definitions.map(({ icon }) => icon), ...presets.map(({ icon }) => icon)];
    expect(named.filter((icon) => icon === undefined || faultIcons[icon] === undefined)).toEqual([]);
  });

  it('finds by title, type, words and group', () => {
    const found = (search: string) =>
      searchFaults(search).flatMap((group) => group.faults.map(({ type }) => type));
    expect(found('LATENCY')).toContain('latency');
    expect(found('limit-d')).toEqual(['limit-data']);
    expect(found('tls certificate')).toEqual(['tls-certificate']);
    expect(found('no such fault')).toEqual([]);
    expect(found('').length).toBe(Object.keys(faultSchemas).length);
  });
});
