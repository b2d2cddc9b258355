import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { endAll, eventually } from '../support/spike-process.ts';

afterAll(endAll);

const withProxy = (more: string): string =>
  `version: 1\nupstreamProxy:\n  url: http://me:geheim@127.0.0.1:9\n${more}`;

async function status(agent: RealAgent) {
  return await agent.client.agent.status();
}

describe('upstream settings of a running agent', () => {
  it('are shown without secrets; what cannot be used is refused at its place, and nothing changes', async () => {
    const agent = await startRealAgent({ workspace: withProxy('  noProxy: [.corp]\n'), workers: 1 });
    const proxy = {
      http: 'http://me@127.0.0.1:9',
      https: 'http://me@127.0.0.1:9',
      noProxy: ['.corp'],
      includeLoopback: false,
    };
    expect((await status(agent)).upstreams).toEqual({ proxy, clientCertificates: [] });

    const refused = async (text: string): Promise<string> => {
      writeFileSync(agent.workspacePath, text);
      return await eventually(async () => {
        const { workspace, upstreams } = await status(agent);
        expect(workspace.state).toBe('invalid');
        expect(upstreams.proxy).toEqual(proxy);
        return workspace.problem?.message ?? '';
      });
    };
    const missing = 'tls:\n  clientCertificates:\n    - { host: a, pkcs12: none.p12 }\n';
    expect(await refused(withProxy(missing))).toMatch(
      /^spike\.yaml:6:26 was not applied\. .*none\.p12 cannot be read/,
    );
    writeFileSync(agent.workspacePath, withProxy('  noProxy: [.corp]\n'));
    await eventually(async () => expect((await status(agent)).workspace.state).toBe('saved'));
    const own = `version: 1\nupstreamProxy: ${agent.proxyUrl}\n`;
    expect(await refused(own)).toMatch(
      /^spike\.yaml:2:16 was not applied\. .*is a port of this Spike itself/,
    );
    expect(readFileSync(agent.workspacePath, 'utf8')).toBe(own);

    writeFileSync(agent.workspacePath, 'version: 1\n');
    await eventually(async () => expect((await status(agent)).upstreams.proxy).toBeNull());
    const { stderr } = await agent.stop();
    expect(stderr).not.toContain('geheim');
  });
});
