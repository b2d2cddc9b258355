import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import type { Plugin } from 'vite';

/**
 * `style-src` needs 'unsafe-inline': CodeMirror and Radix's scroll lock make <style> elements while they run, and a page
 * that is a file has no nonce of its own for each answer. Scripts stay strict.
 * In `electron-vite dev` the refresh preamble is an inline script, so the policy goes into built pages only.
 */
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self'",
  "connect-src 'self' ws://127.0.0.1:* ws://localhost:*",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

function policyInBuiltPages(): Plugin {
  return {
    name: 'spike-content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** Everything that is a dependency stays one: bundles hold our own code only. */
const externalizeDependencies = true;

export default defineConfig({
  main: {
    resolve: { alias: { '#shared': resolve('src-shared') } },
    build: {
      outDir: resolve('out/main'),
      externalizeDeps: externalizeDependencies,
      rollupOptions: {
        // One file a process or thread: the shell, the command line, the workers, the recorder.
        input: {
          index: resolve('src-main/shell/index.ts'),
          cli: resolve('src-main/cli/main.ts'),
          worker: resolve('src-main/engine/cluster/worker-entry.ts'),
          'recorder-thread': resolve('src-main/engine/capture/recorder-thread.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    resolve: { alias: { '#shared': resolve('src-shared') } },
    build: {
      outDir: resolve('out/preload'),
      rollupOptions: {
        input: { index: resolve('src-preload/index.ts') },
        // A sandboxed preload must be CommonJS, in one file.
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'src-renderer',
    base: './',
    resolve: { alias: { '#shared': resolve('src-shared') } },
    plugins: [react(), policyInBuiltPages()],
    build: {
      outDir: resolve('out/renderer'),
      emptyOutDir: true,
      minify: 'oxc',
      // Read from this machine's disk, or over its loopback: what a view needs may come in one piece.
      chunkSizeWarningLimit: 2000,
      rollupOptions: { input: resolve('src-renderer/index.html') },
    },
    worker: { format: 'es' },
  },
});
