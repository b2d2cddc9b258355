// Proxies of npm, as their documentation starts them: node js-peers.cjs NAME PORT FORM ORIGIN_PORT DIRECTORY
// They are looked for in the folder SPIKE_BENCH_PEERS, else where Node finds them from here.
const { createRequire } = require('node:module');
const { createServer } = require('node:http');
const { join } = require('node:path');

const [, , name, port, form, origin, directory] = process.argv;
const folder = process.env.SPIKE_BENCH_PEERS;
const peerRequire = folder === undefined ? require : createRequire(join(folder, 'index.js'));

const starts = {
  /** Records traffic, as it does by itself. */
  async mockttp() {
    const mockttp = peerRequire('mockttp');
    const opensTls = form === 'mitm' || form === 'h2';
    const server = mockttp.getLocal(opensTls ? { https: await mockttp.generateCACertificate() } : {});
    await server.start(Number(port));
    const rule = server.forAnyRequest();
    if (form === 'reverse') await rule.thenForwardTo(`http://127.0.0.1:${origin}`);
    else if (form === 'h2') await rule.thenForwardTo(`https://localhost:${origin}`);
    else await rule.thenPassThrough();
  },

  /** Its CA is made below HOME. */
  async anyproxy() {
    const { ProxyServer, utils } = peerRequire('anyproxy');
    const forceProxyHttps = form === 'mitm';
    if (forceProxyHttps && !utils.certMgr.ifRootCAFileExists())
      await new Promise((resolve) => utils.certMgr.generateRootCA(resolve));
    const server = new ProxyServer({ port: Number(port), forceProxyHttps, silent: true });
    server.on('error', (error) => console.error(error));
    server.start();
  },

  async 'http-mitm-proxy'() {
    const { Proxy } = peerRequire('http-mitm-proxy');
    const proxy = new Proxy();
    proxy.onError((_context, error) => console.error(String(error)));
    proxy.listen({ host: '127.0.0.1', port: Number(port), sslCaDir: join(directory, 'http-mitm-proxy') });
  },

  async httpxy() {
    const { createProxyServer } = await import(peerRequire.resolve('httpxy'));
    const proxy = createProxyServer({ target: `http://127.0.0.1:${origin}` });
    const server = createServer((request, response) => {
      proxy.web(request, response).catch(() => response.destroy());
    });
    server.listen(Number(port), '127.0.0.1');
  },
};

starts[name]().catch((error) => {
  console.error(error);
  process.exit(1);
});
