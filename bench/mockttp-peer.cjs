// mockttp as a proxy, recording at its default: node mockttp-peer.cjs PORT rev|fwd|mitm ORIGIN_PORT CA_FILE
const mockttp = require('mockttp');

async function main() {
  const [, , port, form, origin] = process.argv;
  const https = form === 'mitm' ? { https: await mockttp.generateCACertificate() } : {};
  const server = mockttp.getLocal(https);
  await server.start(Number(port));
  const rule = server.forAnyRequest();
  if (form === 'rev') await rule.thenForwardTo(`http://127.0.0.1:${origin}`);
  else await rule.thenPassThrough();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
