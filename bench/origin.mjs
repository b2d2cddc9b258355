// The origin of the benchmarks: nginx with one worker, plain and TLS, with a certificate made for the run.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Starts it in `directory`; resolves with its ports, the file of its CA, and what ends it. */
export function startOrigin(directory, ports) {
  mkdirSync(join(directory, 'www'), { recursive: true });
  writeFileSync(join(directory, 'www/1k'), 'a'.repeat(1024));
  const key = join(directory, 'origin.key');
  const caPath = join(directory, 'origin.crt');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ];
  execFileSync('openssl', [...args, ...subject, '-keyout', key, '-out', caPath], { stdio: 'ignore' });
  const config = join(directory, 'origin.conf');
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid origin.pid; error_log origin.err; worker_rlimit_nofile 20000;
events { worker_connections 8192; }
http {
  access_log off; default_type application/octet-stream; sendfile on; tcp_nopush on; tcp_nodelay on; etag off;
  keepalive_requests 1000000000; keepalive_timeout 300s; open_file_cache max=100; server_tokens off;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  ssl_certificate origin.crt; ssl_certificate_key origin.key;
  server { listen 127.0.0.1:${ports.http} backlog=4096; root www; }
  server { listen 127.0.0.1:${ports.tls} ssl backlog=4096; root www; }
}
`,
  );
  execFileSync('chmod', ['-R', 'a+rX', directory]);
  const child = spawn('nginx', ['-p', directory, '-c', config], { stdio: 'ignore' });
  return { http: ports.http, tls: ports.tls, caPath, child };
}
