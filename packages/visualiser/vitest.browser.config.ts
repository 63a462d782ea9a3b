// Elements and shell in a real Chromium: `npx vitest run --config packages/visualiser/vitest.browser.config.ts`.

import {fileURLToPath} from 'node:url';
import {playwright} from '@vitest/browser-playwright';
import {defaultClientConditions} from 'vite';
import {defineConfig} from 'vitest/config';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  resolve: {conditions: ['@hyperscope/source', ...defaultClientConditions]},
  worker: {format: 'es'},
  // Listed, so that the first test does not wait for a second bundling.
  optimizeDeps: {
    include: [
      'axe-core',
      'elements > lit',
      'elements > lit/decorators.js',
      'elements > d3',
      'visualiser > comlink',
      'walkthroughs > marked',
      'walkthroughs > yaml',
    ],
  },
  test: {
    include: ['{elements,visualiser}/src/**/*.webtest.ts'],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      viewport: {width: 1280, height: 900},
      provider: playwright({launchOptions: {executablePath, args}}),
      instances: [{browser: 'chromium'}],
    },
  },
});
