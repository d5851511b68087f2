import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { compress } from './build/compress.mjs';
import { extractStyles } from './build/styles.mjs';

/** dead-letter, while the console is developed: `yarn workspace console start`. */
const SERVICE = process.env.DEAD_LETTER_URL ?? 'http://127.0.0.1:8080';
const PROXIED = [
  '/dead-letters',
  '/operations',
  '/audit',
  '/me',
  '/console/settings.json',
];

const path = relative => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  base: '/console/',
  plugins: [extractStyles(), compress()],
  resolve: {
    alias: {
      // By their folders: so they need not be installed with all that Backstage needs for them.
      '@dead-letter/backstage-plugin-dead-letter-common': path(
        '../../plugins/dead-letter-common/src/index.ts',
      ),
      '@dead-letter/backstage-plugin-dead-letter': path(
        '../../plugins/dead-letter',
      ),
      '@backstage/plugin-catalog-react': path('src/stand-ins/catalog.ts'),
    },
  },
  // Given here, so that none is looked for: the workspace's extends one of @backstage/cli, which is not installed for the console alone.
  esbuild: {
    tsconfigRaw: JSON.stringify({ compilerOptions: { jsx: 'react-jsx' } }),
  },
  // The service replaces it in each answer: src/http/console.
  html: { cspNonce: '{{NONCE}}' },
  build: {
    outDir: path('../../../console/dist'),
    emptyOutDir: true,
    // Each as a file: the content security policy allows no data.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
    manifest: 'manifest.json',
  },
  server: {
    proxy: Object.fromEntries(PROXIED.map(each => [each, SERVICE])),
  },
});
