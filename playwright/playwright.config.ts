// What a visitor sees, in a real Chromium, against the built lab and its server.

import {defineConfig} from '@playwright/test';

const PORT = Number(process.env['HYPERSCOPE_E2E_PORT'] ?? 8765);
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export default defineConfig({
  testDir: '.',
  outputDir: './output/results',
  workers: 1,
  timeout: 30_000,
  expect: {timeout: 8000},
  use: {
    baseURL: `http://127.0.0.1:${PORT}`,
    browserName: 'chromium',
    viewport: {width: 1440, height: 900},
    reducedMotion: 'reduce',
    // Only the tests of being offline want one: for the others it would fetch the whole lab each time.
    serviceWorkers: 'block',
    launchOptions: {executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args},
  },
  webServer: {
    command: `node ../packages/cli/bin/hyperscope.mjs serve --port ${PORT}`,
    url: `http://127.0.0.1:${PORT}/healthz`,
    reuseExistingServer: false,
    timeout: 60_000,
  },
});
