// The origin of the benchmarks: nginx with one worker, plain, TLS, and TLS with HTTP/2, its certificate made for the run.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Starts it in `directory`, on the ports `http`, `tls` and `http2`; returns them, the file of its CA, and the process. */
export function startOrigin(directory, ports) {
  mkdirSync(join(directory, 'www'), { recursive: true });
  writeFileSync(join(directory, 'www/1k'), 'a'.repeat(1024));
  writeFileSync(join(directory, 'www/10m'), Buffer.alloc(10 * 1024 ** 2, 'a'));
  const names = 'DNS:localhost,DNS:*.bench.test,IP:127.0.0.1';
  const caPath = join(directory, 'origin.crt');
  makeCertificate('localhost', [`subjectAltName=${names}`], join(directory, 'origin.key'), caPath);
  const config = join(directory, 'origin.conf');
  writeFileSync(config, configOf(ports));
  execFileSync('chmod', ['-R', 'a+rX', directory]);
  const child = spawn('nginx', ['-p', directory, '-c', config], { stdio: 'ignore' });
  return { ...ports, caPath, child };
}

/** A self-signed P-256 certificate. */
export function makeCertificate(name, extensions, keyPath, certificatePath) {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  const files = ['-keyout', keyPath, '-out', certificatePath];
  execFileSync('openssl', ['req', '-x509', ...curve, '-subj', `/CN=${name}`, ...added, ...files], {
    stdio: 'ignore',
  });
}

function configOf({ http, tls, http2 }) {
  return `daemon off; worker_processes 1; pid origin.pid; error_log origin.err; worker_rlimit_nofile 20000;
events { worker_connections 8192; }
http {
  access_log off; default_type application/octet-stream; sendfile on; tcp_nopush on; tcp_nodelay on; etag off;
  keepalive_requests 1000000000; keepalive_timeout 300s; open_file_cache max=100; server_tokens off;
  add_header Cache-Control no-store;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  ssl_certificate origin.crt; ssl_certificate_key origin.key; ssl_session_cache shared:s:4m;
  server { listen 127.0.0.1:${http} backlog=4096; root www; location = /count { stub_status; } }
  server { listen 127.0.0.1:${tls} ssl backlog=4096; root www; }
  server { listen 127.0.0.1:${http2} ssl http2 backlog=4096; root www; }
}
`;
}
